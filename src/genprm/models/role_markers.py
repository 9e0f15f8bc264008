"""What a chat template writes in plain text to open a turn: `USER:`, `### Response:`, `问：`.

A template whose turns are opened by control tokens needs no more than `control_tokens`. Others
(Vicuna, Alpaca, Phi-2, ChatGLM, early DeepSeek) open them in plain text, which a step or the output
of code could hold as well. So the template is rendered once over made-up turns, and the text that
stands between their contents is what opens turns.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from genprm.model import Message
from genprm.models.template_program import EndlessTemplate, TemplateFault

_CONTENTS = ("zqContentOne", "zqContentTwo", "zqContentThree", "zqContentFour")
_PROBES: tuple[tuple[Message, ...], ...] = (
    (
        {"role": "system", "content": _CONTENTS[0]},
        {"role": "user", "content": _CONTENTS[1]},
        {"role": "assistant", "content": _CONTENTS[2]},
        {"role": "user", "content": _CONTENTS[3]},
    ),
    (
        {"role": "user", "content": _CONTENTS[1]},
        {"role": "assistant", "content": _CONTENTS[2]},
        {"role": "user", "content": _CONTENTS[3]},
    ),
    ({"role": "user", "content": _CONTENTS[1]},),
)
_SENTINEL = re.compile("|".join(_CONTENTS))
_ENDS_WITH_COLON = re.compile(r".*[:：]", re.S)
_LONGEST = 60  # characters of a marker; longer text is a default system prompt

Render = Callable[[Sequence[Message]], str]


def probe(render: Render) -> str:
    """The first made-up chat that a template takes, rendered with its assistant marker.

    Raises:
        TemplateFault: what `render` raises on the simplest one, or that it does not end.
    """
    for turns in _PROBES[:-1]:
        try:
            return render(turns)
        except EndlessTemplate:
            raise
        except TemplateFault:  # a template may refuse a system turn, or an assistant's
            continue
    return render(_PROBES[-1])


def role_markers(rendered: str, without_tokens: Callable[[str], str]) -> frozenset[str]:
    """The plain-text markers in a rendered probe.

    `without_tokens` takes control tokens out of a text. Where a line holds one, the words beside it
    open nothing by themselves (`user` in `<|im_start|>user`), unless they end with a colon.
    """
    return frozenset(_markers(rendered, without_tokens))


def _markers(rendered: str, without_tokens: Callable[[str], str]) -> Iterator[str]:
    for part in _SENTINEL.split(rendered):
        for line in part.splitlines():
            plain = without_tokens(line)
            marker = plain.strip()
            opens = plain == line or _ENDS_WITH_COLON.fullmatch(marker)
            if opens and len(marker) <= _LONGEST and any(map(str.isalpha, marker)):
                yield marker


def marker_pattern(marker: str) -> str:
    """A pattern of the marker wherever it could be read as one, however it is spaced or counted.

    A space behind its first character makes it another text, so none is allowed for there.
    """
    if re.match(r".[\s:：]", marker):
        spaced = re.escape(marker)
    else:
        spaced = r"[ \t]*".join(map(re.escape, marker.split()))
        spaced = re.sub("([:：])", r"[ \\t]*\1", spaced)
    spaced = re.sub(r"\d+", r"\\d{1,6}", spaced)
    return rf"(?<!\w){spaced}" if marker[0].isalnum() else spaced
