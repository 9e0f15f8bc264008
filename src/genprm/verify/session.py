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

Limits, and what a vote does when it reaches one (recorded in `Vote.flags`):

    tokens per step      abstains, `truncated`: half a rationale is not enough to judge
    total context        abstains, `context_exceeded`
    rounds of code       the verification is closed and judged, `code_rounds_exhausted`
    turn ends too early  the open part is closed and judged, `unclosed`
    thought too long     it is closed, and the turn continues, `thought_cut`
    P(Yes) + P(No) small abstains, `unreadable`, with the most probable tokens
    a request failed     abstains, `failed`, with the cause
    output of code       cut in its middle

Generated text and the output of code are added to the prompt with their control tokens made plain
text, and the output also with the tags of the wire format changed: neither can open a chat turn,
and code cannot judge itself.
"""

from collections.abc import Callable
from math import exp, isnan

from genprm.errors import RequestFailed
from genprm.model import Choice
from genprm.verdict import Flag, Usage, Vote
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat, last_block
from genprm.verify.turn import Judge, Limits, OutOfTokens, Stage, Turn

MIN_JUDGEMENT_MASS = 0.1  # below this P(Yes) + P(No) the model is not judging at all

_ROUNDING = 0.01  # a log-probability may be above 0 by no more than this

_SUM_ROUNDING = 0.05  # two probabilities of half precision may sum to more than 1 by this


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
    turn = Turn(prompt, limits, context_length, prompt_format, literal)
    try:
        if prompt_format.general and wire.begins_thought(prompt):
            yield from turn.think()
        if mode.analyses:
            yield from _analyze(turn, step)
        if mode.codes:
            yield from _verify(turn, execute=mode.executes)
        reward = yield from _judge(turn, direct=mode is Mode.DIRECT)
    except (OutOfTokens, RequestFailed) as error:
        return turn.abstention(error)
    return turn.vote(reward) if reward is not None else turn.vote(None, Flag.UNREADABLE)


def _analyze(turn: Turn, step: int) -> Stage[None]:
    turn.text += wire.analyze_open(step)
    done = yield from turn.generate((wire.ANALYZE_CLOSE,))
    turn.analysis = done.text.strip()
    if done.stop is None:
        turn.cut_short()
    turn.text += wire.ANALYZE_CLOSE


def _verify(turn: Turn, *, execute: bool) -> Stage[None]:
    turn.text += wire.VERIFY_OPEN
    unread = wire.FENCE_OPEN  # text after the last block that ran: only there is a block looked for
    while len(turn.runs) < turn.limits.code_rounds:
        done = yield from turn.generate((wire.FENCE_CLOSE, wire.VERIFY_CLOSE, wire.OUTPUT_OPEN))
        unread += done.text
        block = last_block(unread)
        if done.stop != wire.FENCE_CLOSE:
            return turn.close_verification(cut_short=done.stop is None or block is not None)
        turn.text += wire.FENCE_CLOSE
        if block is None:  # a fence that closes no Python is text like any other
            unread += wire.FENCE_CLOSE
        else:
            yield from turn.run(block, execute=execute)
            unread = ""
    done = yield from turn.generate((wire.FENCE_OPEN, wire.VERIFY_CLOSE, wire.OUTPUT_OPEN))
    if done.stop == wire.FENCE_OPEN:
        turn.exhausted()
    turn.close_verification(cut_short=done.stop is None)


def _judge(turn: Turn, *, direct: bool) -> Stage[float | None]:
    """The reward (eq. 5): P(Yes) / (P(Yes) + P(No)) at the judgement position."""
    turn.text += wire.DIRECT_OPEN if direct else wire.JUDGEMENT_OPEN
    choice = yield Judge(turn.so_far)
    assert isinstance(choice, Choice)
    turn.usage += Usage(choice.tokens_in, 1, choice.tokens_cached)
    yes, no = (_probability(choice, option) for option in (wire.YES, wire.NO))
    turn.label_mass = yes + no
    if turn.label_mass > 1 + _SUM_ROUNDING:
        raise RequestFailed(f"the engine gave probabilities that sum to {turn.label_mass:.2f}")
    if turn.label_mass < MIN_JUDGEMENT_MASS:
        turn.likeliest = tuple(choice.likeliest)
        return None
    turn.text += wire.YES if yes >= no else wire.NO
    turn.text += wire.DIRECT_CLOSE if direct else wire.JUDGEMENT_CLOSE
    return yes / (yes + no)


def _probability(choice: Choice, option: str) -> float:
    logprob = choice.logprobs.get(option, float("-inf"))
    if isnan(logprob) or logprob > _ROUNDING:
        raise RequestFailed(f"the engine gave {logprob} as log-probability of {option!r}")
    return min(1.0, exp(logprob))
