r"""A language model as teacher: the paragraph format, its dialogue and its strict reading.

The teacher sees the whole solution in `<paragraph_i>` tags and writes, for each one,

    ### Paragraph 1
    <analyze> … </analyze>
    <verify> … ```python … ``` … </verify>

and at last the index of the first wrong paragraph, counted from 1, or -1, in `\boxed{}`. Its code
is run as it writes: the output is appended and it goes on (spec §3.5). The dialogue is a
generator without IO in the manner of `verify.session`; `ModelTeacher` drives it.
"""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from genprm.curate.teacher import Block, Critique, Paragraph, Unreadable
from genprm.errors import ContextExceeded
from genprm.model import Completion, Finish, Message, Model, Sampling
from genprm.problem import Problem
from genprm.sandbox import RunResult, SandboxBackend, SandboxSession
from genprm.verdict import Run, Usage
from genprm.verify import format as wire
from genprm.verify.session import Execute, Generate

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

THOUGHT_CLOSE = "</think>"
PARAGRAPH_OPEN = re.compile(r"(?m)^### Paragraph (\d+)[ \t]*\n")
_OUTPUT_MARK = "[Code Output]"
_LAST_FENCE = re.compile(r".*```(?:python|py)[ \t]*\n(.*)\Z", re.DOTALL | re.IGNORECASE)
_CONCLUSION = re.compile(r"\\boxed\{\s*(-?\d+)\s*\}")
_ANALYSIS = re.compile(r"<analyze>\s*(.*?)\s*</analyze>", re.DOTALL)
_VERIFICATION = re.compile(r"<verify>\s*(.*?)\s*</verify>", re.DOTALL)
_PREAMBLE = re.compile(
    r"\A(?:Let's analyze the Paragraph \d+ step by step:|"
    r"Let's use python code to find any potential error:)\s*"
)


