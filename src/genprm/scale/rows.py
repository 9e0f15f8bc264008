"""The results of ranking, refining and searching as rows that hold every vote's reward."""

from collections.abc import Sequence

from genprm.answer import AnswerChecker, extract_answer
from genprm.pools import Pool
from genprm.problem import Problem
from genprm.records.pools import ProblemRow
from genprm.records.rankings import NodeRow, RankingRow
from genprm.records.refinements import RefinementRow, TurnRow
from genprm.records.searches import SearchRow
from genprm.records.verdicts import JudgedStepRow
from genprm.scale.best_of_n import Candidate, choose, cost
from genprm.scale.methods import Critic, Method
from genprm.scale.pool import final_answer, grade, pool_row, sample_row
from genprm.scale.refine import Refinement, RefinementTurn
from genprm.scale.search import Found
from genprm.verdict import StepVerdict
from genprm.verify.aggregate import Aggregate

SCORER = "genprm"  # our name among a pool's scorers


def ranking_row(
    row: int,
    pool: Pool,
    candidates: Sequence[Candidate],
    *,
    method: Method,
    score: Aggregate,
    checker: AnswerChecker,
) -> RankingRow:
    """A judged pool with every method's choice; `choice` is the requested method's. Blocks."""
    graded = pool_row(row, pool, checker)
    groups = checker.classes(graded.extracted)
    choices = _choices(candidates, groups)
    choice = choices[method.value if method is Method.MAJORITY else f"{method} {score}"]
    judged, paths = _judged(candidates)
    rewards = tuple(tuple(step.reward for step in one.steps) for one in candidates)
    found = {
        "groups": groups,
        "prm_step_scores": {SCORER: rewards},
        "judged": judged,
        "paths": paths,
        "choices": choices,
        "choice": choice,
        "choice_answer": None if choice is None else graded.extracted[choice],
        "cost": cost(candidates),
    }
    return RankingRow.model_validate({**_fields(graded), **found})


def refinement_row(
    row: int, problem: Problem, refinement: Refinement, *, critic: Critic, checker: AnswerChecker
) -> RefinementRow:
    """The whole dialogue with every vote. Blocks."""
    answers = tuple(final_answer(turn.sample) for turn in refinement.turns)
    correct, undecided = grade(problem, answers, checker)
    return RefinementRow(
        id=problem.id,
        row=row,
        problem=problem.text,
        answer=problem.answer,
        extracted=answers,
        correct=correct,
        undecided=undecided,
        turns=tuple(map(_turn, refinement.turns)),
        critic=critic.value,
        ended=refinement.ended.value,
        choice=refinement.chosen,
        choice_answer=answers[refinement.chosen],
        cost=refinement.cost,
    )


def search_row(row: int, problem: Problem, found: Found, *, checker: AnswerChecker) -> SearchRow:
    """The tree, and the solutions found, best first. Blocks."""
    unguided = [found.unguided] if found.unguided else []
    texts = (
        *("\n\n".join(leaf.steps) for leaf in found.leaves),
        *(sample.text for sample in unguided),
    )
    answers = tuple(extract_answer(text) for text in texts)
    correct, undecided = grade(problem, answers, checker)
    values = [*(leaf.value for leaf in found.leaves), *(None for _ in unguided)]
    weighted = choose(Method.WEIGHTED, checker.classes(answers), values)
    best = 0 if texts else None
    return SearchRow(
        id=problem.id,
        row=row,
        problem=problem.text,
        answer=problem.answer,
        extracted=answers,
        correct=correct,
        undecided=undecided,
        responses=texts,
        leaves=tuple(leaf.id for leaf in found.leaves),
        unguided=sample_row(found.unguided) if found.unguided else None,
        choices={"best": best, Method.WEIGHTED.value: weighted},
        choice=best,
        choice_answer=answers[0] if answers else None,
        ended=found.ended.value,
        tree=found.tree.rows(),
        cost=found.cost,
    )


def _choices(
    candidates: Sequence[Candidate], groups: Sequence[int | None]
) -> dict[str, int | None]:
    """Every method's choice, by the method's name."""
    choices = {Method.MAJORITY.value: choose(Method.MAJORITY, groups, [None] * len(groups))}
    for aggregate in Aggregate:
        scores = [candidate.score(aggregate) for candidate in candidates]
        for ranked in (Method.BEST_OF_N, Method.WEIGHTED):
            choices[f"{ranked} {aggregate}"] = choose(ranked, groups, scores)
    return choices


def _judged(
    candidates: Sequence[Candidate],
) -> tuple[tuple[NodeRow, ...], tuple[tuple[int, ...], ...]]:
    """Every judged step once, and the path of each candidate through them."""
    places: dict[tuple[str, ...], int] = {}
    nodes: list[NodeRow] = []
    paths: list[tuple[int, ...]] = []
    for candidate in candidates:
        path = []
        for end, step in enumerate(candidate.steps, start=1):
            prefix = candidate.sample.steps[:end]
            if prefix not in places:
                places[prefix] = len(nodes)
                nodes.append(_node(step))
            path.append(places[prefix])
        paths.append(tuple(path))
    return tuple(nodes), tuple(paths)


def _node(step: StepVerdict) -> NodeRow:
    return NodeRow(
        reward=step.reward,
        label=step.label,
        wanted=step.wanted,
        votes=tuple(vote.reward for vote in step.votes),
        tokens=tuple(vote.usage.tokens_out for vote in step.votes),
        usage=step.usage,
    )


def _turn(turn: RefinementTurn) -> TurnRow:
    verdict = turn.verdict
    judged = verdict.steps if verdict else ()
    texts = zip(turn.sample.steps, judged, strict=False)
    steps = tuple(JudgedStepRow.of_step(text, step) for text, step in texts)
    return TurnRow(
        request=turn.request,
        text=turn.sample.text,
        sample=sample_row(turn.sample),
        score=turn.score,
        first_error=verdict.first_error if verdict else None,
        steps=steps if verdict else None,
        unjudged_steps=turn.sample.steps[len(judged) :] if verdict else (),
        cost=turn.cost,
    )


def _fields(row: ProblemRow) -> dict[str, object]:
    """The fields of a record by name, unchanged."""
    return {name: getattr(row, name) for name in type(row).model_fields}
