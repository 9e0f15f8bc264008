"""Renders foreign chat templates in a separate process that can be killed."""

import os
import threading
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from genprm.json_process import ChildLost, JsonProcess
from genprm.model import Message
from genprm.models import template_program
from genprm.models.template_program import EndlessTemplate, TemplateFault

_GRACE = 2.0  # seconds that the child has to stop a template by itself


class _Shared:
    """The process that renders all templates; it is started for the first one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = JsonProcess("genprm.models.template_child", 0)


_shared = _Shared()
os.register_at_fork(after_in_child=_shared.__init__)  # type: ignore[misc]


def render(
    source: str,
    tokens: Mapping[str, str],
    messages: Sequence[Message],
    *,
    generation_prompt: bool,
) -> str:
    """The prompt.

    Raises:
        TemplateFault: the template failed, did not end, or needed too much memory.
    """
    turns: list[JsonValue] = [{"role": m["role"], "content": m["content"]} for m in messages]
    request: dict[str, JsonValue] = {
        "source": source,
        "tokens": dict(tokens),
        "messages": turns,
        "generation_prompt": generation_prompt,
        "seconds": template_program.RENDER_SECONDS,
    }
    with _shared.lock:
        try:
            answer = _shared.process.ask(request, seconds=template_program.RENDER_SECONDS + _GRACE)
        except ChildLost as error:
            raise EndlessTemplate(
                f"the process that renders the chat template: {error}; "
                "fix: name the model's own with --chat-template"
            ) from None
    if "fault" in answer:
        raise (EndlessTemplate if answer["endless"] else TemplateFault)(str(answer["fault"]))
    return str(answer["text"])
