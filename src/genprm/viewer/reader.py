"""From a stored row of any command to the document that the page shows.

The fields of a row show which command wrote it. A row that cannot be read becomes a document that
says why, so that it does not hide the others.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from pydantic import ValidationError

from genprm.model import ModelIdentity
from genprm.records.evaluations import EvaluatedRow
from genprm.records.failures import FailedRow
from genprm.records.pools import PoolRow, ProblemRow
from genprm.records.rankings import RankingRow
from genprm.records.record import JsonObject
from genprm.records.refinements import RefinementRow
from genprm.records.searches import SearchRow
from genprm.records.validation import first_fault
from genprm.records.verdicts import JudgedSolution, JudgedStepRow, VerdictRow
from genprm.verdict import StepVerdict, Vote
from genprm.viewer.documents import (
    Candidate,
    CodeRun,
    Document,
    StepView,
    TreeNode,
    Turn,
    VoteView,
    label_of,
)


def read_document(line: bytes | str, index: int) -> Document:
    """The document of one line of a run file, whatever it contains."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _unreadable(index, f"not JSON: {error}")
    if not isinstance(row, dict):
        return _unreadable(index, "not a JSON object")
    identity = row.get("id", row.get("row", row.get("key", "")))
    try:
        for fields, read in _READERS:
            if fields <= row.keys():
                return read(row).model_copy(update={"index": index})
    except ValidationError as error:
        return _unreadable(index, first_fault(error), str(identity))
    except (ValueError, IndexError, RecursionError) as error:
        return _unreadable(index, f"the row contradicts itself: {error}", str(identity))
    return _unreadable(index, "not a row that a command of genprm writes", str(identity))


def vote_view(vote: Vote) -> VoteView:
    """One vote; `evidence.mark_vote` adds the comparison that decided it."""
    return VoteView(
        reward=vote.reward,
        label=vote.label,
        analysis=vote.analysis,
        runs=tuple(CodeRun(code=r.code, output=r.output, status=r.status) for r in vote.runs),
        flags=tuple(flag.value for flag in vote.flags),
        text=vote.text,
        usage=vote.usage,
        cause=vote.cause,
        label_mass=vote.label_mass,
    )


def step_view(text: str, step: StepVerdict) -> StepView:
    """One step's verdict."""
    return StepView(
        text=text,
        reward=step.reward,
        label=step.label,
        wanted=step.wanted,
        votes=tuple(map(vote_view, step.votes)),
        model=_named(step.model) if step.model else None,
        screening=step_view(text, step.screening) if step.screening else None,
    )


def _named(model: ModelIdentity) -> str:
    return f"{model.name}, by {model.engine} {model.engine_version}".rstrip()


def _unreadable(index: int, cause: str, identity: str = "") -> Document:
    return Document(kind="unreadable", index=index, id=identity or f"row {index}", failed=cause)


def _judged_steps(steps: Sequence[JudgedStepRow], unjudged: Sequence[str]) -> tuple[StepView, ...]:
    views = [step_view(step.text, step.verdict()) for step in steps]
    return (*_reviewed(views), *(StepView(text=text, judged=False) for text in unjudged))


def _reviewed(steps: Sequence[StepView]) -> Iterator[StepView]:
    """The steps; votes without a text are led to the step with that of their whole review."""
    at: dict[int, int] = {}  # the last step at which the vote of this place has a text
    for place, step in enumerate(steps):
        votes = []
        for index, vote in enumerate(step.votes):
            if vote.text:
                at[index] = place
            holder = None if vote.text or vote.cause else at.get(index)
            votes.append(vote.model_copy(update={"review_at": holder}))
        yield step.model_copy(update={"votes": tuple(votes)})


def _solution(row: JudgedSolution, label: int | None) -> Document:
    return Document(
        kind="solution",
        id=row.id,
        problem=row.problem,
        first_error=row.first_error,
        label=label,
        failed=row.failed,
        usage=row.usage,
        steps=_judged_steps(row.steps, row.unjudged_steps),
    )


def _verified(fields: JsonObject) -> Document:
    label = fields.get("label")
    known = label if isinstance(label, int) and not isinstance(label, bool) else None
    return _solution(VerdictRow.model_validate(fields), known)


def _evaluated(fields: JsonObject) -> Document:
    row = EvaluatedRow.model_validate(fields)
    return _solution(row, row.label).model_copy(update={"critiques": row.critiques})


def _problem(kind: str, row: ProblemRow, **more: object) -> Document:
    cost = row.cost.policy + row.cost.verifier
    return Document.model_validate(
        {
            "kind": kind,
            "id": row.id,
            "problem": row.problem,
            "answer": row.answer,
            "failed": row.failed,
            "usage": cost,
            **more,
        }
    )


