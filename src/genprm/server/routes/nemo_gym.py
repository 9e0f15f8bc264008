"""POST /verify: a resources server of NeMo Gym, whose requests hold OpenAI Responses objects."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, StrictFloat, StrictInt

from genprm.answer import AnswerChecker
from genprm.rewards.batch import check_answers
from genprm.rewards.chats import completion_text, problem_text
from genprm.rewards.completion import Completion
from genprm.rewards.scoring import Kind
from genprm.server.judging import Judging
from genprm.server.requests import JudgingRequest
from genprm.server.routes.documented import refusals
from genprm.server.routes.trainers import Rewarding, asked_of, judged_of


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class CreateParams(_Open):
    """The model's input: a text, or a list of messages."""

    input: str | list[object]


class Response(_Open):
    """The model's output: messages, tool calls, reasoning."""

    output: list[object]


class GymRequest(_Open):
    """A finished rollout. Other fields may give the problem and the gold answer."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "responses_create_params": {
                        "input": [{"role": "user", "content": "What is 1 + 1?"}]
                    },
                    "response": {
                        "output": [
                            {
                                "type": "message",
                                "role": "assistant",
                                "content": [{"type": "output_text", "text": "1 + 1 = 2."}],
                            }
                        ]
                    },
                    "expected_answer": "2",
                }
            ]
        },
    )

    responses_create_params: CreateParams
    response: Response
    problem: str | None = None
    question: str | None = None
    expected_answer: str | StrictInt | StrictFloat | None = None


class GymReply(GymRequest):
    """The rollout with its reward; `mask_sample` is set if the reward is meaningless."""

    reward: float
    reward_components: dict[str, float]
    mask_sample: bool
    failure_reason: str | None = None
    step_rewards: list[float | None]
    first_error: int | None


def router(judging: Judging, checker: AnswerChecker) -> APIRouter:
    """The routes that Gym's agents call."""
    routes = APIRouter()

    @routes.post(
        "/verify",
        responses=refusals,
        summary="NeMo Gym: the reward of one rollout. The URL's query says how to reward.",
    )
    async def verify(
        body: GymRequest, request: Request, how: Annotated[Rewarding, Query()]
    ) -> GymReply:
        completion = _completion(body, how.response_prefix)
        job = judging.job(JudgingRequest(votes=how.votes), [asked_of(completion)])
        (result,) = await judging.until_gone(request, job.results())
        judged = judged_of(result)
        correct = await run_in_threadpool(_correct, checker, how, body, completion)
        reward = how.scoring(judged, correct) or 0.0
        return GymReply(
            **body.model_dump(exclude=set(GymReply.model_fields) - set(GymRequest.model_fields)),
            reward=reward,
            reward_components={"genprm": reward},
            mask_sample=how.scoring.abstains(judged, correct),
            failure_reason=judged.cause,
            step_rewards=list(judged.rewards),
            first_error=judged.first_error,
        )

    @routes.post("/seed_session", responses=refusals, summary="NeMo Gym: there is no session.")
    async def seed_session() -> dict[str, object]:
        return {}

    @routes.post("/close_session", responses=refusals, summary="NeMo Gym: there is no session.")
    async def close_session() -> dict[str, object]:
        return {}

    @routes.get(
        "/reverify_mode",
        responses=refusals,
        summary="NeMo Gym: a rollout may be verified again, since nothing is kept of it.",
    )
    async def reverify_mode() -> str:
        return "stateless"

    return routes


def _completion(body: GymRequest, response_prefix: str) -> Completion:
    problem = body.problem or body.question or problem_text(body.responses_create_params.input)
    text = completion_text(body.response.output) or ""
    return Completion.read(problem or "", text, response_prefix=response_prefix)


def _correct(
    checker: AnswerChecker, how: Rewarding, body: GymRequest, completion: Completion
) -> bool | None:
    if how.kind is not Kind.FLAW_AWARE or body.expected_answer is None:
        return None
    return check_answers(checker, [str(body.expected_answer)], [completion.text])[0]
