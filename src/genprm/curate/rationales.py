"""Stage 4, rationales: the teacher's critiques of every path; a row is a critique."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from genprm.concurrency import as_finished
from genprm.curate.recipe import Rationales
from genprm.curate.rollouts import ProblemPaths
from genprm.curate.samples import SolutionPath
from genprm.curate.teacher import Teacher
from genprm.errors import InputError, RequestFailed
from genprm.journal import Journal
from genprm.problem import Problem
from genprm.records.critiques import Critique, CritiqueRow, Unreadable
from genprm.records.run_spec import JudgeSpec
from genprm.seeds import seed_of
from genprm.worker import Worker

_THOUGHTS = 8  # critiques after which a teacher that never closed a thought is said not to think


@dataclass(frozen=True, slots=True)
class Question:
    """One critique that is to be written."""

    problem: Problem
    path: SolutionPath
    sample: int

    @property
    def key(self) -> str:
        """The key of the critique in the journal."""
        return f"{self.path.id}~{self.sample}"


def questions(problems: Iterable[ProblemPaths], samples: int) -> Iterator[Question]:
    """`samples` critiques of every path, in order."""
    return (
        Question(problem.problem, path, sample)
        for problem in problems
        for path in problem.paths
        for sample in range(samples)
    )


class CritiqueWorker:
    """A worker with a teacher; see `Worker`."""

    policy = None

    def __init__(self, teacher: Teacher, *, seed: int) -> None:
        self._teacher = teacher
        self._seed = seed

    @property
    def judge(self) -> JudgeSpec:
        """The teacher's spec."""
        return self._teacher.spec

    async def make(self, row: int, item: Question) -> CritiqueRow:
        """The critique."""
        seed = seed_of(self._seed, "rationale", item.key, bits=31)
        critique = await self._teacher.critique(item.problem, item.path.steps, seed=seed)
        return CritiqueRow.of(item.key, item.path.id, item.sample, critique, None)


async def write_rationales(
    asked: Sequence[Question],
    worker: Worker[Question, CritiqueRow],
    settings: Rationales,
    *,
    at_once: int,
    journal: Journal[CritiqueRow],
    on_critique: Callable[[], None] = lambda: None,
) -> None:
    """Ask the teacher `at_once` questions; each critique is journalled as it finishes.

    A request that fails is stored as an unreadable critique with its cause.

    Raises:
        InputError: the recipe says that the teacher thinks, but it never does.
        ModelError, SandboxError: the teacher's engine or sandbox failed permanently.
    """
    thoughts = _Thoughts(settings, journal.rows())

    async def ask(place: int, question: Question) -> None:
        try:
            row = await worker.make(place, question)
        except RequestFailed as error:
            failed = Critique((), Unreadable.FAILED)
            row = CritiqueRow.of(
                question.key, question.path.id, question.sample, failed, str(error)
            )
        journal.append(row)
        thoughts.count(row)

    async def answered(place: int, question: Question) -> None:
        if question.key not in journal:
            await ask(place, question)
        on_critique()

    jobs = (answered(place, question) for place, question in enumerate(asked))
    async with aclosing(as_finished(jobs, at_once)) as asking:
        async for _ in asking:
            pass


class _Thoughts:
    """Stops a stage if the recipe says that the teacher thinks, but it does not."""

    def __init__(self, settings: Rationales, known: Iterable[CritiqueRow]) -> None:
        self._settings = settings
        self._without = 0
        self._checks = settings.thinks
        for row in known if settings.thinks else ():
            self.count(row)

    def count(self, row: CritiqueRow) -> None:
        if row.unreadable is Unreadable.NO_THOUGHT:
            self._without += 1
        elif row.unreadable is not Unreadable.FAILED:
            self._checks = False  # it thinks, at least now and then
        if self._checks and self._without >= _THOUGHTS:
            raise InputError(
                f"field curate.rationales.thinks is true, but the first {_THOUGHTS} critiques of "
                f"the teacher {self._settings.teacher} hold no </think>; fix: thinks = false, and "
                "another --out with --from this folder, or a teacher that thinks"
            )
