"""The refusals that every route's documentation lists."""

from genprm.server.errors import ErrorReply

_SAID = {
    400: "The body is not JSON.",
    401: "No valid API key.",
    403: "A page of another origin asked.",
    408: "The body did not arrive in time.",
    413: "The body, or the number of solutions, is too large.",
    415: "The body is not of type application/json.",
    421: "The service is not addressed by its name.",
    422: "A field is not usable; `field` names it.",
    429: "The queue is full; `Retry-After` says when to try again.",
    500: "A fault of the service.",
    503: "The engine or the sandbox is gone, or the service ends.",
    504: "Nothing was judged in time.",
}

refusals: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorReply, "description": said} for status, said in _SAID.items()
}
probe_refusals: dict[int | str, dict[str, object]] = {
    status: refusals[status] for status in (403, 421, 500, 503)
}
