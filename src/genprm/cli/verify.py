"""`genprm verify`: judge the steps of the solutions in a file."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

import genprm
from genprm.cli import options as cli
from genprm.cli.engine import open_verifier
from genprm.cli.grouping import grouped
from genprm.cli.options import EngineOptions
from genprm.cli.progress import RowProgress
from genprm.cli.show import SolutionPrinter, summary
from genprm.dataset import read_solutions
from genprm.journal import Journal
from genprm.problem import Solution
from genprm.verdict import SolutionVerdict
from genprm.verify.rows import from_row, to_row
from genprm.verify.judge import Settings
from genprm.verify.verifier import Verifier


@grouped
def verify(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON, JSON Lines or text.")],
    judging: cli.JudgingOptions,
    engine: cli.EngineOptions,
    output: cli.Output = None,
    as_json: cli.AsJson = False,
    stop_at_first_error: cli.StopAtFirstError = False,
    concurrency: cli.Concurrency = 16,
) -> None:
    """Judge every step: analyse it, check it with code, and say whether it is right."""
    settings = judging.settings(stop_at_first_error=stop_at_first_error)
    batch = _Batch(source, read_solutions(source), settings, concurrency, as_json)
    asyncio.run(batch.run(engine, output))


@dataclass(frozen=True, slots=True)
class _Batch:
    """One invocation: what to judge, how, and how to show it."""

    source: str
    solutions: Sequence[Solution]
    settings: Settings
    concurrency: int
    as_json: bool

    async def run(self, engine: EngineOptions, output: Path | None) -> None:
        async with open_verifier(engine, self.settings) as verifier:
            if output is not None:
                await self._to_file(verifier, engine, output)
            elif self.as_json:
                await self._to_json(verifier)
            else:
                await self._to_terminal(verifier)

    async def _to_file(self, verifier: Verifier, engine: EngineOptions, output: Path) -> None:
        rows = range(len(self.solutions))
        with Journal(output, self._configuration(verifier, engine), key="row") as journal:
            todo = [row for row in rows if row not in journal]
            with RowProgress("verify", len(rows), done=len(journal)) as progress:
                async for row, verdict in self._verdicts(verifier, todo):
                    journal.append(to_row(row, self.solutions[row], verdict))
                    progress.advance(verdict.usage.tokens_out)
            journal.finish(rows)
            typer.echo(f"{summary(map(from_row, journal.rows()))} → {output}", err=True)
            if self.as_json:
                for finished in journal.rows():
                    typer.echo(json.dumps(finished, ensure_ascii=False))

    async def _to_json(self, verifier: Verifier) -> None:
        waiting: dict[int, str] = {}
        head = 0
        async for row, verdict in self._verdicts(verifier, range(len(self.solutions))):
            waiting[row] = json.dumps(to_row(row, self.solutions[row], verdict), ensure_ascii=False)
            while head in waiting:
                typer.echo(waiting.pop(head))
                head += 1

    async def _to_terminal(self, verifier: Verifier) -> None:
        printer = SolutionPrinter(self.solutions)
        judging = verifier.verify_many(
            enumerate(self.solutions), concurrency=self.concurrency, on_step=printer.step
        )
        async with aclosing(judging) as verdicts:
            async for row, verdict in verdicts:
                printer.finish(row, verdict)

    async def _verdicts(
        self, verifier: Verifier, rows: Sequence[int]
    ) -> AsyncGenerator[tuple[int, SolutionVerdict], None]:
        pairs = ((row, self.solutions[row]) for row in rows)
        async with aclosing(verifier.verify_many(pairs, concurrency=self.concurrency)) as verdicts:
            async for pair in verdicts:
                yield pair

    def _configuration(self, verifier: Verifier, engine: EngineOptions) -> dict[str, Any]:
        """All that decides the rows; a changed one is refused, not mixed in."""
        texts = json.dumps([[s.id, s.problem, *s.steps] for s in self.solutions])
        return {
            "genprm": genprm.__version__,
            "command": "verify",
            "input": sha256(texts.encode()).hexdigest(),
            "model": verifier.model.name,
            "chat_template": engine.chat_template and str(engine.chat_template),
            "settings": asdict(self.settings),
            "cascade": engine.cascade and engine.cascade.read_text(),
        }
