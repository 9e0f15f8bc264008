"""What rank, refine and search found, as rows of JSON: self-contained, every vote's reward kept.

A ranking's row is also a pool row (`responses`, `extracted`, `correct`, `prm_step_scores`), so
`genprm evaluate best-of-n` reads it, and every smaller N and fewer votes can be read out of it.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from genprm.answer import AnswerChecker, extract_answer
from genprm.problem import Problem
from genprm.scale import pool as pools
from genprm.scale.best_of_n import Candidate, Method, choose, cost
from genprm.scale.pool import Pool, final_answer
from genprm.scale.refine import Critic, Refinement, Turn
from genprm.scale.search import Found
from genprm.verdict import StepVerdict
from genprm.verify.aggregate import Aggregate
from genprm.verify.rows import to_row as verdict_row

Row = dict[str, Any]
SCORER = "genprm"  # our name among a pool's scorers


def ranking_row(
    row: int,
    pool: Pool,
    candidates: Sequence[Candidate],
    *,
    method: Method,
    score: Aggregate,
    checker: AnswerChecker,
) -> Row:
    """A judged pool with every method's choice; `choice` is the asked method's. Blocks."""
    answers = [candidate.answer for candidate in candidates]
    groups = checker.classes(answers)
    choices: dict[str, int | None] = {
        Method.MAJORITY.value: choose(Method.MAJORITY, groups, [None] * len(groups))
    }
    for aggregate in Aggregate:
        scores = [candidate.score(aggregate) for candidate in candidates]
        for ranked in (Method.BEST_OF_N, Method.WEIGHTED):
            choices[f"{ranked} {aggregate}"] = choose(ranked, groups, scores)
    asked = method.value if method is Method.MAJORITY else f"{method} {score}"
    choice = choices[asked]
    return {
        **pools.to_row(row, pool),
        "extracted": answers,
        "groups": groups,
        **pools.graded(pool.problem, answers, checker),
        "prm_step_scores": {SCORER: [[s.reward for s in c.steps] for c in candidates]},
        **_judged(candidates),
        "choices": choices,
        "choice": choice,
        "choice_answer": None if choice is None else answers[choice],
        "cost": cost(candidates).row(),
    }


def refinement_row(
    row: int, problem: Problem, refinement: Refinement, *, critic: Critic, checker: AnswerChecker
) -> Row:
    """The whole dialogue with every vote. Blocks."""
    answers = [final_answer(turn.sample) for turn in refinement.turns]
    return {
        "id": problem.id,
        "row": row,
        "problem": problem.text,
        "answer": problem.answer,
        "turns": [_turn(index, turn) for index, turn in enumerate(refinement.turns)],
        "extracted": answers,
        **pools.graded(problem, answers, checker),
        "critic": critic.value,
        "ended": refinement.ended.value,
        "choice": refinement.chosen,
        "choice_answer": answers[refinement.chosen],
        "cost": refinement.cost.row(),
    }


def search_row(row: int, problem: Problem, found: Found, *, checker: AnswerChecker) -> Row:
    """The tree, and the solutions found, best first. Blocks."""
    texts = [
        *("\n\n".join(leaf.steps) for leaf in found.leaves),
        *([found.unguided.text] if found.unguided else []),
    ]
    answers = [extract_answer(text) for text in texts]
    groups = checker.classes(answers)
    values = [*(leaf.value for leaf in found.leaves), *([None] if found.unguided else [])]
    weighted = choose(Method.WEIGHTED, groups, values)
    return {
        "id": problem.id,
        "row": row,
        "problem": problem.text,
        "answer": problem.answer,
        "responses": texts,
        "leaves": [leaf.id for leaf in found.leaves],
        "unguided": None if found.unguided is None else pools.sample_row(found.unguided),
        "extracted": answers,
        **pools.graded(problem, answers, checker),
        "choices": {"best": 0 if texts else None, Method.WEIGHTED.value: weighted},
        "choice": 0 if texts else None,
        "choice_answer": answers[0] if answers else None,
        "ended": found.ended.value,
        "tree": found.tree.rows(),
        "cost": found.cost.row(),
    }


def _judged(candidates: Sequence[Candidate]) -> Row:
    """Every judged step once, `judged`; and the path of each candidate through them."""
    places: dict[tuple[str, ...], int] = {}
    nodes: list[Row] = []
    paths: list[list[int]] = []
    for candidate in candidates:
        path = []
        for end, step in enumerate(candidate.steps, start=1):
            prefix = candidate.sample.steps[:end]
            if prefix not in places:
                places[prefix] = len(nodes)
                nodes.append(_step(step))
            path.append(places[prefix])
        paths.append(path)
    return {"judged": nodes, "paths": paths}


def _step(step: StepVerdict) -> Row:
    return {
        "reward": step.reward,
        "label": step.label,
        "wanted": step.wanted,
        "votes": [vote.reward for vote in step.votes],
        "tokens": [vote.usage.tokens_out for vote in step.votes],
        "usage": asdict(step.usage),
    }


def _turn(index: int, turn: Turn) -> Row:
    judged: Row = {}
    if turn.verdict is not None:
        solution = pools.to_solution(turn.sample)
        full = verdict_row(index, solution, turn.verdict)
        judged = {name: full[name] for name in ("first_error", "steps", "unjudged_steps")}
    return {
        "request": turn.request,
        "text": turn.sample.text,
        "sample": pools.sample_row(turn.sample),
        "score": turn.score,
        **judged,
        "cost": turn.cost.row(),
    }
