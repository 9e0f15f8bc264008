"""A curation without engines: sums, a policy and a teacher that answer by hash; also as a program.

`python fake_curation.py DIR` runs every stage in DIR, a little slowly, so that it can be killed.
"""

import asyncio
import random
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from genprm.answer import AnswerChecker
from genprm.curate.critique import ModelTeacher
from genprm.curate.dialogue import CritiqueSettings
from genprm.curate.folder import Folder
from genprm.curate.pipeline import Pipeline
from genprm.curate.recipe import Curation
from genprm.curate.stages import Stage
from genprm.curate.teacher import Teacher
from genprm.errors import RequestFailed
from genprm.model import Choice, Completion, Finish, Message, ModelIdentity, Sampling
from genprm.policy import Policy
from genprm.problem import Problem
from genprm.recipe import check_recipe
from genprm.sandbox import RunResult, RunStatus

CONTENT = {
    "name": "fake",
    "problems": "sums",
    "seed": 7,
    "solutions": {
        "model": "sums",
        "correct": 2,
        "incorrect": 2,
        "max_samples": 24,
        "batch_size": 4,
    },
    "rollouts": {
        "model": "sums",
        "bands": [
            {"below": 0.5, "completions": 6},
            {"below": 1.0, "completions": 4},
        ],
    },
    "rationales": {"teacher": "sums", "thinks": False, "samples": 2},
    "consensus": {"agreement": "any"},
    "chats": {"modes": ["genprm", "direct"]},
}


def recipe(**changes: dict[str, object]) -> Curation:
    content = {**CONTENT, **{k: {**CONTENT.get(k, {}), **v} for k, v in changes.items()}}  # type: ignore[dict-item]
    return check_recipe(content, Curation, origin="test")


def sums(count: int = 6) -> list[Problem]:
    problems = []
    for index in range(count):
        terms = [index + 2, 2 * index + 1, 7, index * index + 3][: 3 + index % 2]
        problems.append(Problem(f"s{index}", " + ".join(map(str, terms)), str(sum(terms))))
    return problems


class Adder:
    """Adds step by step and errs one time in five; as a teacher, checks with code."""

    name = "adder"
    context_length = 100_000
    identity = ModelIdentity("adder", "scripted")

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.asked = 0
        self.refused: str | None = None  # a part of the prompts that fail

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        turns = "".join(f"<{turn['role']}>{turn['content']}" for turn in messages)
        return turns + ("<assistant>" if generation_prompt else "")

    def literal(self, text: str) -> str:
        return text.replace("<|", "< |")

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.refused and "[Solution]" in prompt and self.refused in prompt:
            raise RequestFailed("refused")
        teaches = "[Solution]" in prompt
        text = self.teach(prompt) if teaches else self.solve(prompt, random.Random(seed))
        at = min((text.index(end) for end in stop if end in text), default=-1)
        tokens = len(prompt) // 4
        if at < 0:
            return Completion(text, Finish.EOS, None, tokens, len(text) // 4)
        return Completion(text[:at], Finish.STOP, stop[0], tokens, at // 4)

    def solve(self, prompt: str, rng: random.Random) -> str:
        question, _, written = prompt.partition("<assistant>")
        terms = [int(term) for term in re.findall(r"\d+", question)]
        found = re.findall(r"= (\d+)\.", written)
        total, step = (int(found[-1]), len(found) + 1) if found else (terms[0], 1)
        text = ""
        while step < len(terms):
            result = total + terms[step] + (rng.random() < 0.2) * rng.choice((-1, 1, 10))
            opening = f"Step {step}:" if text else ""
            text += f"{opening} {total} + {terms[step]} = {result}."
            step, total = step + 1, result
            text += "\n\n" if step < len(terms) else f" The answer is {total}."
        return text

    def teach(self, prompt: str) -> str:
        """Checks one paragraph after the other; believes that 7s are hard, and errs on them."""
        asked, _, written = prompt.partition("<assistant>")
        problem = asked.split("[Math Problem]")[1].split("[Solution]")[0]
        terms = [int(term) for term in re.findall(r"\d+", problem)]
        paragraphs = re.findall(r"<paragraph_\d+>\n(.*?)\n</paragraph_\d+>", asked, re.DOTALL)
        done = written.count("[Code Output]")
        text = ""
        if done:
            left, result = re.findall(r"(\d+) \+ \d+ = (\d+)\.", paragraphs[done - 1])[0]
            wrong = int(result) != int(left) + terms[done] or int(result) % 10 == 7
            text = f"The code {'denies' if wrong else 'confirms'} it.\n</verify>\n\n"
            if wrong or done == len(paragraphs):
                return text + rf"The first error: \boxed{{{done if wrong else -1}}}"
        left = re.findall(r"(\d+) \+ \d+ = \d+\.", paragraphs[done])[0]
        return text + (
            f"### Paragraph {done + 1}\n<analyze>\nIt adds {terms[done + 1]}.\n</analyze>\n"
            f"<verify>\nLet's see.\n```python\nprint({left} + {terms[done + 1]})\n```\n"
        )

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        raise AssertionError("nobody judges here")

    async def close(self) -> None:
        pass


class Calculator:
    """A sandbox for `print(a + b)` alone."""

    def session(self) -> "Calculator":
        return self

    async def run(self, code: str, timeout: float = 5.0) -> RunResult:
        left, right = re.findall(r"\d+", code)
        return RunResult(f"{int(left) + int(right)}\n", RunStatus.OK)

    async def fork(self) -> "Calculator":
        return self

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> "Calculator":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class FakeEngines:
    def __init__(self, used: Curation, *, problems: int = 6, delay: float = 0.0) -> None:
        self.recipe = used
        self.count = problems
        self.model = Adder(delay)

    def problems(self) -> list[Problem]:
        return sums(self.count)

    @asynccontextmanager
    async def policy(self) -> AsyncIterator[Policy]:
        yield Policy(self.model, self.recipe.solutions.policy_settings())

    @asynccontextmanager
    async def completer(self) -> AsyncIterator[Policy]:
        yield Policy(self.model, self.recipe.rollouts.policy_settings())

    @asynccontextmanager
    async def teacher(self) -> AsyncIterator[Teacher]:
        settings = CritiqueSettings(thinks=self.recipe.rationales.thinks)
        yield ModelTeacher(self.model, Calculator(), settings)

    def checker(self) -> AnswerChecker:
        return AnswerChecker()


def curate(folder: Path, used: Curation | None = None, *, delay: float = 0.0) -> FakeEngines:
    """Every stage, in order."""
    chosen = used or recipe()
    engines = FakeEngines(chosen, delay=delay)
    pipeline = Pipeline(chosen, Folder(folder), engines)

    async def run() -> None:
        for stage in Stage:
            await pipeline.run(stage)

    asyncio.run(run())
    return engines


if __name__ == "__main__":
    curate(Path(sys.argv[1]), delay=0.004)
