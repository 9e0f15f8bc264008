r"""One vote on one step, as a generator without IO.

The session yields actions and is sent their results, so the same protocol runs under asyncio,
in a replay of a recorded transcript, and in tests with no model at all:

    session = vote_on_step(prompt, step=1, mode=Mode.GENPRM, ...)
    action = next(session)
    while True:
        action = session.send(result of action)     # StopIteration.value is the Vote

    Generate(prompt, stop, max_tokens)  <- Completion   (RequestFailed may be thrown in)
    Execute(code)                       <- RunResult
    Judge(prompt, options)              <- Choice       (RequestFailed may be thrown in)

Bounds, and what a vote does at each (recorded in `Vote.flags`):

    tokens per step      no judgement is forced out of half a rationale: abstains, `truncated`
    total context        abstains, `context_exceeded`
    rounds of code       the verification is closed and judged, `code_rounds_exhausted`
    end of turn too soon the open part is closed and judged, `unclosed`
    P(Yes) + P(No) small abstains, `unreadable`
    a request failed     abstains, `failed`, with the cause
    output of code       cut in its middle

What the model wrote and what code printed join the prompt with their control tokens and, for
code, the tags of the wire format spelled apart: neither can open a chat turn or judge itself.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from math import exp, isnan
from typing import TypeAlias, TypeVar

from genprm.errors import ContextExceeded, RequestFailed
from genprm.model import Choice, Completion, Finish
from genprm.sandbox import RunResult, RunStatus
from genprm.verdict import Flag, Run, Usage, Vote
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat

NOT_RUN = "not_run"  # status of a block in the modes that do not execute
MIN_JUDGEMENT_MASS = 0.1  # below this P(Yes) + P(No) the model is not judging at all

_ROUNDING = 0.01  # a log-probability may be above 0 by no more than this

_LAST_FENCE = re.compile(r".*```(?:python|py)[ \t]*\n(.*)\Z", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one vote; the defaults are the reference's (spec §2)."""

    tokens: int = 2048  # generated per step
    code_rounds: int = 3
    output_bytes: int = 4096  # of one block's output that the model reads


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
    literal: Callable[[str], str],
) -> Stage[Vote]:
    """Judge step `step` (from 1), given the prompt up to and including its user turn.

    `literal` is the model's (`Model.literal`).
    """
    turn = _Turn(prompt, limits, context_length, prompt_format, literal)
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
    except RequestFailed as error:
        return turn.vote(None, Flag.FAILED, cause=str(error))
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
    yes, no = (_probability(choice, option) for option in (wire.YES, wire.NO))
    turn.label_mass = yes + no
    if turn.label_mass < MIN_JUDGEMENT_MASS:
        return None
    turn.text += wire.YES if yes >= no else wire.NO
    turn.text += wire.DIRECT_CLOSE if direct else wire.JUDGEMENT_CLOSE
    return yes / (yes + no)


def _probability(choice: Choice, option: str) -> float:
    logprob = choice.logprobs.get(option, float("-inf"))
    if isnan(logprob) or logprob > _ROUNDING:
        raise RequestFailed(f"the engine gave {logprob} as log-probability of {option!r}")
    return min(1.0, exp(logprob))


@dataclass(slots=True)
class _Turn:
    """The assistant turn as it grows, and what has been spent on it."""

    prompt: str
    limits: Limits
    context_length: int
    prompt_format: PromptFormat
    literal: Callable[[str], str]
    text: str = ""
    analysis: str = ""
    runs: list[Run] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    context: int = 0  # tokens that prompt and turn held at the last completion
    label_mass: float | None = None

    def generate(self, stop: tuple[str, ...]) -> Stage[Completion]:
        budget = self.limits.tokens - self.usage.tokens_out
        room = self.context_length - self.context
        if budget <= 0:
            raise _OutOfTokensError
        if room <= 0:
            raise ContextExceeded
        asked = min(budget, room)
        done = yield Generate(self.prompt + self.text, stop, asked)
        assert isinstance(done, Completion)
        self.text += self.literal(done.text)
        self.usage += Usage(done.tokens_in, done.tokens_out, done.tokens_cached)
        self.context = done.tokens_in + done.tokens_out
        if done.finish is Finish.LENGTH:
            filled = self.context >= self.context_length or budget > asked <= done.tokens_out
            raise ContextExceeded if filled else _OutOfTokensError
        return done

    def run(self, code: str, *, execute: bool) -> Stage[None]:
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
        if cut_short:
            self.cut_short()
        elif not self.text.endswith("\n"):
            self.text += "\n"
        self.text += wire.VERIFY_CLOSE

    def cut_short(self) -> None:
        self.flags.append(Flag.UNCLOSED)
        self.text += "" if self.text.endswith("\n") else "\n"

    def vote(self, reward: float | None, *flags: Flag, cause: str | None = None) -> Vote:
        ran = [run.status for run in self.runs if run.status != NOT_RUN]
        if ran and RunStatus.OK not in ran:
            self.flags.append(Flag.CODE_FAILED)
        return Vote(
            reward=reward,
            text=self.text,
            analysis=self.analysis,
            runs=tuple(self.runs),
            flags=(*self.flags, *flags),
            usage=self.usage,
            cause=cause,
            label_mass=self.label_mass,
        )
