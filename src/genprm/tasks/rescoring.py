"""Stored verdicts under another rule, without a model: threshold, votes, aggregation.

With fewer votes, the first ones of each step count, as in a run with that many votes. Such a run
gives the same rows byte for byte, as long as it keeps the same vote as history for the next step;
`kept_differs` counts the steps where it would not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from genprm.records.record import Record, Text
from genprm.records.searches import SearchRow, TreeNodeRow
from genprm.records.verdicts import JudgedStepRow, VerdictRow, failure
from genprm.verdict import THRESHOLD, SolutionVerdict, StepVerdict, first_error, total
from genprm.verify.aggregate import Aggregate
from genprm.verify.voting import representative


@dataclass(frozen=True, slots=True)
class Rule:
    """How stored votes are evaluated.

    Args:
        threshold: the reward from which on a step is correct.
        votes: at most this many of each step's votes count; None uses all.
        score: how step rewards become the solution's score; None adds no score.
        stop_at_first_error: whether to leave out the verdicts after the first wrong step.
    """

    threshold: float = THRESHOLD
    votes: int | None = None
    score: Aggregate | None = None
    stop_at_first_error: bool = False

    def row(self, row: VerdictRow) -> VerdictRow:
        """The row of `genprm verify` under this rule."""
        steps = [self._step(step) for step in row.steps]
        labels = [self._label(step.reward) for step in steps]
        first = first_error(labels)
        stop = self.stop_at_first_error and first is not None and first >= 0
        count = (first or 0) + 1 if stop else len(steps)
        texts = [step.text for step in row.steps]
        verdict = SolutionVerdict(row.id, tuple(steps[:count]))
        usage = total(step.usage for step in verdict.steps)
        same = usage == total(step.verdict().usage for step in row.steps)
        changed: dict[str, object] = {
            "steps": tuple(
                JudgedStepRow.of_step(text, step).model_copy(update={"label": label})
                for text, step, label in zip(texts, verdict.steps, labels, strict=False)
            ),
            "unjudged_steps": (*texts[count:], *row.unjudged_steps),
            "first_error": first,
            "usage": row.usage if same else usage,
            "failed": failure(verdict),
        }
        if self.score is not None:
            changed["score"] = self.score.score([step.reward for step in verdict.steps])
        return row.model_copy(update=changed)

    def kept_differs(self, row: VerdictRow) -> int:
        """The number of steps before the last whose kept vote changes with fewer votes."""
        whole = [step.verdict() for step in row.steps[:-1]]
        return sum(representative(step) != representative(self._cut(step)) for step in whole)

    def _step(self, step: JudgedStepRow) -> StepVerdict:
        return self._cut(step.verdict())

    def _cut(self, step: StepVerdict) -> StepVerdict:
        if self.votes is None:
            return step
        wanted = min(step.wanted, self.votes)
        return replace(step, votes=step.votes[: self.votes], wanted=wanted)

    def _label(self, reward: float | None) -> bool | None:
        return None if reward is None else reward >= self.threshold


class ScoreRecord(Record):
    """A solution's score as inspect_ai's `precomputed_scores` reads it; others have their places.

    `value` is the score that was asked for, or 1 where no step is wrong and 0 where one is.
    """

    id: Text  # of the sample
    value: float
    explanation: Text | None  # analysis of the first wrong step
    metadata: Mapping[str, JsonValue]  # first_error, and rewards of the steps


def score_record(row: VerdictRow, score: Aggregate | None = None) -> ScoreRecord | None:
    """The record of a row; None where it has no score: inspect_ai leaves the sample unscored."""
    rewards = [step.reward for step in row.steps]
    first = row.first_error
    value = (None if first is None else float(first < 0)) if score is None else score.score(rewards)
    if value is None or row.failed is not None:
        return None
    wrong = row.steps[first].verdict() if first is not None and first >= 0 else None
    kept = None if wrong is None else representative(wrong)
    said = wrong.votes[kept].analysis if wrong is not None and kept is not None else None
    return ScoreRecord(
        id=row.id,
        value=value,
        explanation=said,
        metadata={"first_error": first, "step_rewards": list(rewards)},
    )


class SearchPathRow(Record):
    """One path of a search tree from its root to a leaf, with a reward and a value for each step.

    `rewards` and `values` [steps] are the verifier's mean reward, and the value for the selection.
    """

    id: Text  # id of the problem and of the leaf
    problem: Text  # text of the problem
    leaf: int  # tree node in which the path ends
    complete: bool  # whether the path is a whole solution
    steps: tuple[Text, ...]  # texts of the steps
    rewards: tuple[float | None, ...]  # the verifier's mean reward of each step
    values: tuple[float | None, ...]  # value by which the search selected each step
    score: float | None  # score of the path


def paths(row: SearchRow, score: Aggregate = Aggregate.MIN) -> Iterator[SearchPathRow]:
    """Every path of a search tree from the root to a leaf, for training on trees."""
    nodes = {node.id: node for node in row.tree}
    parents = {node.parent for node in row.tree}
    for node in row.tree:
        if node.id in parents:
            continue
        path = _path(nodes, node)
        yield SearchPathRow(
            id=row.id,
            problem=row.problem,
            leaf=node.id,
            complete=node.complete,
            steps=tuple(one.step for one in path),
            rewards=tuple(one.reward for one in path),
            values=tuple(one.value for one in path),
            score=score.score([one.reward for one in path]),
        )


def _path(nodes: dict[int, TreeNodeRow], leaf: TreeNodeRow) -> Sequence[TreeNodeRow]:
    path = [leaf]
    while path[-1].parent in nodes:
        path.append(nodes[path[-1].parent])
    return path[::-1]
