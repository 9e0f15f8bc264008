"""Tree search with a scripted policy and judge: what is grown, kept, thrown away and counted."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from math import log

from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted

from genprm.answer import AnswerChecker
from genprm.policy import Policy
from genprm.problem import Problem
from genprm.scale.budget import Budget
from genprm.scale.methods import Strategy
from genprm.scale.rows import search_row
from genprm.scale.search import Found, SearchEnd, Searcher, SearchSettings, select
from genprm.scale.tree import Node
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

PROBLEM = Problem("p", "x?", "7")
Say = Callable[[int, int], str]  # (steps so far, seed) -> the step


def run(say: Say, settings: SearchSettings) -> tuple[Found, Scripted, Scripted]:
    """Each step ends in its reward; a step that says END is the last."""

    def write(prompt: str, seed: int) -> str:
        depth = prompt.count("\n\nStep ")
        text = say(depth, seed)
        return f" {text}" if "END" in text else f" {text}\nStep {depth + 2}: more"

    def judge(prompt: str) -> dict[str, float]:
        step = prompt.rsplit("<user>", 1)[1].split("<analyze>", maxsplit=1)[0]
        reward = float(step.split()[-1])
        return {"Yes": log(reward), "No": log(1 - reward)}

    writer = Scripted(write, judge)
    critic = Scripted(lambda prompt, seed: "…\n</analyze>\n", judge)
    verifier = Verifier(critic, None, Settings(mode=Mode.COT))  # type: ignore[arg-type]
    found = asyncio.run(Searcher(Policy(writer), verifier, settings).search(PROBLEM))
    return found, writer, critic


def digit(seed: int) -> int:
    return seed % 9 + 1


def three_steps(depth: int, seed: int) -> str:
    end = "END The answer is 7." if depth == 2 else "go"
    return f"{end} 0.{digit(seed)}"


def test_beam_search_continues_the_best_children_of_all() -> None:
    found, writer, _ = run(three_steps, SearchSettings(beams=2, branch=3))
    assert len(writer.asked) == 6 + 6 + 6
    for depth in (1, 2, 3):
        layer = [node for node in found.tree.nodes if len(node.steps) == depth]
        kept = sorted((node.value or 0 for node in layer if node.kept), reverse=True)
        assert kept == sorted((node.value or 0 for node in layer), reverse=True)[: len(kept)]
    assert found.ended is SearchEnd.COMPLETE
    assert len(found.leaves) == 2


def test_diverse_search_keeps_one_child_of_each_tree() -> None:
    settings = SearchSettings(strategy=Strategy.DVTS, beams=3, branch=2)
    found, _, _ = run(three_steps, settings)
    assert sorted(leaf.subtree for leaf in found.leaves) == [0, 1, 2]
    kept = [node for node in found.tree.nodes if node.kept and node.id]
    assert len({(node.subtree, len(node.steps)) for node in kept}) == len(kept) == 9


def test_the_best_leaf_comes_first() -> None:
    found, _, _ = run(three_steps, SearchSettings(beams=4, branch=4))
    values = [leaf.value or 0 for leaf in found.leaves]
    assert values == sorted(values, reverse=True)


def test_the_same_step_is_judged_once_and_every_sample_is_paid() -> None:
    found, _writer, critic = run(lambda depth, seed: "END 0.8", SearchSettings(beams=2, branch=4))
    assert len(found.tree.nodes) == 2
    assert found.tree.nodes[1].count == 8
    assert len(critic.asked) == 1
    assert found.cost.policy.tokens_out == 8 * len(" END 0.8")


def test_lookahead_values_a_step_by_what_follows() -> None:
    """A promising first step that leads nowhere loses to a plain one that ends well."""

    def say(depth: int, seed: int) -> str:
        return three_steps(depth, seed)

    def trap(prompt_depth: int, seed: int) -> str:
        if prompt_depth == 0:
            return "trap 0.9" if seed % 2 else "plain 0.7"
        return say(prompt_depth, seed)

    def judge_trap(depth: int, seed: int) -> str:
        return trap(depth, seed) if depth == 0 else "END 0.1" if seed % 2 else "END 0.8"

    near, _, _ = run(judge_trap, SearchSettings(beams=1, branch=8))
    far, _, _ = run(judge_trap, SearchSettings(beams=1, branch=8, lookahead=1))
    first = {
        name: next(node for node in found.tree.nodes[1:] if node.kept).step
        for name, found in {"near": near, "far": far}.items()
    }
    assert first == {"near": "Step 1: trap 0.9", "far": "Step 1: plain 0.7"}


def test_a_budget_ends_the_search_and_the_policy_writes_the_rest() -> None:
    settings = SearchSettings(beams=1, branch=2, budget=Budget(policy_tokens=1))
    found, _, _ = run(three_steps, settings)
    assert found.ended is SearchEnd.BUDGET
    assert found.leaves == ()
    assert found.unguided is not None
    assert found.unguided.steps[0] == next(n for n in found.tree.nodes[1:] if n.kept).step


def test_depth_is_bounded() -> None:
    found, _, _ = run(lambda depth, seed: f"go 0.{digit(seed)}", SearchSettings(max_steps=3))
    assert found.ended is SearchEnd.DEPTH
    assert max(len(node.steps) for node in found.tree.nodes) == 3


def test_first_steps_are_those_of_the_shared_samples() -> None:
    """Child i of the root has the seed of sample i of the pool."""
    _, four, _ = run(three_steps, SearchSettings(beams=2, branch=2))
    _, eight, _ = run(three_steps, SearchSettings(beams=2, branch=4))
    assert [seed for _, seed in eight.asked[:4]] == [seed for _, seed in four.asked[:4]]


def test_the_row_holds_the_tree_and_the_answer() -> None:
    found, _, _ = run(three_steps, SearchSettings(beams=2, branch=2))
    with AnswerChecker() as checker:
        row = search_row(1, PROBLEM, found, checker=checker)
    assert [node.id for node in row.tree] == list(range(1, len(found.tree.nodes)))
    assert row.leaves[0] == found.leaves[0].id
    assert sum(node.cost.policy.tokens_out for node in row.tree) == (row.cost.policy.tokens_out)


nodes = st.lists(
    st.builds(
        lambda value, subtree: Node(0, 0, ("s",), False, value=value, subtree=subtree),
        st.none() | st.floats(0, 1),
        st.integers(0, 3),
    ),
    max_size=12,
).map(lambda made: [replace(node, id=index + 1) for index, node in enumerate(made)])


@given(nodes, st.integers(1, 4))
def test_beams_are_the_highest_values(grown: list[Node], beams: int) -> None:
    kept = select(grown, Strategy.BEAM, beams)
    assert len(kept) == min(beams, len(grown))
    dropped = [node.value for node in grown if node not in kept and node.value is not None]
    assert all((node.value or 0) >= max(dropped, default=0) for node in kept if node.value)


@given(nodes)
def test_every_subtree_keeps_its_best(grown: list[Node]) -> None:
    kept = select(grown, Strategy.DVTS, 4)
    assert {node.subtree for node in kept} == {node.subtree for node in grown}
    for node in kept:
        others = [n.value for n in grown if n.subtree == node.subtree and n.value is not None]
        assert (node.value if node.value is not None else -1) == max(others, default=-1)
