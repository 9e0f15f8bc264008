"""How `genprm evaluate adaptive` reads a run and shows what would have been saved."""

from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from genprm.cli.runs import label_of, verdict_rows
from genprm.errors import InputError
from genprm.evaluate.adaptive import Saving, savings


def read_savings(run: Path, label_field: str) -> list[Saving]:
    """What each rule would have saved in a run with all votes.

    Raises:
        InputError: the file is not such a run.
    """
    rows = verdict_rows(run)
    verdicts = [row.verdict() for row in rows]
    if any(len(step.votes) < step.wanted for verdict in verdicts for step in verdict.steps):
        raise InputError(f"{run}: this run already saved votes; fix: repeat it with --adaptive off")
    labels = [label_of(row, label_field) for row in rows]
    known = [label for label in labels if label is not None]
    return savings(verdicts, known if len(known) == len(labels) else None)


def savings_table(found: list[Saving]) -> Table:
    """The savings, one rule in each line."""
    names = ("rule", "tokens saved", "votes saved", "equal labels", "equal first errors", "F1")
    table = Table(*names, "F1 of all votes", box=SIMPLE)
    for one in found:
        table.add_row(
            one.rule.value if one.error_rate is None else f"{one.rule} {one.error_rate:g}",
            *(
                f"{100 * share:.2f} %"
                for share in (
                    one.tokens_saved,
                    one.votes_saved,
                    one.step_agreement,
                    one.solution_agreement,
                )
            ),
            *("—" if f1 is None else f"{f1:.2f}" for f1 in (one.f1, one.f1_of_all)),
        )
    return table
