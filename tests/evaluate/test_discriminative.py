"""Public PRMs' conventions on tiny models of their architectures, against their own programs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from chat_server import Server  # noqa: E402
from tiny_models import BUILDERS, save  # noqa: E402

from genprm.errors import ContextExceeded, InputError, ModelError  # noqa: E402
from genprm.evaluate.baselines.discriminative import (  # noqa: E402
    LocalPrm,
    PoolingPrm,
    pooled_rewards,
)
from genprm.evaluate.baselines.endpoint import Endpoint  # noqa: E402
from genprm.evaluate.baselines.step_tokens import CONVENTIONS, Head, Marked  # noqa: E402
from genprm.evaluate.judgement import Judgement  # noqa: E402
from genprm.problem import Solution  # noqa: E402

STEPS = ("Step 1: 3 + 4 = 7.", "Step 2: so 7 * 2 = 14.", "Step 3: the answer is 14.")
SOLUTION = Solution("What is (3 + 4) * 2?", STEPS, "a")


@pytest.fixture(scope="module", params=list(BUILDERS))
def prm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalPrm:
    folder = save(request.param, tmp_path_factory.mktemp(request.param))
    return LocalPrm(str(folder), CONVENTIONS[request.param])


def rewards(judge: Any, solution: Solution) -> list[float | None]:
    return Judgement.of(asyncio.run(judge.judge(0, solution)), len(solution.steps)).step_rewards


def official_qwen(model: Any, tokenizer: Any) -> list[float]:
    """The model card's `make_step_rewards`."""
    messages = [
        {
            "role": "system",
            "content": "Please reason step by step, and put your final answer within \\boxed{}.",
        },
        {"role": "user", "content": SOLUTION.problem},
        {"role": "assistant", "content": "<extra_0>".join(STEPS) + "<extra_0>"},
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=False)
    ids = tokenizer.encode(text, return_tensors="pt")
    masks = ids == tokenizer.encode("<extra_0>")[0]
    logits = model.score(model.model(ids).last_hidden_state)
    probabilities = torch.softmax(logits, dim=-1)[0][masks[0]]
    return list(probabilities[:, 1].tolist())


def official_skywork(model: Any, tokenizer: Any) -> list[float]:
    """`prepare_input` and `derive_step_rewards` of skywork-o1-prm-inference."""
    ids = tokenizer.encode(tokenizer.bos_token + SOLUTION.problem + "\n")
    flags = [0] * len(ids)
    newline = tokenizer.encode("\n")[-1]
    for step in STEPS:
        own = [*tokenizer.encode(step), newline]
        ids += own
        flags += [0] * (len(own) - 1) + [1]
    values = model.v_head.summary(model.model(torch.tensor([ids])).last_hidden_state)[0, :, 0]
    return list(torch.sigmoid(values[torch.tensor(flags) == 1]).tolist())


def official_shepherd(model: Any, tokenizer: Any) -> list[float]:
    """The model card's program."""
    candidates = tokenizer.encode("+ -")[-2:]
    tag = tokenizer.encode("ки")[-1]
    text = f"{SOLUTION.problem} " + "\n".join(f"{step} ки" for step in STEPS)
    ids = torch.tensor([tokenizer.encode(text)])
    logits = model(ids).logits[:, :, candidates]
    scores = logits.softmax(dim=-1)[:, :, 0]
    return list(scores[ids == tag].tolist())


def official_rlhflow(model: Any, tokenizer: Any) -> list[float]:
    """RLHF-Reward-Modeling's `prm_evaluate.py`: one pass for each step."""
    candidates = [tokenizer.encode("+")[-1], tokenizer.encode("-")[-1]]
    scores, chat = [], []
    for index, step in enumerate(STEPS):
        text = f"{SOLUTION.problem} {step}" if index == 0 else step
        chat += [{"role": "user", "content": text}, {"role": "assistant", "content": "+"}]
        rendered = tokenizer.apply_chat_template(chat, tokenize=False)
        ids = torch.tensor([tokenizer.encode(rendered, add_special_tokens=False)])
        logits = model(ids).logits[:, -3, candidates]
        scores.append(logits.softmax(dim=-1)[0, 0].item())
    return scores


OFFICIAL: dict[str, Callable[[Any, Any], list[float]]] = {
    "qwen-prm": official_qwen,
    "skywork-prm": official_skywork,
    "math-shepherd": official_shepherd,
    "rlhflow-prm": official_rlhflow,
}


def test_rewards_are_the_authors_own(prm: LocalPrm) -> None:
    with torch.no_grad():
        theirs = OFFICIAL[prm._convention.name](prm._model, prm._tokenizer)
    assert rewards(prm, SOLUTION) == pytest.approx(theirs, abs=1e-5)
    assert len({round(value, 3) for value in theirs}) > 1


def test_a_marker_in_the_text_shifts_nothing(prm: LocalPrm) -> None:
    marked = "Say <extra_0> and ки and + twice:\n+ ки <extra_0>"
    judged = rewards(prm, Solution(marked, (marked, *STEPS), "a"))
    assert len(judged) == 4
    assert None not in judged


def test_a_solution_longer_than_the_context(prm: LocalPrm) -> None:
    with pytest.raises(ContextExceeded):
        rewards(prm, Solution("p", ("1 + 1 = 2 " * 2000,), "a"))


def test_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="checkpoint"):
        LocalPrm(str(tmp_path), CONVENTIONS["qwen-prm"])


def test_the_pooling_endpoint_gives_the_same_rewards(prm: LocalPrm) -> None:
    """The server pools what vLLM would: by step where it knows the tag, else every token."""
    convention, model = prm._convention, prm._model
    columns = convention.columns(prm._tokenizer)

    def pool(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert path == "/pooling"
        everywhere = list(range(len(body["input"])))
        rows = prm._outputs(model, convention.head, body["input"], everywhere, columns)
        if convention.head is Head.VOCABULARY:
            rows = [[good, bad] for bad, good in rows]
        return 200, {"data": [{"index": 0, "data": rows}]}

    async def judged(url: str) -> list[float | None]:
        async with Endpoint(url) as endpoint:
            served = PoolingPrm(endpoint, "m", prm._tokenizer, convention)
            return Judgement.of(await served.judge(0, SOLUTION), 2).step_rewards

    with Server(pool) as url:
        assert asyncio.run(judged(url)) == pytest.approx(rewards(prm, SOLUTION), abs=1e-5)


def test_step_pooled_probabilities_are_taken_as_they_are() -> None:
    marked = Marked(list(range(20)), [5, 9])
    assert pooled_rewards([[0.3, 0.7], [0.9, 0.1]], marked, Head.CLASSES, None) == [0.7, 0.1]
    assert pooled_rewards([[0.3, 0.7], [0.9, 0.1]], marked, Head.VOCABULARY, (5, 6)) == [0.3, 0.9]
    with pytest.raises(ModelError, match="3 rows for 2 steps"):
        pooled_rewards([[0.3, 0.7]] * 3, marked, Head.CLASSES, None)
