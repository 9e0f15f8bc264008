"""Why a completion ended, in the terms of several servers; an unknown reason is not an end."""

from genprm.http import BadReply, Refused
from genprm.model import Finish

_ENDS = {"stop", "eos", "eos_token", "stop_sequence", "stop_token", "end_turn", "stop_str"}
_LENGTHS = {"length", "max_tokens", "max_length", "max_new_tokens", "model_length"}
_FILTERS = {"content_filter", "safety", "sensitive"}


def ended(reason: str) -> str:
    """A finish reason that means an end: "stop" or "length".

    Raises:
        BadReply: the server gave up, or the reason is unknown. Refused: its content filter stopped
            the text.
    """
    known = reason.lower()
    if known in _FILTERS:
        raise Refused(400, f"the server's filter refused the text (finish_reason {reason!r})")
    if known not in _ENDS | _LENGTHS:
        raise BadReply(f"the server gave up (finish_reason {reason[:60]!r})")
    return "length" if known in _LENGTHS else "stop"


def finish_of(reason: str | None, stop: str | int | None) -> Finish:
    """Why a whole reply ended; `stop` is the stop string or token that its server names.

    Raises:
        BadReply, Refused: as `ended`; or there is no reason at all.
    """
    if not reason:
        raise BadReply("the reply has no finish_reason, so it may be cut off")
    if ended(reason) == "length":
        return Finish.LENGTH
    return Finish.STOP if isinstance(stop, str) else Finish.EOS
