"""Places the reward of a completion: one number for each token, which add up to the reward.

A trainer that uses the whole completion (GRPO) sees the same reward as from `Scoring`; one that
goes back from later tokens to earlier ones (GAE, REINFORCE++) sees which step earned it.

- `flaw-aware`: the answer's reward at the end, the penalty at the first wrong step.
- `mean`: each step's share at its last token.
- `min`: at the weakest step, because that step alone decides it.
- `outcome`, `last`, `product`, `ratio` and abstentions: at the end.
"""

from collections.abc import Sequence

from genprm.rewards.completion import JudgedCompletion, Tokenizer
from genprm.rewards.scoring import Kind, Scoring

AT_END = -1


def step_credits(
    scoring: Scoring, judged: JudgedCompletion, correct: bool | None = None
) -> list[tuple[int, float]]:
    """(step, reward) pairs that sum up to the completion's reward; step -1 is its end."""
    whole = scoring(judged, correct) or 0.0
    rewards = [0.0 if reward is None else reward for reward in judged.rewards]
    if scoring.abstains(judged, correct) or not rewards:
        return [(AT_END, whole)]
    match scoring.kind:
        case Kind.MEAN:
            return [(index, reward / len(rewards)) for index, reward in enumerate(rewards)]
        case Kind.MIN:
            return [(rewards.index(min(rewards)), whole)]
        case Kind.FLAW_AWARE:
            first = judged.first_error
            if correct and first is not None and first >= 0:
                return [(AT_END, 1.0), (first, whole - 1.0)]
    return [(AT_END, whole)]


def token_rewards(
    scoring: Scoring,
    judged: JudgedCompletion,
    tokenizer: Tokenizer,
    ids: Sequence[int],
    correct: bool | None = None,
) -> list[float]:
    """[tokens] Each credit at the last token of its step; `ids` are the completion's tokens."""
    found = [0.0] * len(ids)
    if not found:
        return found
    spans = judged.token_spans(tokenizer, ids)
    for step, reward in step_credits(scoring, judged, correct):
        end = len(ids) if step == AT_END else min(max(spans[step][1], 1), len(ids))
        found[end - 1] += reward
    return found
