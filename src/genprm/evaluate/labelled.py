"""A solution whose first error is known, and readers for files of such solutions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from genprm.bad_rows import BadRows
from genprm.errors import InputError, MissingExtra
from genprm.files import Row, as_object, is_url, listed, read_file
from genprm.problem import Solution
from genprm.records.labelled import Labelled, UnusableLabel, translate
from genprm.records.validation import first_fault

NO_ERROR = -1  # ProcessBench's label of a solution without an error; used everywhere inside
SUFFIXES = (".json", ".jsonl", ".ndjson", ".parquet", ".gz")
PROCESSBENCH_SUBSETS = ("gsm8k", "math", "olympiadbench", "omnimath")


@dataclass(frozen=True, slots=True)
class LabelledSolution:
    """One row of a benchmark.

    `first_error` is the index (from 0) of the first wrong step, or NO_ERROR.
    """

    solution: Solution
    first_error: int
    subset: str
    generator: str | None = None
    answer_correct: bool | None = None  # of the final answer, where the set tells

    @property
    def id(self) -> str:
        """Unique in its data set."""
        return self.solution.id

    @property
    def has_error(self) -> bool:
        """Whether the solution has an error."""
        return self.first_error != NO_ERROR


def read_files(sources: Sequence[str | Path], bad: BadRows | None = None) -> list[LabelledSolution]:
    """Read files of any format that `records.labelled` knows; of a folder, all files in it.

    A URL such as `s3://BUCKET/FILE` is a file, and one that ends in `/` a folder.

    Rows without a usable label are left out, with their cause in `bad`.

    Raises:
        InputError: a file cannot be read, a row is bad and `bad` does not skip it, or none is left.
    """
    bad = bad or BadRows()
    rows: list[LabelledSolution] = []
    places: dict[str, str] = {}
    for source in _expand(sources):
        for number, (place, fields) in enumerate(read_file(source).rows()):
            with bad.row():
                for labelled in _translated(as_object(place, fields), place, bad):
                    row = _row(labelled, PurePosixPath(source).stem, number)
                    if row.id in places:
                        raise InputError(
                            f"{place}: the id {row.id!r} is also that of {places[row.id]}; "
                            "fix: give every row its own id"
                        )
                    places[row.id] = place
                    rows.append(row)
    if not rows:
        left_out = f" ({bad})" if bad.causes else ""
        names = ", ".join(map(str, sources))
        raise InputError(f"{names}: there are no labelled rows{left_out}; fix: name other files")
    return rows


def by_limit(rows: Sequence[LabelledSolution], limit: int | None) -> list[LabelledSolution]:
    """The first `limit` rows of every subset, in order; with None, all rows."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row.subset] += 1
        if limit is None or seen[row.subset] <= limit:
            kept.append(row)
    return kept


def download_processbench(subsets: Sequence[str] = PROCESSBENCH_SUBSETS) -> list[Path]:
    """The Hub's `Qwen/ProcessBench`, cached by `huggingface_hub`.

    Raises:
        MissingExtra: `huggingface_hub` is not installed.
        InputError: the Hub cannot be reached and the files are not in its cache.
    """
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise MissingExtra("huggingface-hub", extra="evaluate") from error
    try:
        return [
            Path(hf_hub_download("Qwen/ProcessBench", f"{subset}.json", repo_type="dataset"))
            for subset in subsets
        ]
    except Exception as error:  # whatever the Hub client raises: offline, proxy, not found
        raise InputError(
            f"Qwen/ProcessBench: cannot be downloaded ({error}); fix: name local JSON files"
        ) from error


def _expand(sources: Sequence[str | Path]) -> Iterator[str]:
    for source in map(str, sources):
        if source.endswith("/") if is_url(source) else Path(source).is_dir():
            yield from listed(source, SUFFIXES)
        else:
            yield source


def _translated(fields: Row, place: str, bad: BadRows) -> list[Labelled]:
    try:
        return translate(fields)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    except UnusableLabel as error:
        bad.leave_out(f"{place}: {error}")
        return []
    except ValueError as error:
        raise InputError(f"{place}: {error}") from None


def _row(labelled: Labelled, file: str, number: int) -> LabelledSolution:
    identity = labelled.id or f"{file}-{number}"
    return LabelledSolution(
        Solution(labelled.problem, labelled.steps, identity),
        labelled.first_error,
        labelled.subset or _subset(identity, file),
        labelled.generator,
        labelled.answer_correct,
    )


def _subset(identity: str, file: str) -> str:
    """The subset: ProcessBench rows name it in the id (`math-17`), otherwise the file does."""
    prefix = re.match(r"(.+)-\d+$", identity)
    if prefix and prefix[1] in PROCESSBENCH_SUBSETS:
        return prefix[1]
    return file
