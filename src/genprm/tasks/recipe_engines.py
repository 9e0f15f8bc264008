"""The engines of a curation, built from the names in its recipe.

Two names belong to the built-in domain: `problems = "arithmetic:COUNT"`, and
`teacher = "arithmetic:scripted[:ERRORS]"`, where ERRORS is the share of wrong critiques.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from genprm.answer import AnswerChecker
from genprm.bad_rows import BadRows
from genprm.compose import ModelChoice, open_model, open_policy
from genprm.curate.critique import ModelTeacher
from genprm.curate.dialogue import CritiqueSettings
from genprm.curate.problems import read_problems
from genprm.curate.recipe import Curation, Writer
from genprm.curate.teacher import Teacher
from genprm.errors import InputError
from genprm.policy import Policy
from genprm.problem import Problem
from genprm.sandboxes.load import load_sandbox

_DOMAIN = "arithmetic:"


class RecipeEngines:
    """Opens each engine by its name when a stage needs it."""

    def __init__(
        self, recipe: Curation, *, api_key: str | None, sandbox: str, bad: BadRows | None = None
    ) -> None:
        self._recipe = recipe
        self._bad = bad
        self._problems: list[Problem] | None = None  # read once, so that bad rows are told once
        self._api_key = api_key
        self._sandbox = sandbox

    def problems(self) -> list[Problem]:
        """See `Engines`."""
        source = self._recipe.problems
        if not source.startswith(_DOMAIN):
            if self._problems is None:
                self._problems = read_problems(source, self._bad)
            return self._problems
        from genprm.tasks.arithmetic_teacher import draw_problems

        return draw_problems(self._recipe.seed, _count(source))

    @asynccontextmanager
    async def policy(self) -> AsyncIterator[Policy]:
        """See `Engines`."""
        async with self._open(self._recipe.solutions) as policy:
            yield policy

    @asynccontextmanager
    async def completer(self) -> AsyncIterator[Policy]:
        """See `Engines`."""
        async with self._open(self._recipe.rollouts) as completer:
            yield completer

    @asynccontextmanager
    async def teacher(self) -> AsyncIterator[Teacher]:
        """See `Engines`."""
        settings = self._recipe.rationales
        if settings.teacher.startswith(_DOMAIN):
            from genprm.tasks.arithmetic_teacher import scripted_teacher

            yield scripted_teacher(settings.teacher)
            return
        choice = ModelChoice(
            settings.teacher, _path(settings.chat_template), self._api_key, settings.engine_args
        )
        async with load_sandbox(self._sandbox) as sandbox, open_model(choice) as model:
            yield ModelTeacher(
                model,
                sandbox,
                CritiqueSettings(
                    settings.thinks,
                    settings.max_tokens,
                    settings.code_rounds,
                    settings.code_timeout,
                    settings.sampling(),
                ),
            )

    def checker(self) -> AnswerChecker:
        """See `Engines`."""
        return AnswerChecker(workers=2)

    def _open(self, writer: Writer) -> AbstractAsyncContextManager[Policy]:
        choice = ModelChoice(
            writer.model, _path(writer.chat_template), self._api_key, writer.engine_args
        )
        return open_policy(choice, writer.policy_settings())


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _count(source: str) -> int:
    number = source.removeprefix(_DOMAIN)
    if not number.isdigit() or int(number) == 0:
        raise InputError(f"problems {source!r}: fix: arithmetic:COUNT, such as arithmetic:300")
    return int(number)
