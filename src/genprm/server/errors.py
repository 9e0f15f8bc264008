"""The format of every error: `{"error": {"message", "field", "fix"}}`."""

import json
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

from genprm.errors import GenprmError, InputError
from genprm.records.record import without_surrogates

LATER = "send the request again later"


class ErrorDetail(BaseModel):
    """What went wrong, in which field of the request, if any, and what to do."""

    message: str
    field: str | None = None
    fix: str


class ErrorReply(BaseModel):
    """The body of every reply that is not a success."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "message": "Input should be greater than or equal to 1",
                        "field": "votes",
                        "fix": "correct the field",
                    }
                }
            ]
        }
    )

    error: ErrorDetail


class Refusal(GenprmError):
    """Raised to answer a request with this status and this error.

    Args:
        status: the HTTP status.
        message: what is wrong; a part after "; fix:" says what to do.
        field: the field of the request that is wrong.
        fix: what to do, if the message does not say it.
        retry_after: seconds after which to try again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        fix: str = "correct the request",
        retry_after: int | None = None,
    ) -> None:
        cause, _, told = " ".join(message.split()).partition("; fix: ")
        super().__init__(cause)
        self.status = status
        self.detail = ErrorDetail(message=cause, field=field, fix=told or fix)
        self.retry_after = retry_after

    def response(self) -> Response:
        """The reply."""
        body = json.dumps(without_surrogates({"error": self.detail.model_dump()}))
        later = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return Response(body, self.status, later, media_type="application/json")


def shutting_down() -> Refusal:
    """The refusal while the service is shutting down."""
    return Refusal(503, "the service is shutting down", fix=LATER, retry_after=5)


def refusal_of(error: Exception) -> Refusal:
    """The reply to a failure of the judge: 503 if its engine or sandbox is gone."""
    match error:
        case Refusal():
            return error
        case InputError():
            return Refusal(422, str(error))
        case GenprmError():
            return Refusal(503, str(error), fix=LATER, retry_after=5)
    return Refusal(500, f"{type(error).__name__}: {error}", fix="report this; the service goes on")


def translate_errors(app: FastAPI) -> None:
    """Give every error of the application this format."""

    async def unusable(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return invalid(error.errors()[0]).response()

    async def of_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        refusal = Refusal(error.status_code, *_SAID.get(error.status_code, (str(error.detail),)))
        reply = refusal.response()
        reply.headers.update(error.headers or {})
        return reply

    async def failed(_: Request, error: Exception) -> Response:
        return refusal_of(error).response()

    app.add_exception_handler(RequestValidationError, unusable)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(GenprmError, failed)
    app.add_exception_handler(Exception, failed)


_SAID: Mapping[int, tuple[str]] = {
    400: ("the body is not JSON that can be read; fix: send one JSON object, not nested deeply",),
    404: ("there is no such route; fix: see /openapi.json for the routes",),
    405: ("the route does not take this method; fix: see /openapi.json for its methods",),
}


def invalid(fault: Mapping[str, object], prefix: str = "") -> Refusal:
    """The reply to an error that pydantic found."""
    cause = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "json_invalid":
        return Refusal(400, f"the body is not JSON: {_context(fault)}", fix="send a JSON object")
    place = fault["loc"]
    parts = list(place) if isinstance(place, tuple) else []
    parts = [part for part in parts if "[" not in str(part)]  # a kind of a union is no field
    field = ".".join([prefix, *map(str, parts[1:] if parts[:1] == ["body"] else parts)]).strip(".")
    return Refusal(422, cause, field=field or "body", fix="correct the field")


def _context(fault: Mapping[str, object]) -> object:
    context = fault.get("ctx")
    return context.get("error", "") if isinstance(context, Mapping) else ""
