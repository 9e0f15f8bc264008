"""A trainer's batch: judges its completions at once and returns a result for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.rewards.background import Background
from genprm.rewards.chats import Chat, completion_text, problem_text
from genprm.rewards.completion import Completion, JudgedCompletion
from genprm.rewards.judges import CompletionVerdict


@dataclass(frozen=True, slots=True)
class Batch:
    """[completions]; None if there is no text or no problem to judge."""

    completions: Sequence[Completion | None]

    @classmethod
    def read(
        cls,
        prompts: Sequence[Chat],
        completions: Sequence[Chat],
        problems: Sequence[str | None] | None = None,
        *,
        response_prefix: str = "",
    ) -> "Batch":
        """Read texts and chats as completions of problems.

        A problem that is not given is the content of the prompt's last user turn.
        """
        given = problems or [None] * len(completions)
        read = []
        for prompt, completion, problem in zip(prompts, completions, given, strict=True):
            text = completion_text(completion)
            asked = problem if problem and problem.strip() else problem_text(prompt)
            usable = text is not None and asked is not None
            read.append(
                Completion.read(asked, text, response_prefix=response_prefix)
                if usable and text and asked
                else None
            )
        return cls(read)

    def judge(self, judge: Background) -> list[JudgedCompletion]:
        """Judge and wait; raises as `CompletionJudge.judge`."""
        return self._placed(judge.judge([one.solution for one in self._judgeable()]))

    async def ajudge(self, judge: Background) -> list[JudgedCompletion]:
        """Judge without blocking the caller's loop; raises as `CompletionJudge.judge`."""
        return self._placed(await judge.ajudge([one.solution for one in self._judgeable()]))

    def _judgeable(self) -> list[Completion]:
        return [one for one in self.completions if one is not None and one.steps]

    def _placed(self, judged: Sequence[CompletionVerdict]) -> list[JudgedCompletion]:
        waiting = iter(judged)
        return [
            JudgedCompletion.of(one, next(waiting) if one and one.steps else NO_TEXT)
            for one in self.completions
        ]


NO_TEXT = CompletionVerdict(cause="no text")


def check_answers(
    checker: AnswerChecker, golds: Sequence[str | None], texts: Sequence[str]
) -> list[bool | None]:
    """Whether each text's final answer equals the gold one; None if it is unknown."""
    answers = [extract_answer(text) if text.strip() else None for text in texts]
    pairs = [
        (gold, answer)
        for gold, answer in zip(golds, answers, strict=True)
        if gold is not None and answer is not None
    ]
    matches = iter(checker.compare_many(pairs))
    said: dict[Match, bool | None] = {Match.EQUAL: True, Match.DIFFERENT: False}
    return [
        None if gold is None else said.get(next(matches)) if answer is not None else False
        for gold, answer in zip(golds, answers, strict=True)
    ]
