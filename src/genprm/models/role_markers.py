"""What a chat template writes in plain text to start a turn: `USER:`, `### Response:`, `问：`.

If a template opens its turns with control tokens, `control_tokens` is enough. Others (Vicuna,
Alpaca, Phi-2, ChatGLM, early DeepSeek) open them in plain text, which a step or the output of code
could contain as well. So the template is rendered once over made-up turns, and the text between
their contents is what opens turns.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import jinja2
from jinja2 import nodes

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
_MARKER = re.compile(r"<[^\s<>]{1,60}>|\[/?[A-Za-z_]{2,40}\]|<<[^\s<>]{1,40}>>")
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

    `without_tokens` removes control tokens from a text. If a line contains one, the other words on
    it do not open a turn by themselves (`user` in `<|im_start|>user`), unless they end in a colon.
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


def markers_of(template: str) -> frozenset[str]:
    """The markers that a chat template writes: `<...>` and `[...]` in its text and its strings.

    Raises:
        jinja2.TemplateSyntaxError: it is no template.
    """
    tree = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).parse(template)
    texts = [part.data for part in tree.find_all(nodes.TemplateData)]
    texts += [part.value for part in tree.find_all(nodes.Const) if isinstance(part.value, str)]
    return frozenset(marker for text in texts for marker in _MARKER.findall(text))
