r"""A language model that judges the whole solution, as ProcessBench evaluates critic models.

The prompt is the benchmark's critique template; paragraphs are tagged and count from 0; the
answer is the last `\boxed{}`, and several answers vote. An answer that names no paragraph, or that
was cut off before its end, abstains;
the official script lets one that is often repeated win the vote, and then counts a miss.
"""

import time
from dataclasses import dataclass

from genprm.concurrency import together
from genprm.control_tokens import ControlTokens
from genprm.errors import RequestFailed
from genprm.evaluate.baselines.endpoint import Endpoint
from genprm.evaluate.judgement import most_common
from genprm.evaluate.run import WholeVerdict
from genprm.model import ModelIdentity
from genprm.problem import Solution
from genprm.records.record import json_object
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import Usage, total
from genprm.verify.casting import vote_seed
from genprm.verify.critique_format import critique_prompt, named_index

_CONTROL_TOKENS = ControlTokens()
_WHOLE = {"", "stop", "eos", "eos_token", "stop_sequence", "stop_str", "end_turn"}  # or untold


@dataclass(frozen=True, slots=True)
class CriticSettings:
    """The defaults are the official script's for one greedy answer; with votes it uses 1.0, 0.9."""

    votes: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 8192
    seed: int = 42


class Critic:
    """A critic behind any `/chat/completions` endpoint."""

    def __init__(
        self, endpoint: Endpoint, model: str, settings: CriticSettings = CriticSettings()
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._settings = settings

    @property
    def spec(self) -> JudgeSpec:
        """Model and settings."""
        model = ModelIdentity(self._model, "chat completions")
        return JudgeSpec(judge="critic", model=model, settings=json_object(self._settings))

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        """The first error that most critiques name."""
        start = time.perf_counter()
        answers = await together(
            self._ask(solution, vote_seed(self._settings.seed, row, 0, vote))
            for vote in range(self._settings.votes)
        )
        guesses = [
            None if cut else named_index(text, len(solution.steps)) for text, cut, _ in answers
        ]
        spent = total(usage for _, _, usage in answers)
        usage = Usage(spent.tokens_in, spent.tokens_out, seconds=time.perf_counter() - start)
        texts = tuple(text for text, _, _ in answers)
        return WholeVerdict(most_common(guesses), tuple(guesses), texts, usage)

    async def _ask(self, solution: Solution, seed: int) -> tuple[str, bool, Usage]:
        """A critique, whether it was cut off, and its cost."""
        answer = await self._endpoint.post(
            "/chat/completions",
            {
                "model": self._model,
                "messages": [
                    {
                        "role": "user",
                        "content": _CONTROL_TOKENS.literal(
                            critique_prompt(solution.problem, solution.steps)
                        ),
                    }
                ],
                "temperature": self._settings.temperature,
                "top_p": self._settings.top_p,
                "max_tokens": self._settings.max_tokens,
                "seed": seed,
            },
        )
        try:
            choice = answer["choices"][0]
            text = _text(choice["message"]["content"])
            cut = str(choice.get("finish_reason") or "").lower() not in _WHOLE
        except (KeyError, IndexError, TypeError) as error:
            raise RequestFailed(
                f"{self._endpoint.base}: the answer has no choices; "
                "fix: name the URL of a chat endpoint"
            ) from error
        used = answer.get("usage")
        usage = used if isinstance(used, dict) else {}
        return (
            text,
            cut,
            Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0),
        )


def _text(content: object) -> str:
    """A message's content: text, a list of parts of which some are text, or nothing."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
