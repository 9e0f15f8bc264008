"""`genprm schema`: the JSON Schema of a stored or exchanged row."""

import json
from enum import StrEnum
from typing import Annotated

import typer


class RowName(StrEnum):
    """Which row."""

    VERDICT = "verdict"
    EVALUATION = "evaluation"
    POOL = "pool"
    RANKING = "ranking"
    REFINEMENT = "refinement"
    SEARCH = "search"
    FAILURE = "failure"
    RUN = "run"


def schema(
    name: Annotated[
        RowName,
        typer.Argument(help="Whose rows: those of a command, of a failure, or a .run.json file."),
    ],
) -> None:
    """Print the JSON Schema of a row that genprm writes."""
    from genprm.records.evaluations import EvaluatedRow
    from genprm.records.failures import FailedRow
    from genprm.records.pools import PoolRow
    from genprm.records.rankings import RankingRow
    from genprm.records.record import Record
    from genprm.records.refinements import RefinementRow
    from genprm.records.run_spec import RunSpec
    from genprm.records.searches import SearchRow
    from genprm.records.verdicts import VerdictRow

    rows: dict[RowName, type[Record]] = {
        RowName.VERDICT: VerdictRow,
        RowName.EVALUATION: EvaluatedRow,
        RowName.POOL: PoolRow,
        RowName.RANKING: RankingRow,
        RowName.REFINEMENT: RefinementRow,
        RowName.SEARCH: SearchRow,
        RowName.FAILURE: FailedRow,
        RowName.RUN: RunSpec,
    }
    typer.echo(json.dumps(rows[name].model_json_schema(mode="serialization"), indent=1))
