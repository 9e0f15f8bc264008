"""A verdict as a row of JSON, and back: what `genprm verify` writes and others read."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from genprm.problem import Solution
from genprm.verdict import Flag, Run, SolutionVerdict, StepVerdict, Usage, Vote

Row = dict[str, Any]


def to_row(row: int, solution: Solution, verdict: SolutionVerdict) -> Row:
    """The output row of input row `row`: self-contained, with every vote.

    The input's other fields stand beside ours; where a name is taken, under `input`.
    """
    ours: Row = {
        "id": solution.id or str(row),
        "row": row,
        "problem": solution.problem,
        "first_error": verdict.first_error,
        "steps": [
            {"text": text, **step_row(step)}
            for text, step in zip(solution.steps, verdict.steps, strict=False)
        ],
        "unjudged_steps": list(solution.steps[len(verdict.steps) :]),
        "usage": asdict(verdict.usage),
    }
    taken = {name: value for name, value in solution.extra.items() if name in ours}
    passed = {name: value for name, value in solution.extra.items() if name not in ours}
    return {**ours, **passed, **({"input": taken} if taken else {})}


def from_row(row: Mapping[str, Any]) -> SolutionVerdict:
    """The verdict that `to_row` wrote."""
    return SolutionVerdict(
        id=row["id"],
        steps=tuple(map(_step, row["steps"])),
        usage=Usage(**row["usage"]),
    )


def step_row(step: StepVerdict) -> Row:
    """One step's verdict, with every vote."""
    return {
        "reward": step.reward,
        "label": step.label,
        "asked": len(step.votes),
        "wanted": step.wanted,
        "votes": [_vote_row(vote) for vote in step.votes],
        **({"screening": step_row(step.screening)} if step.screening else {}),
    }


def _vote_row(vote: Vote) -> Row:
    return {
        "reward": vote.reward,
        "analysis": vote.analysis,
        "runs": [asdict(run) for run in vote.runs],
        "flags": [flag.value for flag in vote.flags],
        "text": vote.text,
        "usage": asdict(vote.usage),
    }


def _step(row: Mapping[str, Any]) -> StepVerdict:
    screening = _step(row["screening"]) if "screening" in row else None
    return StepVerdict(tuple(map(_vote, row["votes"])), row["wanted"], screening)


def _vote(row: Mapping[str, Any]) -> Vote:
    return Vote(
        reward=row["reward"],
        text=row["text"],
        analysis=row["analysis"],
        runs=tuple(Run(**run) for run in row["runs"]),
        flags=tuple(Flag(flag) for flag in row["flags"]),
        usage=Usage(**row["usage"]),
    )
