r"""One vote on one step, as a generator without IO.

The session yields actions and is sent their results, so the same protocol runs under asyncio,
in a replay of a recorded transcript, and in tests with no model at all:

    session = vote_on_step(prompt, step=1, mode=Mode.GENPRM, ...)
    action = next(session)
    while True:
        action = session.send(result of action)     # StopIteration.value is the Vote

    Generate(prompt, stop, max_tokens)  <- Completion   (ContextExceeded may be thrown in)
    Execute(code)                       <- RunResult
    Judge(prompt, options)              <- Choice       (ContextExceeded may be thrown in)

Bounds, and what a vote does at each (recorded in `Vote.flags`):

    tokens per step      no judgement is forced out of half a rationale: abstains, `truncated`
    total context        abstains, `context_exceeded`
    rounds of code       the verification is closed and judged, `code_rounds_exhausted`
    end of turn too soon the open part is closed and judged, `unclosed`
    P(Yes) + P(No) small abstains, `unreadable`
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from math import exp
from typing import TypeAlias, TypeVar

from genprm.errors import ContextExceeded
from genprm.model import Choice, Completion, Finish
from genprm.sandbox import RunResult
from genprm.verdict import Flag, Run, Usage, Vote
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat

MIN_JUDGEMENT_MASS = 0.1  # below this P(Yes) + P(No) the model is not judging at all

_LAST_FENCE = re.compile(r".*```(?:python|py)[ \t]*\n(.*)\Z", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one vote; the defaults are the reference's (spec §2)."""

    tokens: int = 2048  # generated per step
    code_rounds: int = 3


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


class _OutOfTokensError(Exception):
    """The step's token budget ran out."""


def vote_on_step(
    prompt: str,
    *,
    step: int,
    mode: Mode,
    limits: Limits,
    context_length: int,
    prompt_format: PromptFormat,
) -> Stage[Vote]:
    """Judge step `step` (from 1), given the prompt up to and including its user turn."""
    turn = _Turn(prompt, limits, context_length, prompt_format)
    try:
        if mode.analyses:
            yield from _analyze(turn, step)
        if mode.codes:
            yield from _verify(turn, execute=mode.executes)
        reward = yield from _judge(turn, direct=mode is Mode.DIRECT)
    except _OutOfTokensError:
        return turn.vote(None, Flag.TRUNCATED)
    except ContextExceeded:
        return turn.vote(None, Flag.CONTEXT_EXCEEDED)
    return turn.vote(reward) if reward is not None else turn.vote(None, Flag.UNREADABLE)


def _analyze(turn: "_Turn", step: int) -> Stage[None]:
    turn.text += wire.analyze_open(step)
    done = yield from turn.generate((wire.ANALYZE_CLOSE,))
    turn.analysis = done.text.strip()
    if done.stop is None:
        turn.cut_short()
    turn.text += wire.ANALYZE_CLOSE


def _verify(turn: "_Turn", *, execute: bool) -> Stage[None]:
    turn.text += wire.VERIFY_OPEN
    unread = wire.FENCE_OPEN  # text after the last block that ran: only there is a block looked for
    while len(turn.runs) < turn.limits.code_rounds:
        done = yield from turn.generate((wire.FENCE_CLOSE, wire.VERIFY_CLOSE, wire.OUTPUT_OPEN))
        unread += done.text
        block = _LAST_FENCE.match(unread)
        if done.stop != wire.FENCE_CLOSE:
            return turn.close_verification(cut_short=done.stop is None or block is not None)
        turn.text += wire.FENCE_CLOSE
        if block is None:  # a fence that closes no Python is text like any other
            unread += wire.FENCE_CLOSE
        else:
            yield from turn.run(block[1], execute=execute)
            unread = ""
    done = yield from turn.generate((wire.FENCE_OPEN, wire.VERIFY_CLOSE, wire.OUTPUT_OPEN))
    if done.stop == wire.FENCE_OPEN:
        turn.flags.append(Flag.CODE_ROUNDS_EXHAUSTED)
    turn.close_verification(cut_short=done.stop is None)


def _judge(turn: "_Turn", *, direct: bool) -> Stage[float | None]:
    """The reward (eq. 5): P(Yes) / (P(Yes) + P(No)) at the judgement position."""
    turn.text += wire.DIRECT_OPEN if direct else wire.JUDGEMENT_OPEN
    choice = yield Judge(turn.prompt + turn.text)
    assert isinstance(choice, Choice)
    turn.usage += Usage(choice.tokens_in, 1, choice.tokens_cached)
    yes, no = (exp(choice.logprobs.get(option, float("-inf"))) for option in (wire.YES, wire.NO))
    if yes + no < MIN_JUDGEMENT_MASS:
        return None
    turn.text += wire.YES if yes >= no else wire.NO
    turn.text += wire.DIRECT_CLOSE if direct else wire.JUDGEMENT_CLOSE
    return yes / (yes + no)


@dataclass(slots=True)
class _Turn:
    """The assistant turn as it grows, and what has been spent on it."""

    prompt: str
    limits: Limits
    context_length: int
    prompt_format: PromptFormat
    text: str = ""
    analysis: str = ""
    runs: list[Run] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    context: int = 0  # tokens that prompt and turn held at the last completion

    def generate(self, stop: tuple[str, ...]) -> Stage[Completion]:
        budget = self.limits.tokens - self.usage.tokens_out
        room = self.context_length - self.context
        if budget <= 0:
            raise _OutOfTokensError
        if room <= 0:
            raise ContextExceeded
        done = yield Generate(self.prompt + self.text, stop, min(budget, room))
        assert isinstance(done, Completion)
        self.text += done.text
        self.usage += Usage(done.tokens_in, done.tokens_out, done.tokens_cached)
        self.context = done.tokens_in + done.tokens_out
        if done.finish is Finish.LENGTH:
            raise _OutOfTokensError if done.tokens_out >= budget else ContextExceeded
        return done

    def run(self, code: str, *, execute: bool) -> Stage[None]:
        if not execute:
            self.runs.append(Run(code, "", "not_run"))
            return
        result = yield Execute(code)
        assert isinstance(result, RunResult)
        output = self.prompt_format.output(result)
        self.text += wire.code_output(output)
        self.runs.append(Run(code, output, result.status.value))
        self.usage += Usage(executions=1)

    def close_verification(self, *, cut_short: bool) -> None:
        if cut_short:
            self.cut_short()
        elif not self.text.endswith("\n"):
            self.text += "\n"
        self.text += wire.VERIFY_CLOSE

    def cut_short(self) -> None:
        self.flags.append(Flag.UNCLOSED)
        self.text += "" if self.text.endswith("\n") else "\n"

    def vote(self, reward: float | None, *flags: Flag) -> Vote:
        return Vote(
            reward=reward,
            text=self.text,
            analysis=self.analysis,
            runs=tuple(self.runs),
            flags=(*self.flags, *flags),
            usage=self.usage,
        )
