"""`genprm schema`: the JSON Schema of a stored or exchanged row."""

import json
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from genprm.records.record import JsonObject


class RowName(StrEnum):
    """Which row. The rows of a curation have the names of their files."""

    PROBLEM = "problem"
    VERDICT = "verdict"
    EVALUATION = "evaluation"
    SUMMARY = "summary"
    POOL = "pool"
    RANKING = "ranking"
    REFINEMENT = "refinement"
    SEARCH = "search"
    SEARCH_PATH = "search-path"
    FAILURE = "failure"
    RUN = "run"
    PROBLEMS = "problems"
    SOLUTIONS = "solutions"
    ROLLOUTS = "rollouts"
    PROGRESS = "progress"
    RATIONALES = "rationales"
    CONSENSUS = "consensus"
    CHATS = "chats"
    CORRECTION = "correction"
    VERIFY_REPLY = "verify-reply"
    RANK_REPLY = "rank-reply"
    POOL_REPLY = "pool-reply"
    CRITIQUE_REPLY = "critique-reply"


_HOME = {
    RowName.PROBLEM: "records.problems:ProblemInput",
    RowName.VERDICT: "records.verdicts:VerdictRow",
    RowName.EVALUATION: "records.evaluations:EvaluatedRow",
    RowName.SUMMARY: "records.summaries:Summary",
    RowName.POOL: "records.pools:PoolRow",
    RowName.RANKING: "records.rankings:RankingRow",
    RowName.REFINEMENT: "records.refinements:RefinementRow",
    RowName.SEARCH: "records.searches:SearchRow",
    RowName.SEARCH_PATH: "tasks.rescoring:SearchPathRow",
    RowName.FAILURE: "records.failures:FailedRow",
    RowName.RUN: "records.run_spec:RunSpec",
    RowName.PROBLEMS: "records.curation:GoldProblemRow",
    RowName.SOLUTIONS: "records.curation:BatchRow",
    RowName.ROLLOUTS: "records.curation:RolloutRow",
    RowName.PROGRESS: "records.curation:LabelledPathRow",
    RowName.RATIONALES: "records.critiques:CritiqueRow",
    RowName.CONSENSUS: "records.curation:ConsensusRow",
    RowName.CHATS: "records.chats:ChatRow",
    RowName.CORRECTION: "viewer.corrections:Correction",
    RowName.VERIFY_REPLY: "records.service:VerifyReply",
    RowName.RANK_REPLY: "records.service:RankReply",
    RowName.POOL_REPLY: "records.service:PoolReply",
    RowName.CRITIQUE_REPLY: "records.service:CritiqueReply",
}


def row_type(name: RowName) -> "type[BaseModel]":
    """The type of these rows. It is imported here, because it needs pydantic."""
    module, _, attribute = _HOME[name].partition(":")
    row: type[BaseModel] = getattr(import_module(f"genprm.{module}"), attribute)
    return row


def row_schema(name: RowName) -> "JsonObject":
    """The JSON Schema of these rows."""
    row = row_type(name)
    read = name is RowName.PROBLEM  # all others are written
    found: JsonObject = row.model_json_schema(mode="validation" if read else "serialization")
    return found | {"title": row.__name__}


def schema(
    name: Annotated[
        RowName,
        typer.Argument(
            help="problem is an input row; verdict to failure are rows that commands write; run "
            "is a .run.json file; problems to chats are rows of the stages of genprm curate; "
            "correction is a row of the viewer; the replies are those of genprm serve.",
        ),
    ],
) -> None:
    """Print the JSON Schema of a row that genprm reads or writes."""
    typer.echo(json.dumps(row_schema(name), indent=1))
