"""What an answer cost: the policy's share and the verifier's, and when to stop spending."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from genprm.verdict import Usage


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact sums. A method's cost is its `tokens`: all that either model generated."""

    policy: Usage = field(default_factory=Usage)
    verifier: Usage = field(default_factory=Usage)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.policy + other.policy, self.verifier + other.verifier)

    @property
    def tokens(self) -> int:
        """Generated tokens of both models."""
        return self.policy.tokens_out + self.verifier.tokens_out

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Cost":
        """What `row` wrote."""
        return cls(Usage(**row["policy"]), Usage(**row["verifier"]))


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of several costs."""
    return sum(costs, Cost())


@dataclass(frozen=True, slots=True)
class Budget:
    """Generated tokens that one problem may take; None is no bound.

    Checked between rounds of work, so the last round may pass it; what was spent is reported.
    """

    policy_tokens: int | None = None
    verifier_tokens: int | None = None

    def exhausted(self, cost: Cost) -> bool:
        """Whether another round must not begin."""
        bounds = (
            (self.policy_tokens, cost.policy.tokens_out),
            (self.verifier_tokens, cost.verifier.tokens_out),
        )
        return any(bound is not None and spent >= bound for bound, spent in bounds)
