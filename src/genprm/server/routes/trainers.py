"""What the trainers' formats share: how a completion is rewarded, and how it becomes a request."""

import warnings

from pydantic import BaseModel, Field, ValidationError

from genprm.rewards.completion import Completion
from genprm.rewards.judges import CompletionVerdict
from genprm.rewards.scoring import Kind, Scoring
from genprm.server.asked import AskedSolution, Unusable
from genprm.server.errors import Refusal, invalid
from genprm.server.judging import SolutionOutcome


class Rewarding(BaseModel):
    """The part of a trainer's URL after `?`, as in `/get_reward?kind=flaw-aware&votes=4`."""

    kind: Kind = Field(Kind.OUTCOME, description="What a completion is rewarded for.")
    penalty: float = Field(0.5, ge=0, le=10, description="Of flaw-aware.")
    abstention: float = Field(0.0, ge=-1e6, le=1e6, description="Reward of what cannot be judged.")
    votes: int | None = Field(None, ge=1, description="Votes on each step.")
    response_prefix: str = Field(
        "", max_length=1000, description="What the prompt ends with and the solution begins with."
    )

    @property
    def scoring(self) -> Scoring:
        """The reward."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the trainer would not see it; the document says it
            return Scoring(self.kind, self.abstention, self.penalty)


def asked_of(completion: Completion) -> AskedSolution | Unusable:
    """A completion as one solution of a request; if it cannot be judged, only it fails."""
    if not completion.steps:
        return Unusable("", Refusal(422, "no text to judge"))
    try:
        return AskedSolution(problem=completion.problem, steps=list(completion.steps))
    except ValidationError as error:
        return Unusable("", invalid(dict(error.errors(include_url=False)[0])))


def judged_of(result: SolutionOutcome) -> CompletionVerdict:
    """An outcome as the rewards need it."""
    rewards = tuple(step.reward for step in result.verdict.steps)
    if result.failed is not None:
        return CompletionVerdict(rewards, None, str(result.failed))
    return CompletionVerdict(rewards, result.verdict.first_error)
