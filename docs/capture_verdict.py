"""Draw the README's picture: a real run on a shipped example, captured as SVG.

python docs/capture_verdict.py docs/verdict.svg
"""

import asyncio
import io
import sys

from rich.console import Console

from genprm.cli.terminal.verdicts import SolutionPrinter
from genprm.compose import JudgeChoice, open_judge
from genprm.dataset import read_solutions
from genprm.model import Sampling
from genprm.verify.settings import Settings

EXAMPLE = 0


async def main(target: str) -> None:
    console = Console(
        record=True, width=92, highlight=False, file=io.StringIO(), force_terminal=True
    )
    solution = read_solutions("examples/solutions.jsonl")[EXAMPLE]
    settings = Settings(votes=4, sampling=Sampling(temperature=0.6))
    async with open_judge(JudgeChoice(), settings) as verifier:
        printer = SolutionPrinter([solution], console)
        printer.finish(0, await verifier.verify(solution, on_step=printer.step))
    console.save_svg(target, title="genprm verify examples/solutions.jsonl --votes 4")


asyncio.run(main(sys.argv[1]))
