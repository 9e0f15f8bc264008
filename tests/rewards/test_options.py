"""Options of a reward as trainers and the environment say them, and a completion judged by them."""

import asyncio

import pytest
from rewarding import serving

from genprm.errors import InputError
from genprm.rewards.options import RewardOptions, reward_one
from genprm.rewards.scoring import Kind


def test_the_environment_says_who_judges_and_what_is_rewarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENPRM_URL", "http://gpu-box:8321")
    monkeypatch.setenv("GENPRM_REWARD", "flaw-aware")
    monkeypatch.setenv("GENPRM_VOTES", "4")
    monkeypatch.setenv("GENPRM_MODEL", "")
    found = RewardOptions.from_environment()
    assert (found.url, found.kind, found.votes) == ("http://gpu-box:8321", Kind.FLAW_AWARE, 4)
    assert found.model is None
    monkeypatch.setenv("GENPRM_REWARD", "magic")
    with pytest.raises(InputError, match="environment: field kind: Input should be 'outcome'"):
        RewardOptions.from_environment()


def test_unknown_options_of_a_trainer_are_ignored_and_bad_ones_are_not() -> None:
    assert RewardOptions.read({"votes": 2, "their_own": 1}, "x").votes == 2
    with pytest.raises(InputError, match=r"reward_kwargs: field votes: .*; fix: see genprm"):
        RewardOptions.read({"votes": "many"}, "reward_kwargs")
    with pytest.raises(InputError, match="field votes: Input should be greater than or equal to 1"):
        RewardOptions.read({"votes": 0}, "reward_kwargs")
    with pytest.raises(InputError, match="field timeout: Input should be greater than 0"):
        RewardOptions.read({"timeout": 0}, "reward_kwargs")


def test_one_completion_is_judged_with_its_gold_answer() -> None:
    with serving() as url:
        options = RewardOptions(url=url, kind=Kind.FLAW_AWARE)
        flawed = asyncio.run(reward_one(options, "1 + 1?", "So wrong: \\boxed{2}", 2))
        assert (flawed.reward, flawed.correct, flawed.judged.first_error) == (0.5, True, 0)
        empty = asyncio.run(reward_one(options, "1 + 1?", None, 2))
        assert (empty.reward, empty.abstained) == (0.0, True)
        options.judge.close()
