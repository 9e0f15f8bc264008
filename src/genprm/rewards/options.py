"""A reward, configured by a trainer's options or by environment variables.

Its parts, a judge in a separate thread and a checker of answers, are made once per process.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from genprm.answer import AnswerChecker
from genprm.errors import InputError
from genprm.records.validation import field_fault
from genprm.rewards.background import Background
from genprm.rewards.batch import Batch, check_answers
from genprm.rewards.chats import Chat
from genprm.rewards.completion import JudgedCompletion
from genprm.rewards.judges import CompletionJudge, InProcess, Service
from genprm.rewards.scoring import Kind, Scoring
from genprm.verify.settings import Settings


class RewardOptions(BaseModel):
    """The judge and the reward; unknown names, which trainers add, are ignored.

    Without `url`, the judge is the model that the trainer serves (`reward_router_address`), or
    otherwise the model named by `model`, in this process.
    """

    url: str | None = None
    api_key: str | None = None
    model: str | None = None
    reward_router_address: str | None = None
    votes: Annotated[int, Field(ge=1)] = 1
    timeout: Annotated[float, Field(gt=0)] = 120.0
    kind: Kind = Kind.OUTCOME
    abstention: float = 0.0
    penalty: float = 0.5
    response_prefix: str = ""

    @classmethod
    def read(cls, options: Mapping[str, object], place: str) -> "RewardOptions":
        """Raises InputError: an option has a value that it cannot have; names `place`."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise InputError(
                f"{place}: {field_fault(error)}; fix: see genprm.rewards.options"
            ) from None

    @classmethod
    def from_environment(cls) -> "RewardOptions":
        """What GENPRM_URL, GENPRM_API_KEY, GENPRM_MODEL, GENPRM_VOTES, GENPRM_REWARD (the kind),
        GENPRM_PENALTY, GENPRM_ABSTENTION and GENPRM_RESPONSE_PREFIX say.

        Raises:
            InputError: one of them has a value that it cannot have.
        """
        names = {name: f"GENPRM_{name.upper()}" for name in cls.model_fields}
        names["kind"] = "GENPRM_REWARD"
        said = {name: os.environ.get(variable) for name, variable in names.items()}
        return cls.read({name: value for name, value in said.items() if value}, "environment")

    @property
    def scoring(self) -> Scoring:
        """What is rewarded."""
        return _scoring(self.kind, self.abstention, self.penalty)

    def check(
        self, golds: Sequence[object], judged: Sequence[JudgedCompletion]
    ) -> Sequence[bool | None]:
        """Whether each final answer is correct; None if the reward does not need it."""
        if self.kind is not Kind.FLAW_AWARE:
            return [None] * len(judged)
        known = [None if gold is None else str(gold) for gold in golds]
        return check_answers(_checker(), known, [one.text for one in judged])

    @property
    def judge(self) -> Background:
        """The judge; the same one for equal options."""
        router = self.reward_router_address
        model = self.model or (f"http://{router}/v1" if router else "arithmetic")
        return _background(self.url, self.api_key, model, self.votes, self.timeout)


@dataclass(frozen=True, slots=True)
class Rewarded:
    """The reward of one completion, and the verdict that it is based on."""

    reward: float
    judged: JudgedCompletion
    correct: bool | None
    abstained: bool


async def reward_one(
    options: RewardOptions, problem: Chat, completion: Chat, gold: object = None
) -> Rewarded:
    """Judge one completion, for frameworks that ask for one at a time.

    Raises:
        ModelError, SandboxError: the judge is gone.
        InputError: the service refuses the options.
    """
    batch = Batch.read([problem], [completion], response_prefix=options.response_prefix)
    (judged,) = await batch.ajudge(options.judge)
    (correct,) = options.check([gold], [judged])
    reward = options.scoring(judged, correct)
    assert reward is not None  # abstentions have a number here
    return Rewarded(reward, judged, correct, options.scoring.abstains(judged, correct))


@lru_cache
def _checker() -> AnswerChecker:
    """Compares final answers."""
    return AnswerChecker()


@lru_cache
def _scoring(kind: Kind, abstention: float, penalty: float) -> Scoring:
    return Scoring(kind, abstention, penalty)


@lru_cache
def _background(
    url: str | None, api_key: str | None, model: str, votes: int, timeout: float
) -> Background:
    judge: CompletionJudge
    if url is not None:
        judge = Service(url, api_key=api_key, votes=votes, timeout=timeout)
    else:
        judge = InProcess(model, Settings(votes=votes), timeout=timeout)
    return Background(judge)
