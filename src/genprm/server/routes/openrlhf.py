"""POST /get_reward: the remote reward model of OpenRLHF (`--reward.remote_url`)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, model_validator

from genprm.answer import AnswerChecker
from genprm.rewards.batch import check_answers
from genprm.rewards.chats import problem_text, without_end_marks
from genprm.rewards.completion import Completion
from genprm.rewards.judges import CompletionVerdict
from genprm.rewards.scoring import Kind
from genprm.server.judging import Judging
from genprm.server.requests import JudgingRequest
from genprm.server.routes.documented import refusals
from genprm.server.routes.trainers import Rewarding, asked_of, judged_of


class OpenRLHFRequest(BaseModel):
    """`query` is each prompt with its response, `labels` the gold answers, if there are any."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": ["What is 1 + 1? It is 2."],
                    "prompts": ["What is 1 + 1?"],
                    "labels": ["2"],
                }
            ]
        }
    )

    query: list[str] = Field(min_length=1)
    prompts: list[str]
    labels: list[object] | None = None

    @model_validator(mode="after")
    def _of_one_length(self) -> "OpenRLHFRequest":
        lengths = {len(self.query), len(self.prompts), len(self.labels or self.query)}
        if len(lengths) > 1:
            raise ValueError("query, prompts and labels differ in length")
        return self


class OpenRLHFReply(BaseModel):
    """A reward for each query; for an abstention, the request's `abstention`."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


def router(judging: Judging, checker: AnswerChecker) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post(
        "/get_reward",
        responses=refusals,
        summary="OpenRLHF: rewards of whole responses. The URL's query says how to reward.",
    )
    async def get_reward(
        body: OpenRLHFRequest, request: Request, how: Annotated[Rewarding, Query()]
    ) -> OpenRLHFReply:
        completions = [
            _completion(prompt, query, how.response_prefix)
            for prompt, query in zip(body.prompts, body.query, strict=True)
        ]
        asked = [asked_of(one) for one in completions]
        job = judging.job(JudgingRequest(votes=how.votes), asked)
        results = await judging.until_gone(request, job.results())
        judged = [judged_of(one) for one in results]
        correct = await run_in_threadpool(_correct, checker, how, body.labels, completions)
        return _reply(how, judged, correct)

    return routes


def _completion(prompt: str, query: str, response_prefix: str) -> Completion:
    """The completion alone; `query` starts with the prompt unless the trainer has removed it."""
    text = without_end_marks(query.removeprefix(prompt))
    return Completion.read(problem_text(prompt) or "", text, response_prefix=response_prefix)


def _correct(
    checker: AnswerChecker,
    how: Rewarding,
    labels: Sequence[object] | None,
    completions: Sequence[Completion],
) -> list[bool | None]:
    if how.kind is not Kind.FLAW_AWARE or labels is None:
        return [None] * len(completions)
    golds = [None if label is None else str(label) for label in labels]
    return check_answers(checker, golds, [one.text for one in completions])


def _reply(
    how: Rewarding, judged: Sequence[CompletionVerdict], correct: Sequence[bool | None]
) -> OpenRLHFReply:
    scoring = how.scoring
    pairs = list(zip(judged, correct, strict=True))
    rewards = [scoring(*pair) or 0.0 for pair in pairs]
    return OpenRLHFReply(
        rewards=rewards,
        scores=rewards,
        extra_logs={
            "genprm_abstained": [float(scoring.abstains(*pair)) for pair in pairs],
            "genprm_failed": [float(one.cause is not None) for one in judged],
            "genprm_steps": [float(len(one.rewards)) for one in judged],
        },
    )
