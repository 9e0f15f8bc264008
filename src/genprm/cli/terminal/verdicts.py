"""How verdicts look on a terminal."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import aclosing

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from genprm.cli.terminal.abstentions import Abstentions
from genprm.cli.terminal.rows import Look, counted
from genprm.cli.terminal.visible import plain, visible
from genprm.compose import open_judge
from genprm.problem import Solution
from genprm.records.pools import Cost
from genprm.records.verdicts import VerdictRow
from genprm.sandbox import RunStatus
from genprm.tasks.verifying import VerifyTask
from genprm.verdict import Run, SolutionVerdict, StepVerdict, Vote
from genprm.verify.format import without_tags
from genprm.verify.voting import representative

_WORDS = {
    True: Text("✓ correct", "bold green"),
    False: Text("✗ wrong", "bold red"),
    None: Text("? no label", "bold yellow"),
}


class SolutionPrinter:
    """Prints steps as they finish, one solution after the other.

    Solutions are judged at the same time; verdicts that arrive early wait for their turn.
    """

    def __init__(self, solutions: Sequence[Solution], console: Console | None = None) -> None:
        self._solutions = solutions
        self._console = console or Console(highlight=False)
        self._steps: dict[int, list[StepVerdict]] = defaultdict(list)
        self._finished: dict[int, SolutionVerdict] = {}
        self._head = 0  # the solution being printed
        self._printed = 0  # of its steps

    def step(self, row: int, verdict: StepVerdict) -> None:
        """Take the verdict of the next step of this row."""
        self._steps[row].append(verdict)
        self._flush()

    def finish(self, row: int, verdict: SolutionVerdict) -> None:
        """Take the verdict on the whole solution of this row."""
        self._finished[row] = verdict
        self._flush()

    def _flush(self) -> None:
        while self._head < len(self._solutions):
            self._print_steps()
            verdict = self._finished.pop(self._head, None)
            if verdict is None:
                return
            self._console.print(_conclusion(verdict, len(self._solutions[self._head].steps)))
            self._steps.pop(self._head, None)
            self._head, self._printed = self._head + 1, 0

    def _print_steps(self) -> None:
        solution, steps = self._solutions[self._head], self._steps.get(self._head, [])
        if steps and self._printed == 0:
            title = solution.id or f"solution {self._head + 1}"
            self._console.print(Rule(plain(title, "bold")))
            self._console.print(Panel(plain(solution.problem), title="problem", title_align="left"))
        for index in range(self._printed, len(steps)):
            self._console.print(_step(index, solution, steps[index]))
        self._printed = len(steps)


def _step(index: int, solution: Solution, verdict: StepVerdict) -> RenderableType:
    reward = "—" if verdict.reward is None else f"{verdict.reward:.3f}"
    head = Text.assemble(
        (f"Step {index + 1}/{len(solution.steps)}  ", "bold"),
        _WORDS[verdict.label],
        f"  reward {reward}",
        (_tally(verdict), "dim"),
    )
    parts: list[RenderableType] = [
        head,
        Padding(plain(solution.steps[index]), (0, 0, 0, 2), expand=False),
    ]
    shown = representative(verdict)
    parts += _rationale(verdict.votes[0 if shown is None else shown])
    return Padding(Group(*parts), (0, 0, 1, 0), expand=False)


def _tally(verdict: StepVerdict) -> str:
    if verdict.wanted == 1 and verdict.label is not None:
        return ""
    votes = Counter(vote.label for vote in verdict.votes)
    text = f"  ({votes[True]} correct, {votes[False]} wrong"
    causes = Counter(vote.abstained.value for vote in verdict.votes if vote.abstained)
    text += "".join(f", {count} abstained: {cause}" for cause, count in causes.items())
    return text + f"; {len(verdict.votes)} of {verdict.wanted} votes cast)"


def _rationale(vote: Vote) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if analysis := without_tags(vote.analysis):
        parts.append(Padding(plain(analysis, "italic"), (0, 0, 0, 4), expand=False))
    for run in vote.runs:
        code = Syntax(visible(run.code), "python", theme="ansi_dark", background_color="default")
        parts += [Padding(code, (0, 0, 0, 6)), Padding(_output(run), (0, 0, 0, 6), expand=False)]
    return parts


def _output(run: Run) -> Text:
    style = "cyan" if run.status in (RunStatus.OK, "not_run") else "yellow"
    lines = (run.output or f"({run.status})").splitlines()
    return plain("\n".join(f"→ {line}" for line in lines), style)


def _conclusion(verdict: SolutionVerdict, steps: int) -> RenderableType:
    usage = verdict.usage
    cost = f"{usage.tokens_out:,} tokens, {usage.executions} executions, {usage.seconds:.1f} s"
    if verdict.first_error is None:
        answer = Text("No verdict: a step before the first wrong one has no label.", "bold yellow")
    elif verdict.first_error == -1:
        answer = Text(f"No wrong step in {steps}.", "bold green")
    else:
        index = verdict.first_error
        answer = Text(f"First wrong step: {index + 1} of {steps} (index {index}).", "bold red")
    return Padding(Text.assemble(answer, "  ", (cost, "dim")), (0, 0, 1, 0))


def print_verdicts(task: VerifyTask, solutions: Sequence[Solution], *, concurrency: int) -> None:
    """Judge the solutions and print every step as soon as it is judged."""

    async def run() -> None:
        printer = SolutionPrinter(solutions)
        async with open_judge(task.choice, task.judging) as judge:
            judging = judge.verify_many(
                enumerate(solutions), concurrency=concurrency, on_step=printer.step
            )
            async with aclosing(judging) as verdicts:
                async for row, verdict in verdicts:
                    votes.add(vote for step in verdict.steps for vote in step.votes)
                    printer.finish(row, verdict)

    votes = Abstentions()
    asyncio.run(run())
    if votes.hint:
        Console(stderr=True, highlight=False).print(Text(votes.hint))


def _render(row: VerdictRow) -> RenderableType:
    verdict = row.verdict()
    steps = [_step(index, row.solution, step) for index, step in enumerate(verdict.steps)]
    return Group(*steps, _conclusion(verdict, len(row.solution.steps)))


def _summarise(rows: Iterable[VerdictRow]) -> RenderableType:
    found, votes, failed = Counter[str](), Abstentions(), 0
    for row in rows:
        error = row.first_error
        found["undecided" if error is None else "right" if error < 0 else "wrong"] += 1
        failed += row.failed is not None
        votes.add(vote for step in row.steps for vote in step.votes)
    text = (
        f"{counted(found.total(), 'solution')}: {found['right']} without a wrong step, "
        f"{found['wrong']} with one, {found['undecided']} undecided"
    )
    lines = [text + (f", of which {failed} failed" if failed else ""), votes.hint]
    return Text("\n".join(filter(None, lines)))


def _cost(row: VerdictRow) -> Cost:
    return Cost(verifier=row.usage)


VERDICTS = Look(_render, _summarise, _cost)
