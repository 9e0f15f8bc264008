"""A judge for rewards that a test knows, a service on it, and rollouts as verl hands them over."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from marked_steps import analyst
from scripted import Scripted

from genprm.rewards import verl
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier


def verifier(kind: type[Scripted] = Scripted) -> Verifier:
    return Verifier(analyst(kind), None, Settings(mode=Mode.COT))  # type: ignore[arg-type]


@contextmanager
def serving(kind: type[Scripted] = Scripted) -> Iterator[str]:
    pytest.importorskip("fastapi")
    from serving import running

    from genprm.server.app import create_service

    with running(create_service(verifier(kind))) as url:
        yield url


class Letters:
    """A tokenizer of letters."""

    def decode(self, ids: Any, **_: Any) -> str:
        return "".join(map(chr, ids))


def configuration(name: str, url: str) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.create(
        {
            "reward": {
                "custom_reward_function": {
                    "path": verl.__file__,
                    "name": name,
                    "reward_kwargs": {
                        "url": url,
                        "response_prefix": "Step 1:",
                        "kind": "mean",
                        "abstention": -1,
                    },
                },
                "reward_manager": {"source": "register", "name": "naive"},
            }
        }
    )


def one_row(text: str) -> Any:
    """A rollout as verl's trainer hands it over."""
    import numpy as np
    import torch
    from verl import DataProto

    prompt, response = torch.tensor([[1]]), torch.tensor([[*map(ord, text)]])
    return DataProto.from_dict(
        tensors={
            "prompts": prompt,
            "responses": response,
            "attention_mask": torch.ones(1, 1 + response.shape[1], dtype=torch.long),
        },
        non_tensors={
            "data_source": np.array(["gsm8k"], dtype=object),
            "reward_model": np.array([{"ground_truth": "2"}], dtype=object),
            "extra_info": np.array([{"question": "1 + 1?"}], dtype=object),
        },
    )
