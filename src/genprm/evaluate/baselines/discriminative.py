"""Public discriminative PRMs as judges: in process by `transformers`, or behind vLLM's `/pooling`.

`step_tokens` has their conventions. A step's reward is one vote; below 0.5, the step is wrong.
"""

import asyncio
import time
from collections.abc import Sequence
from importlib import metadata

from genprm.errors import ContextExceeded, InputError, MissingExtra, ModelError
from genprm.evaluate.baselines.endpoint import Endpoint
from genprm.evaluate.baselines.step_tokens import Convention, Head, Marked, Tokenizer, reward
from genprm.model import ModelIdentity
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import SolutionVerdict, StepVerdict, Usage, Vote


class LocalPrm:
    """A checkpoint in this process; one forward pass at a time, beside the event loop."""

    def __init__(self, name: str, convention: Convention) -> None:
        """Load the checkpoint.

        Raises:
            MissingExtra: `transformers` or torch is not installed.
            InputError: `name` is no checkpoint of this convention's kind.
        """
        self._name = name
        self._convention = convention
        self._tokenizer = load_tokenizer(name)
        try:
            from genprm.evaluate.baselines import reward_models
        except ImportError as error:
            raise MissingExtra("torch", extra="baselines") from error
        try:
            self._model = reward_models.load(name, convention.head)
        except (OSError, ValueError) as error:
            raise _no_checkpoint(name, error) from error
        self._outputs = reward_models.outputs
        self._one_at_a_time = asyncio.Lock()

    @property
    def spec(self) -> JudgeSpec:
        """Model and convention."""
        model = ModelIdentity(self._name, "transformers", metadata.version("transformers"))
        return JudgeSpec(judge=self._convention.name, model=model)

    async def judge(self, row: int, solution: Solution) -> SolutionVerdict:
        """Every step's reward."""
        start = time.perf_counter()
        marked = self._convention.mark(self._tokenizer, solution)
        longest = self._model.config.max_position_embeddings
        if len(marked.ids) > longest:
            raise ContextExceeded(f"{len(marked.ids)} tokens do not fit into {longest}")
        columns = self._convention.columns(self._tokenizer)
        async with self._one_at_a_time:
            said = await asyncio.to_thread(
                self._outputs,
                self._model,
                self._convention.head,
                marked.ids,
                marked.positions,
                columns,
            )
        return _verdict(self.spec.model, solution, list(map(reward, said)), len(marked.ids), start)


class PoolingPrm:
    """A checkpoint served by vLLM as a pooling model; the tokenizer is local."""

    def __init__(
        self, endpoint: Endpoint, model: str, tokenizer: Tokenizer, convention: Convention
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._tokenizer = tokenizer
        self._convention = convention

    @property
    def spec(self) -> JudgeSpec:
        """Model and convention."""
        model = ModelIdentity(self._model, "pooling endpoint")
        return JudgeSpec(judge=self._convention.name, model=model)

    async def judge(self, row: int, solution: Solution) -> SolutionVerdict:
        """Every step's reward."""
        start = time.perf_counter()
        marked = self._convention.mark(self._tokenizer, solution)
        answer = await self._endpoint.post(
            "/pooling", {"model": self._model, "input": marked.ids, "encoding_format": "float"}
        )
        try:
            pooled = answer["data"][0]["data"]
        except (KeyError, IndexError, TypeError) as error:
            raise ModelError(
                f"{self._endpoint.base}: the answer has no pooled data; "
                "fix: serve the model with vllm serve --runner pooling"
            ) from error
        columns = self._convention.columns(self._tokenizer)
        rewards = pooled_rewards(pooled, marked, self._convention.head, columns)
        return _verdict(self.spec.model, solution, rewards, len(marked.ids), start)


def pooled_rewards(
    pooled: Sequence[Sequence[float]],
    marked: Marked,
    head: Head,
    columns: tuple[int, int] | None,
) -> list[float]:
    """Rewards [steps] from the output of a server's pooler.

    A server's pooler gives a row for each step tag or for each token, of logits or of
    probabilities. A language model's rows hold its whole vocabulary, or the two returned tokens
    in the order good, bad, as Math-Shepherd's users configure it.

    Raises:
        ModelError: the rows have neither form.
    """
    if len(pooled) == len(marked.positions):
        rows = list(pooled)
    elif len(pooled) == len(marked.ids):
        rows = [pooled[position] for position in marked.positions]
    else:
        raise ModelError(
            f"the server pooled {len(pooled)} rows for {len(marked.positions)} steps in "
            f"{len(marked.ids)} tokens; fix: pool by step tag, or all tokens"
        )
    return [_pooled_reward(row, head, columns) for row in rows]


def _pooled_reward(row: Sequence[float], head: Head, columns: tuple[int, int] | None) -> float:
    if head is Head.VALUE:
        return reward(row[-1:])
    if head is Head.CLASSES:
        bad, good = row
    elif columns is not None and len(row) > max(columns):
        bad, good = (row[column] for column in columns)
    else:
        good, bad = row
    if min(bad, good) >= 0 and abs(bad + good - 1) < 0.01:
        return good
    return reward((bad, good))


def load_tokenizer(name: str) -> Tokenizer:
    """A checkpoint's fast tokenizer.

    Raises:
        MissingExtra: `transformers` is not installed.
        InputError: there is no tokenizer with this name.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtra("transformers", extra="baselines") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise _no_checkpoint(name, error) from error
    return tokenizer


def _no_checkpoint(name: str, error: Exception) -> InputError:
    cause = " ".join(str(error).split())[:200]
    return InputError(
        f"{name}: cannot be loaded ({cause}); "
        "fix: name a checkpoint's folder, or its name on the Hub"
    )


def _verdict(
    model: ModelIdentity | None,
    solution: Solution,
    rewards: Sequence[float],
    tokens: int,
    start: float,
) -> SolutionVerdict:
    votes = [Vote(value, text="") for value in rewards]
    usage = Usage(tokens_in=tokens, seconds=time.perf_counter() - start)
    steps = tuple(StepVerdict((vote,), wanted=1, model=model) for vote in votes)
    return SolutionVerdict(solution.id, steps, usage)
