"""The step reward manager in verl's own reward loop (`make test-verl`)."""

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")
from rewarding import Letters, configuration, one_row, serving

from genprm.arithmetic import teacher
from genprm.rewards.scoring import Kind

FLAWED = " 1 + 1 = 2.\n\nStep 2: So wrong.\n\nStep 3: The answer is \\boxed{2}."
SHORT = " fine \\boxed{3}."
FOLDER = Path(teacher.__file__).parent / "weights" / "verifier"


def settings(url: str, kind: Kind) -> Any:
    from omegaconf import OmegaConf

    more = {
        "reward": {
            "custom_reward_function": {"reward_kwargs": {"kind": kind.value}},
            "reward_manager": {
                "source": "importlib",
                "name": "StepRewardManager",
                "module": {"path": "pkg://genprm.rewards.verl_steps"},
            },
            "reward_model": {"enable": False},
            "num_workers": 1,
        },
        "actor_rollout_ref": {"model": {"path": str(FOLDER), "tokenizer_path": None}},
    }
    return OmegaConf.merge(configuration("compute_score", url), more)


def rewards(url: str, kind: Kind, texts: list[str]) -> Any:
    """[texts, tokens] as verl's trainer assembles them: scores cross a process in between."""
    import torch
    from verl import DataProto
    from verl.trainer.ppo.reward import load_reward_manager, resolve_reward_manager_cls

    async def run() -> list[Any]:
        manager: Any = load_reward_manager(settings(url, kind), Letters())
        return [await manager.run_single(one_row(text)) for text in texts]

    rows = pickle.loads(pickle.dumps(asyncio.run(run())))
    longest = max(map(len, texts))
    responses = torch.tensor([[*map(ord, text.ljust(longest, "\0"))] for text in texts])
    mask = torch.tensor([[1] * (1 + len(text)) + [0] * (longest - len(text)) for text in texts])

    prompts = torch.ones(len(texts), 1, dtype=torch.long)
    data = DataProto.from_dict(
        tensors={"prompts": prompts, "responses": responses, "attention_mask": mask}
    )
    manager_class: Any = resolve_reward_manager_cls(settings(url, kind))
    return manager_class.assemble_rm_scores(data, [row["reward_score"] for row in rows])


def test_verl_puts_the_penalty_at_the_first_wrong_step() -> None:
    with serving() as url:
        found = rewards(url, Kind.FLAW_AWARE, [FLAWED, SHORT])
    wrong = FLAWED.index("wrong.") + len("wrong.") - 1
    assert {at: value for at, value in enumerate(found[0].tolist()) if value} == {
        wrong: -0.5,
        len(FLAWED) - 1: 1.0,
    }
    assert found[1].sum() == 0  # the gold answer is 2


def test_verl_gives_every_step_its_share_of_the_mean() -> None:
    with serving() as url:
        found = rewards(url, Kind.MEAN, [FLAWED, SHORT])
    ends = [at for at, value in enumerate(found[0].tolist()) if value]
    assert [FLAWED[: end + 1].count("Step") for end in ends] == [0, 1, 2]
    assert found.sum(dim=1).tolist() == pytest.approx([(0.9 + 0.1 + 0.9) / 3, 0.9], abs=1e-3)


def test_verls_reward_loop_on_ray_assembles_step_rewards() -> None:
    ray = pytest.importorskip("ray")
    import numpy as np
    import torch
    from transformers import AutoTokenizer
    from verl import DataProto
    from verl.experimental.reward_loop.reward_loop import RewardLoopManager

    tokenizer: Any = AutoTokenizer.from_pretrained(FOLDER)
    ids = tokenizer(FLAWED, return_tensors="pt", add_special_tokens=False)["input_ids"]
    padded = torch.nn.functional.pad(ids, (0, 3))
    data = DataProto.from_dict(
        tensors={
            "prompts": torch.ones(1, 2, dtype=torch.long),
            "responses": padded,
            "attention_mask": torch.tensor([[1, 1] + [1] * ids.shape[1] + [0] * 3]),
        },
        non_tensors={  # all that the trainer of verl 0.9 hands over
            "raw_prompt": np.array([[{"role": "user", "content": "1 + 1?"}]], dtype=object),
        },
    )
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        with serving() as url:
            found = RewardLoopManager(settings(url, Kind.MIN)).compute_rm_score(data)
    finally:
        ray.shutdown()
    scores = found.batch["rm_scores"][0].tolist()
    (at,) = [at for at, value in enumerate(scores) if value]
    assert scores[at] == pytest.approx(0.1)
    assert "wrong" in tokenizer.decode(padded[0][at - 9 : at + 1])
    assert found.non_tensor_batch["genprm_first_error"].tolist() == [1.0]
