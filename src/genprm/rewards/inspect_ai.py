"""A scorer for inspect_ai, found by its entry point: `inspect eval … --scorer genprm/genprm`.

    from genprm.rewards.inspect_ai import genprm

    Task(dataset=…, solver=…, scorer=genprm(url="http://127.0.0.1:8321"))

The sample's input is the problem, the model's last completion the solution, and the target the gold
answer. The score is the reward; its metadata hold the step rewards and the first error, but not the
critique of the first wrong step. A completion without a verdict has no score.
`genprm rescore --inspect` writes stored runs as the file that `precomputed_scores` reads.
"""

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from genprm.rewards.options import RewardOptions, reward_one


@scorer(metrics=[mean(), stderr()])  # type: ignore[untyped-decorator]
def genprm(
    url: str | None = None,
    model: str = "arithmetic",
    api_key: str | None = None,
    votes: int = 1,
    kind: str = "outcome",
    penalty: float = 0.5,
    timeout: float = 120.0,
    response_prefix: str = "",
) -> Scorer:
    """Judge every step of a completion; the options are those of `RewardOptions`.

    Raises:
        InputError: an option has a value that it cannot have.
    """
    said = {
        "url": url,
        "model": model,
        "api_key": api_key,
        "votes": votes,
        "kind": kind,
        "penalty": penalty,
        "timeout": timeout,
        "response_prefix": response_prefix,
    }
    options = RewardOptions.read(said, "scorer genprm")

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        found = await reward_one(options, state.input_text, text, target.text or None)
        judged = found.judged
        metadata = {"first_error": judged.first_error, "step_rewards": list(judged.rewards)}
        if found.abstained:
            cause = judged.cause or "no vote could judge a step"
            return Score.unscored(answer=text, reason=cause, metadata=metadata)
        return Score(value=found.reward, answer=text, metadata=metadata)

    return score
