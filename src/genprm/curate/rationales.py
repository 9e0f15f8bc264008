"""Stage 4, rationales: the teacher's critiques of every path; a row is a critique."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from genprm.concurrency import as_finished
from genprm.curate.folder import KEY, StageJournal, draw_seed
from genprm.curate.recipe import Rationales
from genprm.curate.rollouts import Tree
from genprm.curate.solutions import Path
from genprm.curate.teacher import Teacher
from genprm.problem import Problem


@dataclass(frozen=True, slots=True)
class Question:
    """One critique to ask for."""

    problem: Problem
    path: Path
    sample: int

    @property
    def key(self) -> str:
        """What names the critique in the journal."""
        return f"{self.path.id}~{self.sample}"


def questions(forest: Iterable[Tree], samples: int) -> Iterator[Question]:
    """`samples` critiques of every path, in order."""
    return (
        Question(tree.problem, path, sample)
        for tree in forest
        for path in tree.paths
        for sample in range(samples)
    )


async def write_rationales(
    asked: Sequence[Question],
    teacher: Teacher,
    settings: Rationales,
    *,
    seed: int,
    journal: StageJournal,
    on_critique: Callable[[], None] = lambda: None,
) -> None:
    """Ask the teacher; each critique is journalled as it finishes.

    Raises:
        ModelError, SandboxError: what the teacher works with failed for good.
    """

    async def ask(question: Question) -> None:
        key = question.key
        critique = await teacher.critique(
            question.problem, question.path.steps, seed=draw_seed(seed, "rationale", key)
        )
        row = {KEY: key, "path": question.path.id, "sample": question.sample}
        journal.append({**row, **critique.to_row()})

    async def answered(question: Question) -> None:
        if question.key not in journal:
            await ask(question)
        on_critique()

    async with aclosing(as_finished(map(answered, asked), settings.concurrency)) as asking:
        async for _ in asking:
            pass