def _correct(row: ProblemRow, index: int) -> bool | None:
    if row.correct is None or index in row.undecided or index >= len(row.correct):
        return None
    return row.correct[index]


def _extracted(row: ProblemRow, index: int) -> str | None:
    return row.extracted[index] if index < len(row.extracted) else None


def _rewards_only(text: str, reward: float | None, votes: Sequence[float | None]) -> StepView:
    return StepView(
        text=text,
        reward=reward,
        label=label_of(reward),
        judged=reward is not None or bool(votes),
        wanted=len(votes),
        votes=tuple(VoteView(reward=vote, label=label_of(vote)) for vote in votes),
    )


def _pool(fields: JsonObject) -> Document:
    row = PoolRow.model_validate(fields)
    number = count()
    steps, candidates = [], []
    for index, sample in enumerate(row.samples):
        steps += [StepView(text=text, judged=False) for text in sample.steps]
        path = tuple(next(number) for _ in sample.steps)
        candidates.append(_candidate(row, index, path, {}, None))
    return _problem("pool", row, steps=tuple(steps), candidates=tuple(candidates))


def _ranking(fields: JsonObject) -> Document:
    row = RankingRow.model_validate(fields)
    texts: dict[int, str] = {}
    for sample, path in zip(row.samples, row.paths, strict=False):
        texts.update(zip(path, sample.steps, strict=False))
    steps = tuple(
        _rewards_only(texts.get(number, ""), node.reward, node.votes)
        for number, node in enumerate(row.judged)
    )
    candidates = tuple(
        _candidate(row, index, path, row.choices, row.choice)
        for index, path in enumerate(row.paths)
    )
    return _problem("pool", row, steps=steps, candidates=candidates)


def _candidate(
    row: PoolRow,
    index: int,
    path: tuple[int, ...],
    choices: Mapping[str, int | None],
    choice: int | None,
) -> Candidate:
    return Candidate(
        steps=path,
        text=row.responses[index] if index < len(row.responses) else "",
        answer=_extracted(row, index),
        correct=_correct(row, index),
        chosen=choice == index,
        chosen_by=tuple(name for name, chosen in choices.items() if chosen == index),
    )


def _refinement(fields: JsonObject) -> Document:
    row = RefinementRow.model_validate(fields)
    steps: list[StepView] = []
    turns = []
    for index, turn in enumerate(row.turns):
        own = _judged_steps(turn.steps or (), turn.unjudged_steps)
        if turn.steps is None and not own:
            own = tuple(StepView(text=text, judged=False) for text in turn.sample.steps)
        turns.append(
            Turn(
                request=turn.request,
                text=turn.text,
                steps=tuple(range(len(steps), len(steps) + len(own))),
                score=turn.score,
                first_error=turn.first_error,
                answer=_extracted(row, index),
                correct=_correct(row, index),
                chosen=index == row.choice,
            )
        )
        steps += own
    chosen = turns[row.choice].first_error if 0 <= row.choice < len(turns) else None
    return _problem(
        "refinement",
        row,
        first_error=chosen,
        stop=row.ended,
        steps=tuple(steps),
        turns=tuple(turns),
    )


def _search(fields: JsonObject) -> Document:
    row = SearchRow.model_validate(fields)
    parents = {node.id: node.parent for node in row.tree}
    chosen: set[int] = set()
    at = row.leaves[row.choice] if row.choice is not None and row.choice < len(row.leaves) else 0
    while at in parents and at not in chosen:
        chosen.add(at)
        at = parents[at]
    steps = tuple(_rewards_only(node.step, node.reward, node.votes) for node in row.tree)
    tree = tuple(
        TreeNode(
            id=node.id,
            parent=node.parent,
            step=number,
            value=node.value,
            complete=node.complete,
            kept=node.kept,
            on_choice=node.id in chosen,
        )
        for number, node in enumerate(row.tree)
    )
    candidates = tuple(
        Candidate(
            text=text,
            answer=_extracted(row, index),
            correct=_correct(row, index),
            chosen=index == row.choice,
            chosen_by=tuple(name for name, best in row.choices.items() if best == index),
        )
        for index, text in enumerate(row.responses)
    )
    return _problem("search", row, stop=row.ended, steps=steps, tree=tree, candidates=candidates)


def _failed(fields: JsonObject) -> Document:
    row = FailedRow.model_validate(fields)
    return Document(kind="failed", id=row.id, problem=row.problem, failed=row.failed)


_READERS: Sequence[tuple[set[str], Callable[[JsonObject], Document]]] = (
    ({"turns", "problem"}, _refinement),
    ({"tree", "problem"}, _search),
    ({"judged", "paths"}, _ranking),
    ({"responses", "samples"}, _pool),
    ({"steps", "first_error", "label", "subset"}, _evaluated),
    ({"steps", "first_error", "problem"}, _verified),
    ({"kind", "failed", "row"}, _failed),
)
