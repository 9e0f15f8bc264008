r"""The prompt for critics of whole solutions, and how their answer is read.

The prompt is ProcessBench's, on which critics are evaluated and trained: paragraphs are tagged and
count from 0, the answer is the last `\boxed{}`. `REVIEW` is ours, for a critic whose code is run.
"""

import re
from collections.abc import Sequence

from genprm.model import Message

TASK = (
    "The following is a math problem and a solution (split into paragraphs, enclosed with tags "
    "and indexed from 0):\n\n"
    "[Math Problem]\n\n"
    "{problem}\n\n"
    "[Solution]\n\n"
    "{tagged_response}\n\n"
    "Your task is to review and critique the solution paragraph by paragraph. Once you identify "
    "an error in a paragraph, return the index of the paragraph where the earliest error occurs. "
    'Otherwise, return the index of -1 (which typically denotes "not found").\n\n'
)
REVIEW = (
    "Write about each paragraph under a heading of its own, such as ### Paragraph 0, and stop at "
    "the first paragraph with an error. You may check a paragraph with Python: a block that begins "
    "with ```python is run as soon as it is closed, and what it prints is shown to you under "
    "[Code Output]; never write that part yourself.\n\n"
)
ANSWER = "Please put your final answer (i.e., the index) in \\boxed{}."
INDEX_OPEN = "\n\nThe index of the paragraph where the earliest error occurs: \\boxed{"
INDEX_CLOSE = "}"

_BOX = re.compile(r"\\boxed\{([^{}]{0,40})\}")
_TAG = re.compile(r"<(?=/?paragraph_)", re.IGNORECASE)
_HEADING = re.compile(r"(?im)^[#*\s]*paragraph[ _](\d{1,6})\b[*:.)\s]*")


def critique_prompt(problem: str, steps: Sequence[str], *, review: str = "") -> str:
    """The benchmark's prompt for a solution; `review` says more about how to write the review."""
    tagged = "".join(
        f"<paragraph_{index}>\n{step}\n</paragraph_{index}>\n\n" for index, step in enumerate(steps)
    )
    return TASK.format(problem=problem, tagged_response=tagged.strip()) + review + ANSWER


def critique_messages(problem: str, steps: Sequence[str]) -> list[Message]:
    """The chat for a critic whose code is run. A step cannot close its own tag."""
    apart = [_TAG.sub("< ", step) for step in steps]
    return [{"role": "user", "content": critique_prompt(problem, apart, review=REVIEW)}]


def names_index(critique: str) -> bool:
    r"""Whether there is a `\boxed{}` at all."""
    return _BOX.search(critique) is not None


def named_index(critique: str, steps: int) -> int | None:
    r"""The index in the last `\boxed{}`; None if there is none, or it names no paragraph."""
    boxed = _BOX.findall(critique)
    try:
        index = int(boxed[-1].strip()) if boxed else None
    except ValueError:
        return None
    return index if index is not None and -1 <= index < steps else None


def sections(critique: str) -> dict[int, str]:
    """What a critique says about each paragraph under its heading, by the paragraph's index."""
    headings = list(_HEADING.finditer(critique))
    ends = [heading.start() for heading in headings[1:]]
    found: dict[int, str] = {}
    for heading, end in zip(headings, [*ends, len(critique)], strict=False):
        text = critique[heading.end() : end].strip()
        found[int(heading[1])] = "\n\n".join(filter(None, (found.get(int(heading[1])), text)))
    return found
