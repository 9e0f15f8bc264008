"""Where problems and their samples come from: a file of problems, or stored samples."""

from genprm.dataset import read_problems
from genprm.errors import InputError
from genprm.scale.pool import Pool, read_pools


def read_items(problems: str | None, samples: str | None) -> list[Pool]:
    """Read the one file that was named: problems without samples, or pools.

    Raises:
        InputError: none or both were named, or the file is broken.
    """
    if (problems is None) == (samples is None):
        raise InputError("nothing to do; fix: name a file of problems, or --samples FILE")
    if samples is not None:
        return read_pools(samples)
    return [Pool(problem) for problem in read_problems(problems or "-")]
