"""A policy: a language model that writes solutions in steps (spec §3.1, step forcing).

The answer starts with `Step 1:` so that the model writes `Step 1: … Step T: …`. The same
prompt is used for a whole solution, a rollout from a prefix of steps, and a single next step, so
they all share the engine's cached prefix. The marker is part of the step's text (spec §2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from genprm.model import Completion, Finish, Message, Model, Sampling
from genprm.problem import split_steps
from genprm.step_marker import first_step_end, step_prefix, stop_strings
from genprm.verdict import Usage

STEP_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """How a policy is prompted; the defaults suit the shipped policy."""

    system: str | None = None
    instruction: str = ""  # follows the problem, after a blank line
    force_steps: bool = True
    max_tokens: int = 2048  # of one whole solution
    sampling: Sampling = field(default_factory=lambda: Sampling(1.0, 1.0, 0))


@dataclass(frozen=True, slots=True)
class Sample:
    """A solution as the policy wrote it. `complete` is False if a limit cut it off."""

    problem: str
    steps: tuple[str, ...]
    complete: bool
    seed: int
    usage: Usage = field(default_factory=Usage)

    @property
    def text(self) -> str:
        """The steps as one text."""
        return STEP_SEPARATOR.join(self.steps)


class Policy:
    """Writes solutions, whole or step by step, with any engine."""

    def __init__(self, model: Model, settings: PolicySettings = PolicySettings()) -> None:
        self.model = model
        self.settings = settings

    async def solve(
        self,
        problem: str,
        *,
        steps: Sequence[str] = (),
        dialogue: Sequence[Message] = (),
        seed: int,
    ) -> Sample:
        """A whole solution, or the rest of one after `steps` (a Monte-Carlo rollout).

        `dialogue` holds the turns after the problem: an earlier answer and its critique.

        Raises:
            ContextExceeded, ModelError: as `Model.complete`.
        """
        prompt = self.prompt(problem, steps, dialogue)
        done = await self._continue(prompt, stop=(), seed=seed)
        response_prefix = self._response_prefix(steps)
        return Sample(
            problem,
            (*steps, *split_steps(response_prefix + done.text)),
            complete=done.finish is not Finish.LENGTH,
            seed=seed,
            usage=_usage(done),
        )

    async def next_step(self, problem: str, *, steps: Sequence[str], seed: int) -> Sample:
        """The solution with one more step; `complete` says that this step was the last."""
        following = len(steps) + 2
        stop = stop_strings(following) if self.settings.force_steps else (STEP_SEPARATOR,)
        done = await self._continue(self.prompt(problem, steps), stop=stop, seed=seed)
        written = self._response_prefix(steps) + done.text
        end = first_step_end(written, following)  # a spelling that is no stop string
        step = written[:end].strip()
        return Sample(
            problem,
            (*steps, step) if step else tuple(steps),
            complete=done.finish is Finish.EOS and end is None,
            seed=seed,
            usage=_usage(done),
        )

    def prompt(
        self, problem: str, steps: Sequence[str] = (), dialogue: Sequence[Message] = ()
    ) -> str:
        """The prompt after which the next step is written."""
        chat: list[Message] = []
        if self.settings.system:
            chat.append({"role": "system", "content": self.settings.system})
        question = STEP_SEPARATOR.join(filter(None, (problem, self.settings.instruction)))
        chat.append({"role": "user", "content": question})
        chat.extend(dialogue)
        written = "".join(self.model.literal(step) + STEP_SEPARATOR for step in steps)
        return (
            self.model.render(chat, generation_prompt=True) + written + self._response_prefix(steps)
        )

    def _response_prefix(self, steps: Sequence[str]) -> str:
        return step_prefix(len(steps) + 1) if self.settings.force_steps else ""

    async def _continue(self, prompt: str, *, stop: Sequence[str], seed: int) -> Completion:
        return await self.model.complete(
            prompt,
            stop=stop,
            max_tokens=self.settings.max_tokens,
            sampling=self.settings.sampling,
            seed=seed,
        )


def _usage(done: Completion) -> Usage:
    return Usage(done.tokens_in, done.tokens_out, done.tokens_cached)
