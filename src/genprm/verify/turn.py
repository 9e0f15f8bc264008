"""The parts of a vote: the actions that a protocol asks for, and the turn as it grows.

A protocol (`session`, `critique_session`) is a generator that yields actions and is sent their
results; it has a `Turn`, which keeps track of the budgets and of what was written.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from genprm.errors import ContextExceeded, RequestFailed
from genprm.model import Choice, Completion, Finish
from genprm.sandbox import RunResult, RunStatus
from genprm.verdict import Flag, Run, Usage, Vote
from genprm.verify import format as wire
from genprm.verify.format import PromptFormat

NOT_RUN = "not_run"  # status of a block in the modes that do not execute


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one vote; the defaults are the reference's (spec §2)."""

    tokens: int = 2048  # generated per step
    code_rounds: int = 3
    output_bytes: int = 4096  # of one block's output that the model reads
    thought_tokens: int = 2048  # of a reasoning model's thought, which `tokens` does not count

    def times(self, steps: int) -> "Limits":
        """The limits of a vote on this many steps at once."""
        return replace(
            self,
            tokens=self.tokens * steps,
            code_rounds=self.code_rounds * steps,
            thought_tokens=self.thought_tokens * steps,
        )


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue the prompt."""

    prompt: str
    stop: tuple[str, ...]
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Execute:
    """Run one block of code in the vote's namespace."""

    code: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Read the next-token probabilities of the options."""

    prompt: str
    options: tuple[str, ...] = (wire.YES, wire.NO)


T = TypeVar("T")
Action: TypeAlias = Generate | Execute | Judge
Result: TypeAlias = Completion | RunResult | Choice
Stage: TypeAlias = Generator[Action, Result, T]


class OutOfTokens(Exception):
    """The vote's token budget ran out."""


@dataclass(slots=True)
class Turn:
    """The assistant turn as it grows, and what has been spent on it."""

    prompt: str
    limits: Limits
    context_length: int
    prompt_format: PromptFormat
    literal: Callable[[str], str]
    thought: str = ""  # of a reasoning model, before the text
    text: str = ""
    analysis: str = ""
    runs: list[Run] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    context: int = 0  # tokens that prompt and turn held at the last completion
    thought_tokens: int = 0  # of the tokens in `usage`
    label_mass: float | None = None
    likeliest: tuple[str, ...] = ()

    @property
    def so_far(self) -> str:
        """The prompt and everything written so far."""
        return self.prompt + self.thought + self.text

    def think(self) -> Stage[None]:
        """Let a reasoning model finish the open thought, within its own limit."""
        room = min(self.limits.thought_tokens, self.context_length - self.context)
        closed = False
        if room > 0:
            done = yield Generate(self.so_far, (wire.THOUGHT_CLOSE,), room)
            assert isinstance(done, Completion)
            self._count(done)
            self.thought_tokens += done.tokens_out
            self.thought += self.literal(done.text)
            closed = done.stop is not None
        if room > 0 and not closed:
            self.flags.append(Flag.THOUGHT_CUT)
        self.thought = f"{self.thought.rstrip()}\n{wire.THOUGHT_CLOSE}\n\n"

    def generate(self, stop: tuple[str, ...]) -> Stage[Completion]:
        """Let the model write until a stop string, within the remaining budgets."""
        budget = self.limits.tokens - (self.usage.tokens_out - self.thought_tokens)
        room = self.context_length - self.context
        if budget <= 0:
            raise OutOfTokens
        if room <= 0:
            raise ContextExceeded
        asked = min(budget, room)
        done = yield Generate(self.so_far, stop, asked)
        assert isinstance(done, Completion)
        self.text += self.literal(done.text)
        self._count(done)
        if done.finish is Finish.LENGTH:
            filled = self.context >= self.context_length or budget > asked <= done.tokens_out
            raise ContextExceeded if filled else OutOfTokens
        return done

    def _count(self, done: Completion) -> None:
        self.usage += Usage(done.tokens_in, done.tokens_out, done.tokens_cached)
        self.context = done.tokens_in + done.tokens_out

    def run(self, code: str, *, execute: bool) -> Stage[None]:
        """Run a block, if the mode executes code, and show the model what it printed."""
        if not execute:
            self.runs.append(Run(code, "", NOT_RUN))
            return
        result = yield Execute(code)
        assert isinstance(result, RunResult)
        output = self.literal(wire.untagged(self.prompt_format.output(result)))
        output = wire.shortened(output, self.limits.output_bytes)
        self.text += wire.code_output(output)
        self.runs.append(Run(code, output, result.status.value))
        self.usage += Usage(executions=1)

    def close_verification(self, *, cut_short: bool) -> None:
        """End the verification with its tag."""
        if cut_short:
            self.cut_short()
        elif not self.text.endswith("\n"):
            self.text += "\n"
        self.text += wire.VERIFY_CLOSE

    def cut_short(self) -> None:
        """Close the open part after the model ended its turn too early."""
        self.flags.append(Flag.UNCLOSED)
        self.text += "" if self.text.endswith("\n") else "\n"

    def exhausted(self) -> None:
        """Record that the model wanted to run more code than it may."""
        if Flag.CODE_ROUNDS_EXHAUSTED not in self.flags:
            self.flags.append(Flag.CODE_ROUNDS_EXHAUSTED)

    def abstention(self, error: OutOfTokens | RequestFailed) -> Vote:
        """The vote when a limit or a failed request has ended it."""
        match error:
            case OutOfTokens():
                return self.vote(None, Flag.TRUNCATED)
            case ContextExceeded():
                return self.vote(None, Flag.CONTEXT_EXCEEDED)
            case _:
                return self.vote(None, Flag.FAILED, cause=str(error))

    def vote(self, reward: float | None, *flags: Flag, cause: str | None = None) -> Vote:
        """The finished turn as a vote."""
        ran = [run.status for run in self.runs if run.status != NOT_RUN]
        if ran and RunStatus.OK not in ran:
            self.flags.append(Flag.CODE_FAILED)
        return Vote(
            reward=reward,
            text=wire.THOUGHT_OPEN * bool(self.thought) + self.thought + self.text,
            analysis=self.analysis,
            runs=tuple(self.runs),
            flags=(*self.flags, *flags),
            usage=self.usage,
            cause=cause,
            label_mass=self.label_mass,
            likeliest=self.likeliest,
        )
