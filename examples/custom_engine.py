"""An engine of your own: any object with the methods of `genprm.model.Model`.

    python examples/custom_engine.py

This one has no weights. It writes code for the equations that a step states, and answers No if
one of them turns out to be false. Replace `complete` and `choose` by calls of your own engine.
"""

import asyncio
import re
from collections.abc import Sequence
from math import log

from genprm import Sampling, Sandbox, Solution, Verifier
from genprm.model import Choice, Completion, Finish, Message, ModelIdentity
from genprm.models.chat_template import ChatTemplate
from genprm.verify.format import ANALYZE_CLOSE, FENCE_CLOSE, FENCE_OPEN, VERIFY_CLOSE

_EQUATION = re.compile(r"(\d[\d\s+*/().-]*?)=\s*(-?\d+(?:\.\d+)?)")


class EquationEngine:
    """Continues text by rules. Safe to call concurrently, since it keeps nothing."""

    name = "equations"
    identity = ModelIdentity("equations", "custom-example", "1")
    context_length = 32_768

    def __init__(self) -> None:
        self._template = ChatTemplate.r1_distill_qwen()

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """Whole turns as one prompt. Most engines have a chat template of their own."""
        return self._template.render(messages, generation_prompt=generation_prompt)

    def literal(self, text: str) -> str:
        """`text` without control tokens: text from outside must not open a chat turn."""
        return self._template.literal(text)

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """Continue `prompt`; the text does not contain the stop string that ended it."""
        if ANALYZE_CLOSE in stop:
            return _ended("Code will check the equations in this paragraph.\n", ANALYZE_CLOSE)
        if prompt.endswith(FENCE_OPEN):
            return _ended(_program(_last_step(prompt)), FENCE_CLOSE)
        return _ended("", VERIFY_CLOSE)

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """Log-probabilities of the options as the next token; here Yes and No."""
        correct = "False" not in prompt.rpartition("[Code Output]")[2]
        probabilities = {"Yes": 0.9 if correct else 0.05, "No": 0.1 if correct else 0.95}
        return Choice({option: log(probabilities[option]) for option in options})

    async def close(self) -> None:
        """Release the engine; there is nothing to release."""


def _ended(text: str, stop: str) -> Completion:
    return Completion(text, Finish.STOP, stop, tokens_out=len(text.split()))


def _last_step(prompt: str) -> str:
    """What stands between the last user marker and the turn that is being written."""
    return prompt.rpartition("<｜User｜>")[2].partition("<analyze>")[0]


def _program(step: str) -> str:
    checks = [f"abs(({left}) - ({right})) < 1e-9" for left, right in _EQUATION.findall(step)]
    return f"print([{', '.join(checks)}])"


async def main() -> None:
    """Judge one solution with the engine, in the real sandbox."""
    solution = Solution("What is 2 + 3 * 4?", ("3 * 4 = 12.", "2 + 12 = 15. The answer is 15."))
    async with Sandbox() as sandbox:
        verdict = await Verifier(EquationEngine(), sandbox).verify(solution)
    for number, step in enumerate(verdict.steps, start=1):
        print(f"step {number}: reward {step.reward:.2f}, output {step.votes[0].runs[0].output}")
    print(f"first error: {verdict.first_error}")


if __name__ == "__main__":
    asyncio.run(main())
