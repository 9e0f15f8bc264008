r"""Every tag, prefix and stop string of the wire format (spec §2), defined only here.

The released checkpoints were trained on these exact strings: they are a protocol. One judged
step is one assistant turn:

    <analyze>
    Let's analyze the Paragraph 1 step by step: …
    </analyze>
    <verify>
    Let's use python code to find any potential error:
    ```python
    …
    ```
    [Code Output]

    ```
    …
    ```
    …
    </verify>
    <output>
    **Judgement**: $\boxed{Yes}$
    </output>
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from genprm.model import Message
from genprm.sandbox import RunResult

SYSTEM = "You are a math teacher. Your task is to review and critique the paragraphs in solution "
SYSTEM_GENERATIVE = SYSTEM + "step by step."
SYSTEM_DIRECT = (
    SYSTEM + r"directly. Output your judgement in the format of `\boxed{Yes}` if the paragraph is "
    r"correct, or `\boxed{No}` if the paragraph is incorrect."
)

FORMAT_STATED = """

Write every review in exactly this form, and end it with one word, Yes if the paragraph is correct \
or No if it is not. For example, where the paragraph says "7 * 6 = 48.":

<analyze>
Let's analyze the Paragraph 1 step by step: It multiplies 7 by 6. 7 * 6 = 42, not 48.
</analyze>
<output>
**Judgement**: $\\boxed{No}$
</output>"""
"""What GenPRM's checkpoints were taught and no other model knows."""

ANALYZE_CLOSE = "</analyze>\n"
VERIFY_OPEN = "<verify>\nLet's use python code to find any potential error:\n```python\n"
VERIFY_CLOSE = "</verify>\n"
FENCE_OPEN = "```python\n"
FENCE_CLOSE = "\n```\n"
OUTPUT_OPEN = "<output>"
JUDGEMENT_OPEN = OUTPUT_OPEN + "\n**Judgement**: $\\boxed{"
JUDGEMENT_CLOSE = "}$\n</output>\n"
DIRECT_OPEN = "\\boxed{"
DIRECT_CLOSE = "}"
YES, NO = "Yes", "No"
THOUGHT_OPEN, THOUGHT_CLOSE = "<think>", "</think>"

_LINE_BYTES = 256  # of a line of an output that is too long

