"""The reward file as OpenRLHF loads and calls it."""

import importlib.util
from collections.abc import Sequence

import pytest

pytest.importorskip("torch")
from genprm.problem import Solution
from genprm.rewards import openrlhf, options
from genprm.rewards.background import Background
from genprm.rewards.judges import CompletionVerdict

PROMPT = "<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n"


class Finds:
    def __init__(self) -> None:
        self.asked: list[Solution] = []

    async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        self.asked += solutions
        return [CompletionVerdict((0.9,), -1) for _ in solutions]

    async def close(self) -> None:
        pass


def test_the_file_is_loaded_by_its_path_and_gives_tensors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = importlib.util.spec_from_file_location("reward_func", openrlhf.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    finds = Finds()
    background = Background(finds)
    monkeypatch.setattr(options, "_background", lambda *_: background)
    queries = [PROMPT + "It is 2.<|im_end|>", PROMPT]
    reply = module.reward_func(queries, [PROMPT] * 2, ["2", "2"])
    assert reply["rewards"].tolist() == [1.0, 0.0]
    assert reply["extra_logs"]["genprm_abstained"].tolist() == [0.0, 1.0]
    assert [(one.problem, one.steps) for one in finds.asked] == [("1 + 1?", ("It is 2.",))]
    background.close()
