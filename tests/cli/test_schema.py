"""The schemas that `genprm schema` prints describe the rows that commands write."""

import json

import pytest
from typer.testing import CliRunner

from genprm.cli.commands.schema import RowName
from genprm.cli.main import app
from genprm.problem import Solution
from genprm.records.verdicts import VerdictRow
from genprm.verdict import Run, SolutionVerdict, StepVerdict, Vote

runner = CliRunner()


@pytest.mark.parametrize("name", list(RowName))
def test_every_row_has_a_schema(name: RowName) -> None:
    shown = runner.invoke(app, ["schema", name])
    assert shown.exit_code == 0
    schema = json.loads(shown.stdout)
    assert schema["type"] == "object"
    assert schema["properties"]


def test_a_written_row_has_the_fields_of_its_schema() -> None:
    vote = Vote(0.2, "text", runs=(Run("print(1)", "1", "ok"),))
    verdict = SolutionVerdict("a", (StepVerdict((vote,), 1),))
    row = json.loads(VerdictRow.of(0, Solution("p", ("s", "t"), "a"), verdict).line())
    schema = json.loads(runner.invoke(app, ["schema", "verdict"]).stdout)
    assert set(row) <= set(schema["properties"])
    assert set(schema["required"]) <= set(row)
