"""When to stop spending tokens on one problem."""

from collections.abc import Iterable
from dataclasses import dataclass

from genprm.records.pools import Cost


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of several costs."""
    return sum(costs, Cost())


@dataclass(frozen=True, slots=True)
class Budget:
    """The most generated tokens for one problem; None is no limit.

    The budget is checked between rounds of work, so the last round may exceed it; the actual cost
    is reported.
    """

    policy_tokens: int | None = None
    verifier_tokens: int | None = None

    def exhausted(self, cost: Cost) -> bool:
        """Whether no further round may start."""
        bounds = (
            (self.policy_tokens, cost.policy.tokens_out),
            (self.verifier_tokens, cost.verifier.tokens_out),
        )
        return any(bound is not None and spent >= bound for bound, spent in bounds)
