r"""What a language model is asked as teacher, and the dialogue in which it answers.

The teacher sees the whole solution in `<paragraph_i>` tags and writes, for each one,

    ### Paragraph 1
    <analyze> … </analyze>
    <verify> … ```python … ``` … </verify>

and at the end the index of the first incorrect paragraph, counted from 1, or -1, in `\boxed{}`. Its
code is run while it writes: the output is appended, and it continues (spec §3.5). Like
`verify.session`, the dialogue is a generator without I/O; `critique.ModelTeacher` drives it, and
`parse_critique` reads what was written.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from genprm.errors import ContextExceeded
from genprm.model import Completion, Finish, Message, Sampling
from genprm.records.critiques import Unreadable
from genprm.sandbox import RunResult
from genprm.verdict import Run, Usage
from genprm.verify import format as wire
from genprm.verify.turn import Execute, Generate

INSTRUCTION = r"""The following is a math problem and a solution, split into paragraphs, each \
enclosed in tags and indexed from 1:

[Math Problem]

{problem}

[Solution]

{paragraphs}

Review and critique the solution paragraph by paragraph. For each paragraph write

### Paragraph <index>
<analyze>
Analyze the paragraph in detail: its relation to the problem and to earlier paragraphs, every \
deduction and every calculation. Re-derive what it claims before you believe it.
</analyze>
<verify>
Check it with Python code in one or more blocks:
```python
...
```
Each block is executed as soon as it is closed, in one namespace for the whole review, and what \
it prints is shown to you under [Code Output]; never write that part yourself. Then say what the \
output means.
</verify>

Stop at the first paragraph with an error. At the end give the index of that paragraph in \
\boxed{{}}, or \boxed{{-1}} if no paragraph has an error.""".replace("\\\n", "")

OUTPUT_BYTES = 4096  # of one block's output that the teacher reads


@dataclass(frozen=True, slots=True)
class CritiqueSettings:
    """How a teacher that is a model is prompted."""

    thinks: bool = True
    max_tokens: int = 16384
    code_rounds: int = 64
    code_timeout: float = 5.0  # seconds per block
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a teacher wrote: its text in pieces, with an executed block between two of them.

    `runs[i]` was executed between `pieces[i]`, which ends with the fence that closed it, and
    `pieces[i + 1]`.
    """

    pieces: tuple[str, ...]
    runs: tuple[Run, ...]
    cut: Unreadable | None
    usage: Usage

    @property
    def text(self) -> str:
        """The text with the outputs in their places."""
        outputs = (wire.code_output(run.output) for run in self.runs)
        return self.pieces[0] + "".join(
            output + piece for output, piece in zip(outputs, self.pieces[1:], strict=True)
        )


Dialogue: TypeAlias = Generator[Generate | Execute, Completion | RunResult, Draft]


def messages(problem: str, steps: Sequence[str]) -> list[Message]:
    """The messages that the teacher is sent."""
    paragraphs = "\n\n".join(
        f"<paragraph_{number}>\n{step}\n</paragraph_{number}>"
        for number, step in enumerate(steps, start=1)
    )
    content = INSTRUCTION.format(problem=problem, paragraphs=paragraphs)
    return [{"role": "user", "content": content}]


def write(
    prompt: str,
    settings: CritiqueSettings,
    context_length: int,
    literal: Callable[[str], str] = str,
) -> Dialogue:
    """The dialogue: the teacher writes, and code is run whenever a Python block is complete.

    `literal` is the model's (`Model.literal`).
    """
    writing = _Writing(prompt, settings, context_length, literal)
    try:
        if settings.thinks:
            thought = yield from writing.generate((wire.THOUGHT_CLOSE,))
            if thought.stop is None:
                return writing.draft(Unreadable.NO_THOUGHT)
            writing.prompt += wire.THOUGHT_CLOSE
        unread = ""
        writing.pieces.append("")
        while True:
            done = yield from writing.generate((wire.FENCE_CLOSE,))
            unread += done.text
            writing.pieces[-1] += done.text
            if done.stop is None:
                return writing.draft(None)
            unread = yield from writing.close_fence(unread)
    except ContextExceeded:
        return writing.draft(Unreadable.UNFINISHED)
    except _OutOfBoundsError as bound:
        return writing.draft(bound.cause)


class _OutOfBoundsError(Exception):
    def __init__(self, cause: Unreadable) -> None:
        self.cause = cause


@dataclass(slots=True)
class _Writing:
    """The critique while it is being written."""

    prompt: str
    settings: CritiqueSettings
    context_length: int
    literal: Callable[[str], str]
    pieces: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    context: int = 0  # tokens that prompt and critique held at the last completion

    def generate(
        self, stop: tuple[str, ...]
    ) -> Generator[Generate | Execute, Completion | RunResult, Completion]:
        budget = self.settings.max_tokens - self.usage.tokens_out
        room = self.context_length - self.context
        if min(budget, room) <= 0:
            raise _OutOfBoundsError(Unreadable.UNFINISHED)
        done = yield Generate(self.prompt, stop, min(budget, room))
        assert isinstance(done, Completion)
        self.prompt += self.literal(done.text)
        self.usage += Usage(done.tokens_in, done.tokens_out, done.tokens_cached)
        self.context = done.tokens_in + done.tokens_out
        if done.finish is Finish.LENGTH:
            raise _OutOfBoundsError(Unreadable.UNFINISHED)
        return done

    def close_fence(
        self, unread: str
    ) -> Generator[Generate | Execute, Completion | RunResult, str]:
        """Run the block that the fence closes, if it is Python."""
        self.prompt += wire.FENCE_CLOSE
        self.pieces[-1] += wire.FENCE_CLOSE
        block = wire.last_block(unread)
        if block is None:
            return unread + wire.FENCE_CLOSE
        if len(self.runs) == self.settings.code_rounds:
            raise _OutOfBoundsError(Unreadable.TOO_MANY_BLOCKS)
        result = yield Execute(block)
        assert isinstance(result, RunResult)
        output = wire.shortened(wire.untagged(result.text), OUTPUT_BYTES)
        self.runs.append(Run(block, output, result.status.value))
        self.prompt += wire.code_output(self.literal(output))
        self.pieces.append("")
        self.usage += Usage(executions=1)
        return ""

    def draft(self, cut: Unreadable | None) -> Draft:
        return Draft(tuple(self.pieces or [""]), tuple(self.runs), cut, self.usage)
