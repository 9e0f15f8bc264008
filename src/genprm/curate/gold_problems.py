"""Stage 0: the problems, stored so that the later stages read the same ones."""

import json
from collections.abc import Iterable
from hashlib import sha256

from genprm.curate.folder import Folder
from genprm.curate.stages import Stage
from genprm.problem import Problem
from genprm.records.curation import GoldProblemRow


def store_problems(folder: Folder, problems: Iterable[Problem]) -> None:
    """Write the stage's rows, or check that the stored ones are the same.

    Raises:
        JournalError: the stored problems are different.
    """
    rows = [GoldProblemRow.of(problem) for problem in problems]
    texts = json.dumps([row.json_object() for row in rows], ensure_ascii=False)
    spec = folder.spec(Stage.PROBLEMS, {"problems": sha256(texts.encode()).hexdigest()})
    folder.take_over(Stage.PROBLEMS, spec)
    if folder.has_finished(Stage.PROBLEMS, spec):
        return
    with folder.journal(Stage.PROBLEMS, spec, GoldProblemRow) as journal:
        for row in rows:
            if row.key not in journal:
                journal.append(row)
        folder.finish(Stage.PROBLEMS, journal, [row.key for row in rows])


def stored_problems(folder: Folder) -> list[Problem]:
    """The stage's rows as problems, each with a gold answer."""
    return [row.problem for row in folder.rows(Stage.PROBLEMS, GoldProblemRow)]
