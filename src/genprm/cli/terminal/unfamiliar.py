"""A warning, once a run, where the shipped model alone judges text unlike its training texts."""

from collections.abc import Iterable

import typer

from genprm.cli.terminal.rows import counted
from genprm.compose import JudgeChoice, shipped_domain
from genprm.verify.domain import UNFAMILIAR
from genprm.verify.settings import Settings


def warn_of_unfamiliar(choice: JudgeChoice, settings: Settings, problems: Iterable[str]) -> None:
    """Count the problems that the judge was not made for, on standard error; most judges know none.

    The model gives such problems confident rewards all the same.
    """
    domain = shipped_domain(choice, settings)
    if domain is None:
        return
    nearness = [domain.nearness((problem,)) for problem in problems]
    unlike = sum(share < UNFAMILIAR for share in nearness)
    if unlike:
        typer.echo(
            f"genprm: warning: {unlike:,} of {counted(len(nearness), 'problem')} unlike the "
            "generated arithmetic that the shipped model was trained on (there it has seen less "
            f"than {100 * UNFAMILIAR:.0f} % of the pairs of neighbouring words); do not rely on "
            "these verdicts; fix: leave out --model, and --mode, so that code judges what it can, "
            "or name a model that knows such text",
            err=True,
        )
