"""Stage 0, problems: where the problems with their gold answers come from.

A JSON, JSON Lines or Parquet file, or a data set of the Hugging Face Hub (`hf:NAME[:SPLIT]`).
A row holds `problem` (or `question`) and `answer`; or a worked `solution` whose final answer is
taken. Every row is checked before anything is sampled.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from genprm.answer import extract_answer
from genprm.curate.folder import KEY, Folder
from genprm.curate.stages import Stage
from genprm.errors import InputError, MissingExtra
from genprm.problem import Problem

Text = Annotated[str, Field(min_length=1)]


class _ProblemRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    text: Text = Field(validation_alias=AliasChoices("problem", "question", "input"))
    answer: str | int | float | None = Field(
        None, validation_alias=AliasChoices("answer", "final_answer", "gold")
    )
    solution: str | None = None
    id: str | int | None = Field(None, validation_alias=AliasChoices("id", "unique_id"))


def read_problems(source: str) -> list[Problem]:
    """Read a recipe's `problems`.

    Raises:
        InputError: one line that names the file, the row, the field and the mend.
        MissingExtra: a Hub data set without `datasets`.
    """
    rows = _hub_rows(source[3:]) if source.startswith("hf:") else _file_rows(Path(source))
    problems = [_problem(place, row, index) for index, (place, row) in enumerate(rows)]
    check_problems(problems, source)
    return problems


def check_problems(problems: Iterable[Problem], source: str) -> None:
    """Refuse none at all, and ids that name two.

    Raises:
        InputError: as said.
    """
    seen: set[str] = set()
    for problem in problems:
        if problem.id in seen:
            raise InputError(f"{source}: id {problem.id!r} twice; fix: one id for each problem")
        seen.add(problem.id)
    if not seen:
        raise InputError(f"{source}: no problems; fix: one JSON object per line")


def store_problems(folder: Folder, problems: Iterable[Problem]) -> None:
    """Write the stage's rows, or check that they are there already.

    Raises:
        JournalError: other problems are there.
    """
    rows = [{KEY: problem.id, **asdict(problem)} for problem in problems]
    texts = json.dumps(rows, ensure_ascii=False)
    with folder.journal(
        Stage.PROBLEMS, {"problems": sha256(texts.encode()).hexdigest()}
    ) as journal:
        for row in rows:
            if row[KEY] not in journal:
                journal.append(row)
        folder.finish(Stage.PROBLEMS, journal, [row[KEY] for row in rows])


def stored_problems(folder: Folder) -> list[Problem]:
    """The stage's rows as problems, all with a gold answer."""
    return [Problem(row["id"], row["text"], row["answer"]) for row in folder.rows(Stage.PROBLEMS)]


def _problem(place: str, row: Any, index: int) -> Problem:
    try:
        parsed = _ProblemRow.model_validate(row)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in fault["loc"]) or "row"
        raise InputError(f"{place}: field {field}: {fault['msg']}") from None
    answer = _gold(parsed)
    if answer is None:
        raise InputError(f"{place}: field answer: missing; fix: add it, or a worked solution")
    return Problem(str(index if parsed.id is None else parsed.id), parsed.text, answer)


def _gold(row: _ProblemRow) -> str | None:
    if row.answer is None:
        return extract_answer(row.solution) if row.solution else None
    if isinstance(row.answer, float) and row.answer.is_integer():
        return str(int(row.answer))
    text = str(row.answer)
    worked = "\n" in text.strip() or "####" in text  # GSM8K's answers are whole solutions
    return extract_answer(text) if worked else text.strip() or None


def _file_rows(file: Path) -> Iterator[tuple[str, Any]]:
    if file.suffix == ".parquet":
        yield from _parquet_rows(file)
        return
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; fix: the path in `problems`") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8; fix: save the file as UTF-8") from None
    if file.suffix == ".json":
        document = _parse(str(file), text)
        rows = document if isinstance(document, list) else [document]
        yield from ((f"{file}: row {number}", row) for number, row in enumerate(rows, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{file}:{number}", _parse(f"{file}:{number}", line)


def _parse(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{place}: broken JSON ({error}); fix: one object per line") from None


def _parquet_rows(file: Path) -> Iterator[tuple[str, Any]]:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", extra="curate") from None
    try:
        rows = pyarrow.parquet.read_table(file).to_pylist()
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot read it: {error}") from None
    yield from ((f"{file}: row {number}", row) for number, row in enumerate(rows, start=1))


def _hub_rows(name: str) -> Iterator[tuple[str, Any]]:
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", extra="curate") from None
    name, _, split = name.partition(":")
    try:
        rows = datasets.load_dataset(name, split=split or "train")
    except Exception as error:  # whatever the Hub's client raises: no such set, no network
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"hf:{name}: {cause}; fix: a name on the Hub, or a file") from None
    yield from ((f"hf:{name}: row {number}", row) for number, row in enumerate(rows, start=1))
