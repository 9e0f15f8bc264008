"""When to stop spending tokens on one problem."""

from collections.abc import Iterable
from dataclasses import dataclass

from genprm.records.pools import Cost


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