@dataclass(frozen=True, slots=True)
class CritiqueSettings:
    """How a model teacher is asked."""

    thinks: bool = True
    max_tokens: int = 16384
    code_rounds: int = 64
    code_timeout: float = 5.0  # seconds per block
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a teacher wrote: its text in pieces, each run block between two of them.

    `runs[i]` was executed between `pieces[i]`, which ends with the fence that closed it, and
    `pieces[i + 1]`.
    """

    pieces: tuple[str, ...]
    runs: tuple[Run, ...]
    cut: Unreadable | None
    usage: Usage

    @property
    def text(self) -> str:
        """The text with the outputs where they appeared."""
        outputs = (wire.code_output(run.output) for run in self.runs)
        return self.pieces[0] + "".join(
            output + piece for output, piece in zip(outputs, self.pieces[1:], strict=True)
        )


Dialogue: TypeAlias = Generator[Generate | Execute, Completion | RunResult, Draft]


def messages(problem: str, steps: Sequence[str]) -> list[Message]:
    """What the teacher is asked."""
    paragraphs = "\n\n".join(
        f"<paragraph_{number}>\n{step}\n</paragraph_{number}>"
        for number, step in enumerate(steps, start=1)
    )
    content = INSTRUCTION.format(problem=problem, paragraphs=paragraphs)
    return [{"role": "user", "content": content}]


def write(prompt: str, settings: CritiqueSettings, context_length: int) -> Dialogue:
    """The dialogue: the teacher writes, code is run whenever a Python block closes."""
    writing = _Writing(prompt, settings, context_length)
    try:
        if settings.thinks:
            thought = yield from writing.generate((THOUGHT_CLOSE,))
            if thought.stop is None:
                return writing.draft(Unreadable.UNFINISHED)
            writing.prompt += THOUGHT_CLOSE
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
    """The critique as it grows."""

    prompt: str
    settings: CritiqueSettings
    context_length: int
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
        self.prompt += done.text
        self.usage += Usage(done.tokens_in, done.tokens_out, done.tokens_cached)
        self.context = done.tokens_in + done.tokens_out
        if done.finish is Finish.LENGTH:
            raise _OutOfBoundsError(Unreadable.UNFINISHED)
        return done

    def close_fence(
        self, unread: str
    ) -> Generator[Generate | Execute, Completion | RunResult, str]:
        """Run the block that the fence closes, if it is Python; what is left unread."""
        self.prompt += wire.FENCE_CLOSE
        self.pieces[-1] += wire.FENCE_CLOSE
        block = _LAST_FENCE.match(unread)
        if block is None:
            return unread + wire.FENCE_CLOSE
        if len(self.runs) == self.settings.code_rounds:
            raise _OutOfBoundsError(Unreadable.TOO_MANY_BLOCKS)
        result = yield Execute(block[1])
        assert isinstance(result, RunResult)
        self.runs.append(Run(block[1], result.text, result.status.value))
        self.prompt += wire.code_output(result.text)
        self.pieces.append("")
        self.usage += Usage(executions=1)
        return ""

    def draft(self, cut: Unreadable | None) -> Draft:
        return Draft(tuple(self.pieces or [""]), tuple(self.runs), cut, self.usage)


def read(draft: Draft, steps: int) -> Critique:
    """A draft as a critique of a solution with `steps` steps, or the cause why it is none."""
    try:
        if draft.cut is not None:
            raise _UnreadableError(draft.cut)
        wrong = _conclusion(draft, steps)
        judged = steps if wrong is None else wrong
        sections = _sections(draft)
        if [number for number, _ in sections[:judged]] != list(range(1, judged + 1)):
            raise _UnreadableError(Unreadable.PARAGRAPHS)
        paragraphs = tuple(
            _paragraph(section, draft.runs, right=number != wrong)
            for number, section in sections[:judged]
        )
    except _UnreadableError as fault:
        return Critique((), fault.cause, draft.text, draft.usage)
    return Critique(paragraphs, None, draft.text, draft.usage)


class _UnreadableError(Exception):
    def __init__(self, cause: Unreadable) -> None:
        self.cause = cause


_RUN_MARK = "\0"  # stands for an executed block's output while a draft is read


def _conclusion(draft: Draft, steps: int) -> int | None:
    """The number (from 1) of the first wrong paragraph; None for no error."""
    found = _CONCLUSION.findall(draft.pieces[-1].rsplit("</verify>", 1)[-1])
    if not found:
        raise _UnreadableError(Unreadable.NO_CONCLUSION)
    number = int(found[-1])
    if number != -1 and not 1 <= number <= steps:
        raise _UnreadableError(Unreadable.BAD_CONCLUSION)
    return None if number == -1 else number


def _sections(draft: Draft) -> list[tuple[int, str]]:
    """(number, text) of each paragraph's part, with a mark where a block's output stood."""
    if any(_OUTPUT_MARK in piece or _RUN_MARK in piece for piece in draft.pieces):
        raise _UnreadableError(Unreadable.INVENTED_OUTPUT)
    if any(wire.OUTPUT_OPEN in piece for piece in draft.pieces):
        raise _UnreadableError(Unreadable.JUDGEMENT)
    marked = draft.pieces[0] + "".join(
        f"{_RUN_MARK}{index}\n{piece}" for index, piece in enumerate(draft.pieces[1:])
    )
    parts = PARAGRAPH_OPEN.split(marked)[1:]
    return [(int(number), text) for number, text in zip(parts[::2], parts[1::2], strict=True)]


def _paragraph(section: str, runs: Sequence[Run], *, right: bool) -> Paragraph:
    analyses, verifications = _ANALYSIS.findall(section), _VERIFICATION.findall(section)
    if len(analyses) != 1 or _RUN_MARK in analyses[0] or section.count("<analyze>") != 1:
        raise _UnreadableError(Unreadable.ANALYSIS)
    if len(verifications) > 1 or section.count("<verify>") != len(verifications):
        raise _UnreadableError(Unreadable.VERIFICATION)
    analysis = _PREAMBLE.sub("", analyses[0])
    if not analysis:
        raise _UnreadableError(Unreadable.ANALYSIS)
    blocks, reflection = _blocks(verifications[0] if verifications else "", runs)
    return Paragraph(analysis, blocks, reflection, right)


def _blocks(verification: str, runs: Sequence[Run]) -> tuple[tuple[Block, ...], str]:
    blocks: list[Block] = []
    *before, reflection = re.split(rf"{_RUN_MARK}(\d+)\n", verification)
    for text, index in zip(before[::2], before[1::2], strict=True):
        run = runs[int(index)]
        prose, *code = re.split(r"```(?:python|py)[ \t]*\n", text, flags=re.IGNORECASE)
        if len(code) != 1 or "```" in prose:
            raise _UnreadableError(Unreadable.VERIFICATION)
        blocks.append(Block(_PREAMBLE.sub("", prose.strip()), run.code, run.output, run.status))
    if "```" in reflection:
        raise _UnreadableError(Unreadable.VERIFICATION)
    return tuple(blocks), reflection.strip()


class ModelTeacher:
    """A teacher that is a language model with a sandbox."""

    def __init__(
        self, model: Model, sandbox: SandboxBackend, settings: CritiqueSettings = CritiqueSettings()
    ) -> None:
        self.model = model
        self.sandbox = sandbox
        self.settings = settings

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    async def critique(self, problem: Problem, steps: Sequence[str], *, seed: int) -> Critique:
        """See `Teacher.critique`."""
        prompt = self.model.render(messages(problem.text, steps), generation_prompt=True)
        async with self.sandbox.session() as session:
            draft = await self._converse(prompt, session, seed)
        return read(draft, len(steps))

    async def _converse(self, prompt: str, session: SandboxSession, seed: int) -> Draft:
        dialogue = write(prompt, self.settings, self.model.context_length)
        try:
            action = next(dialogue)
            while True:
                try:
                    result = await self._perform(action, seed, session)
                except ContextExceeded as error:
                    action = dialogue.throw(error)
                else:
                    action = dialogue.send(result)
                seed += 1
        except StopIteration as end:
            draft: Draft = end.value
        return draft

    async def _perform(
        self, action: Generate | Execute, seed: int, session: SandboxSession
    ) -> Completion | RunResult:
        if isinstance(action, Execute):
            return await session.run(action.code, self.settings.code_timeout)
        return await self.model.complete(
            action.prompt,
            stop=action.stop,
            max_tokens=action.max_tokens,
            sampling=self.settings.sampling,
            seed=seed,
        )
