"""Where problems and their samples come from: a file of problems, or stored samples."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import genprm
from genprm.cli.options import EngineOptions, PolicyOptions
from genprm.dataset import read_problems
from genprm.errors import InputError
from genprm.problem import Problem
from genprm.scale.pool import Pool, read_pools
from genprm.verify.judge import Settings


@dataclass(frozen=True, slots=True)
class Source:
    """The problems of a run; their pools hold samples where stored ones were given."""

    pools: Sequence[Pool]
    stored: bool

    @classmethod
    def read(cls, problems: str | None, samples: str | None) -> "Source":
        """Read the one file that was named.

        Raises:
            InputError: none or both were named, or the file is broken.
        """
        if (problems is None) == (samples is None):
            raise InputError("nothing to do; fix: name a file of problems, or --samples FILE")
        if samples is not None:
            return cls(read_pools(samples), stored=True)
        return cls([Pool(problem) for problem in read_problems(problems or "-")], stored=False)

    @property
    def problems(self) -> list[Problem]:
        """Without their samples."""
        return [pool.problem for pool in self.pools]

    def first(self, row: int, count: int) -> Pool:
        """A stored pool's first samples."""
        return replace(self.pools[row], samples=self.pools[row].samples[:count])

    def digest(self) -> str:
        """Of all that a run takes from the files."""
        texts = [
            [asdict(pool.problem), [sample.steps for sample in pool.samples]] for pool in self.pools
        ]
        return sha256(json.dumps(texts).encode()).hexdigest()


def configuration(
    command: str,
    source: Source,
    *,
    policy: PolicyOptions | None,
    engine: EngineOptions | None,
    judging: Settings | None,
    **settings: Any,
) -> dict[str, Any]:
    """All that decides the rows of a run; a changed one is refused, not mixed in."""
    return {
        "genprm": genprm.__version__,
        "command": command,
        "input": source.digest(),
        "policy": policy and [policy.policy, str(policy.policy_template), asdict(policy.settings)],
        "model": engine and [engine.model, str(engine.chat_template)],
        "cascade": engine and engine.cascade and engine.cascade.read_text(),
        "judging": judging and asdict(judging),
        **settings,
    }
