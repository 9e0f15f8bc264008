r"""One vote on a whole solution, as a generator without IO: it yields actions as `session` does.

The model reviews the paragraphs in one turn. When it completes a block of Python, the block is run,
and the review continues after the output. It ends with the index of the first paragraph with an
error in `\\boxed{}`. If a review ends without an index, the model is asked for it (`unclosed`).
Budgets are those of a step, times the number of steps.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from genprm.errors import RequestFailed
from genprm.verdict import Flag, Usage, Vote
from genprm.verify import critique_format as critic
from genprm.verify import format as wire
from genprm.verify.format import PromptFormat, last_block
from genprm.verify.turn import Limits, OutOfTokens, Stage, Turn


@dataclass(frozen=True, slots=True)
class WholeVote:
    """A review of all steps: the first error that it names, from 0, -1 for none.

    `turn` is the review as it was written, and its cost; the first error is None if it abstains.
    `sections` is what it says about each step under a heading.
    """

    first_error: int | None
    turn: Vote
    sections: dict[int, str]

    def on_step(self, index: int, *, first: bool) -> Vote:
        """The vote on whether step `index` and all before it are without error: reward 1 or 0.

        The whole turn and its cost belong to the `first` step that was asked about.
        """
        analysis = self.sections.get(index, "")
        if index == self.first_error:
            analysis = analysis or wire.without_thought(self.turn.text)
        elif self._reward(index) == 0:  # an earlier step is why
            analysis = ""
        if first:
            return replace(self.turn, reward=self._reward(index), analysis=analysis)
        return Vote(
            self._reward(index),
            text=self.sections.get(index, ""),
            analysis=analysis,
            flags=() if self.turn.abstained is None else (self.turn.abstained,),
            usage=Usage(),
            cause=self.turn.cause,
        )

    def _reward(self, index: int) -> float | None:
        if self.first_error is None:
            return None
        return float(not 0 <= self.first_error <= index)


def critique_solution(
    prompt: str,
    *,
    steps: int,
    limits: Limits,
    context_length: int,
    prompt_format: PromptFormat,
    literal: Callable[[str], str],
) -> Stage[WholeVote]:
    """Review a solution of `steps` steps, given the prompt with its assistant marker.

    `literal` is the model's (`Model.literal`).
    """
    turn = Turn(prompt, limits.times(steps), context_length, prompt_format, literal)
    index = None
    try:
        if wire.begins_thought(prompt):
            yield from turn.think()
        conclusion = yield from _review(turn)
        index = yield from _index(turn, conclusion, steps)
    except (OutOfTokens, RequestFailed) as error:
        vote = turn.abstention(error)
    else:
        vote = turn.vote(None, *([Flag.UNREADABLE] if index is None else []))
    return WholeVote(index, vote, critic.sections(turn.text))


def _review(turn: Turn) -> Stage[str]:
    """The text after the last output of code."""
    unread = ""  # after the last block that ran
    while True:
        done = yield from turn.generate((wire.FENCE_CLOSE, wire.THOUGHT_OPEN))
        unread += done.text
        if done.stop == wire.THOUGHT_OPEN and not (turn.thought or turn.text.strip()):
            turn.prompt, turn.text = turn.so_far + wire.THOUGHT_OPEN, ""
            yield from turn.think()
            unread = ""
        elif done.stop is None:
            return unread
        else:
            turn.text += done.stop
            block = last_block(unread)
            unread += done.stop
            if block is None or done.stop != wire.FENCE_CLOSE:
                continue
            if len(turn.runs) == turn.limits.code_rounds:
                turn.exhausted()
                continue
            yield from turn.run(block, execute=True)
            unread = ""


def _index(turn: Turn, conclusion: str, steps: int) -> Stage[int | None]:
    if critic.names_index(conclusion):
        return critic.named_index(conclusion, steps)
    turn.flags.append(Flag.UNCLOSED)
    turn.text += critic.INDEX_OPEN
    done = yield from turn.generate((critic.INDEX_CLOSE,))
    turn.text += critic.INDEX_CLOSE
    return critic.named_index(f"\\boxed{{{done.text}}}", steps)
