"""Whether a vote should abstain when every block of its code ended in an error.

    genprm evaluate processbench SET.jsonl -m arithmetic --votes 4 -o build/runs/SET
    python benchmarks/code_failed.py build/runs/*

For each set, from stored votes alone: how often labelled steps were judged by such votes and by
others, how often either was wrong, and the first-error F1 when they count and when they abstain,
with 95 % bootstrap intervals over solutions (paired for the difference). Steps behind the first
labelled error have no label and are left out of the error rates.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from genprm.evaluate.intervals import bootstrap_f1, bounds, hits
from genprm.evaluate.metrics import score
from genprm.evaluate.run import stored_rows
from genprm.records.evaluations import EvaluatedRow
from genprm.verdict import Flag, Vote, first_error, label_of

DRAWS, SEED = 2000, 0


def labelled_votes(row: EvaluatedRow) -> Iterator[tuple[Vote, bool]]:
    """Each vote on a step with a true label, and that label."""
    for index, step in enumerate(row.steps):
        if row.label >= 0 and index > row.label:
            return
        for vote in step.votes:
            if vote.reward is not None:
                yield vote, index != row.label


RULES: dict[str, Callable[[Vote], bool]] = {
    "count": lambda vote: False,
    "abstain": lambda vote: True,
    "abstain where they say correct": lambda vote: vote.label is True,
}


def predicted(row: EvaluatedRow, abstains: Callable[[Vote], bool]) -> int | None:
    def counted(vote: Vote) -> float | None:
        return None if Flag.CODE_FAILED in vote.flags and abstains(vote) else vote.reward

    return first_error(label_of([counted(vote) for vote in step.votes]) for step in row.steps)


def error_rate(rows: Sequence[EvaluatedRow], *, failed: bool) -> str:
    """Wrong votes among those that failed (or did not), with an interval over solutions."""
    counts = np.array(
        [
            [
                sum(1 for vote, true in votes if vote.label != true),
                len(votes),
            ]
            for row in rows
            for votes in [
                [
                    pair
                    for pair in labelled_votes(row)
                    if (Flag.CODE_FAILED in pair[0].flags) is failed
                ]
            ]
        ]
    )
    if not counts[:, 1].sum():
        return "none"
    draws = np.random.default_rng(SEED).integers(0, len(rows), (DRAWS, len(rows)))
    wrong, total = counts[draws].sum(axis=1).T
    low, high = np.percentile(100 * wrong[total > 0] / total[total > 0], [2.5, 97.5])
    wrong_votes, votes = counts.sum(axis=0)
    return f"{wrong_votes}/{votes} = {100 * wrong_votes / votes:.1f} % [{low:.1f}, {high:.1f}]"


def table(name: str, rows: Sequence[EvaluatedRow]) -> None:
    labels = [row.label for row in rows]
    print(f"\n{name}: {len(rows)} solutions")
    print(f"  wrong votes, code failed {error_rate(rows, failed=True)}")
    print(f"  wrong votes, others      {error_rate(rows, failed=False)}")
    counting = None
    for rule, abstains in RULES.items():
        found = [predicted(row, abstains) for row in rows]
        scores = score(labels, found)
        draws = bootstrap_f1(name, hits(labels, found)).f1
        counting = draws if counting is None else counting
        print(
            f"  they {rule}: F1 {scores.f1:.1f} {shown(bounds(draws))}, "
            f"minus counting {shown(bounds(draws - counting))}, undecided {found.count(None)}"
        )


def shown(found: Sequence[float] | None) -> str:
    return "-" if found is None else f"[{found[0]:.1f}, {found[1]:.1f}]"


everything: list[EvaluatedRow] = []
for folder in map(Path, sys.argv[1:]):
    rows = list(stored_rows(folder))
    table(folder.name, rows)
    everything += rows
table("all", everything)
