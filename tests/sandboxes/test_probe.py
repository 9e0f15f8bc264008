"""What `genprm doctor` is told."""

import asyncio

import pytest

from genprm.sandboxes.host.tiers import TIERS, Tier
from genprm.sandboxes.probe import probe


@pytest.mark.parametrize("tier", ["bubblewrap", "bare"])
def test_every_layer_of_a_strong_tier_holds(tier: str) -> None:
    if TIERS[tier].missing():
        pytest.skip(f"missing here: {TIERS[tier].missing()}")
    found = asyncio.run(probe(tier))
    if tier == "bubblewrap" and found.tier is None:
        pytest.skip(found.lines()[0])
    assert found.is_safe, "\n".join(found.lines())
    assert found.tier == tier
    assert ("namespaces" in {layer.name for layer in found.layers}) == (tier == "bubblewrap")


def test_a_weak_tier_is_not_called_safe() -> None:
    if TIERS["bare-without-landlock"].missing():
        pytest.skip("no seccomp here")
    found = asyncio.run(probe("bare-without-landlock"))
    assert not found.is_safe
    assert any("FAILS" in line and "Landlock" in line for line in found.lines())


def test_a_machine_without_layers_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tier, "missing", lambda self: ["Landlock"])
    found = asyncio.run(probe())
    assert not found.is_safe
    assert "Landlock" in found.lines()[0]