_LAST_FENCE = re.compile(r".*```(?:python|py)[ \t]*\n(.*)\Z", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"\A<think>.*?</think>\s*", re.DOTALL)
_MARKED = re.compile(
    r"</?(?:analyze|verify|output|think)>|\*\*Judgement\*\*:\s*\$?(?:\\boxed\{[^{}\n]{0,40}\}\$?)?",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?(?:analyze|verify|output)>|\*\*Judgement\*\*|\[Code Output\]", re.IGNORECASE)


def analyze_open(step: int) -> str:
    """The beginning of the analysis of step `step` (from 1)."""
    return f"<analyze>\nLet's analyze the Paragraph {step} step by step: "


def code_output(text: str) -> str:
    """The text that is appended after an executed block."""
    return f"[Code Output]\n\n```\n{text}\n```\n"


def untagged(text: str) -> str:
    """`text` with a space inserted in each tag of the wire format: `< output>`.

    Otherwise a step that contains `<output>` and a judgement would look like a turn of the model,
    because the prompt of a step ends without an assistant marker.
    """
    return _TAG.sub(lambda tag: f"{tag[0][0]} {tag[0][1:]}", text)


def last_block(text: str) -> str | None:
    """The code of the last block of Python that is open at the end of `text`."""
    found = _LAST_FENCE.match(text)
    return found[1] if found else None


def begins_thought(prompt: str) -> bool:
    """Whether a rendered prompt ends in an open thought, as with templates of reasoning models."""
    return prompt.rstrip().endswith(THOUGHT_OPEN)


def without_thought(turn: str) -> str:
    """A turn as later turns see it: without the thought that a reasoning model wrote first."""
    return _THOUGHT.sub("", turn)


def without_tags(text: str) -> str:
    """An analysis as people and policies read it, without tags of the wire format and judgement."""
    return _MARKED.sub("", text).strip()


def shortened(text: str, most: int) -> str:
    """`text` if it has at most `most` bytes, otherwise shortened in the middle, with marks.

    First each long line is shortened, then the whole, so that one huge line does not hide the
    others. A byte-level tokenizer makes at most one token from each byte, so a limit on bytes is
    also a limit on tokens.
    """
    if len(text.encode("utf-8", "replace")) <= most:
        return text
    lines = (cut_middle(line, _LINE_BYTES) for line in text.split("\n"))
    return cut_middle("\n".join(lines), most)


def cut_middle(text: str, most: int) -> str:
    """`text` in at most `most` bytes, with a mark for what is left out in the middle."""
    data = text.encode("utf-8", "replace")
    if len(data) <= most:
        return text
    head = data[: most - most // 3].decode("utf-8", "ignore")
    tail = data[len(data) - most // 3 :].decode("utf-8", "ignore")
    return f"{head}\n[... {len(text) - len(head) - len(tail)} characters left out ...]\n{tail}"


class Mode(StrEnum):
    """What a vote does before it judges (the rows of Table 5)."""

    GENPRM = "genprm"  # analysis, code, execution
    COT = "cot"  # analysis only
    CODE = "code"  # code and execution, no analysis
    NO_EXEC = "no-exec"  # analysis and code that is not run
    DIRECT = "direct"  # nothing (eq. 3)
    CRITIQUE = "critique"  # one review of the whole solution, with code where the model writes it

    @property
    def analyses(self) -> bool:
        """Whether the vote starts with an analysis."""
        return self in (Mode.GENPRM, Mode.COT, Mode.NO_EXEC)

    @property
    def codes(self) -> bool:
        """Whether the vote writes code."""
        return self in (Mode.GENPRM, Mode.CODE, Mode.NO_EXEC)

    @property
    def executes(self) -> bool:
        """Whether the vote's code is run and its output shown."""
        return self in (Mode.GENPRM, Mode.CODE)


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """Details in which the authors' own programs differ; the defaults reproduce the logged prompts.

    `general` is for models that were not trained to verify: the prompt describes the format with
    an example, and the assistant marker precedes the turn.
    """

    question_prefix: bool = True  # False: the evaluator's `{problem}\n{step_1}`
    assistant_marker: bool = False  # True: the template's marker before `<analyze>`
    reference_output: bool = False  # True: drop what was printed before an error
    general: bool = False  # True: state the format, for any instruct model

    def messages(
        self, problem: str, steps: Sequence[str], turns: Sequence[str], *, mode: Mode
    ) -> list[Message]:
        """The chat up to and including the user turn of step `len(turns) + 1`.

        `turns` are the assistant turns kept as history for the earlier steps.
        """
        system = SYSTEM_DIRECT if mode is Mode.DIRECT else SYSTEM_GENERATIVE
        if self.general and mode is not Mode.DIRECT:
            system += FORMAT_STATED
        chat: list[Message] = [{"role": "system", "content": system}]
        for index in range(len(turns) + 1):
            user = self._first_turn(problem, steps[0]) if index == 0 else steps[index]
            chat.append({"role": "user", "content": untagged(user)})
            if index < len(turns):
                chat.append({"role": "assistant", "content": turns[index]})
        return chat

    @property
    def marks_assistant(self) -> bool:
        """Whether the template's assistant marker precedes the turn."""
        return self.assistant_marker or self.general

    def output(self, result: RunResult) -> str:
        """The output of an execution as the model reads it."""
        return result.reference_text if self.reference_output else result.text

    def _first_turn(self, problem: str, step: str) -> str:
        return f"Question: {problem}\n\n{step}" if self.question_prefix else f"{problem}\n{step}"
