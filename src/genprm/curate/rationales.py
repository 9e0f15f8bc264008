"""Stage 4, rationales: the teacher's critiques of every labelled path; a row is a critique."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing

from genprm.concurrency import as_finished
from genprm.curate.folder import KEY, draw_seed
from genprm.curate.labels import LabelledPath
from genprm.curate.recipe import Rationales
from genprm.curate.teacher import Teacher
from genprm.journal import Journal
from genprm.problem import Problem


async def write_rationales(
    paths: Sequence[LabelledPath],
    problems: Mapping[str, Problem],
    teacher: Teacher,
    settings: Rationales,
    *,
    seed: int,
    journal: Journal,
    on_critique: Callable[[], None] = lambda: None,
) -> None:
    """Ask for each path's critiques; each is journalled as it finishes.

    Raises:
        ModelError, SandboxError: what the teacher works with failed for good.
    """

    async def ask(path: LabelledPath, sample: int) -> None:
        key = critique_key(path, sample)
        critique = await teacher.critique(
            problems[path.problem], path.steps, seed=draw_seed(seed, "rationale", key)
        )
        journal.append({KEY: key, "path": path.id, "sample": sample, **critique.to_row()})
        on_critique()

    jobs = (
        ask(path, sample)
        for path, sample in critiques(paths, settings.samples)
        if critique_key(path, sample) not in journal
    )
    async with aclosing(as_finished(jobs, settings.concurrency)) as asking:
        async for _ in asking:
            pass


def critiques(paths: Sequence[LabelledPath], samples: int) -> Iterator[tuple[LabelledPath, int]]:
    """All (path, sample) pairs, in order."""
    return ((path, sample) for path in paths for sample in range(samples))


def critique_key(path: LabelledPath, sample: int) -> str:
    """What names a critique in the journal."""
    return f"{path.id}~{sample}"
