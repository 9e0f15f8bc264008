"""The tree that a search builds: one node for each step, with the verifier's verdict on it."""

from dataclasses import dataclass, field

from genprm.records.pools import Cost
from genprm.records.searches import TreeNodeRow
from genprm.verdict import StepVerdict


@dataclass(slots=True)
class Node:
    """One step. Node 0 is the root: the problem, with no step."""

    id: int
    parent: int | None
    steps: tuple[str, ...]  # of the solution up to and including this node
    complete: bool  # the policy ended here
    seed: int = 0
    count: int = 1  # how often it was sampled
    verdict: StepVerdict | None = None
    value: float | None = None  # what it was selected by
    kept: bool = False
    subtree: int = 0  # diverse search: which of the independent trees it belongs to
    cost: Cost = field(default_factory=Cost)  # of sampling and judging it, and looking ahead

    @property
    def step(self) -> str:
        """The text of the node's step."""
        return self.steps[-1] if self.steps else ""


@dataclass(slots=True)
class Tree:
    """All nodes, the root first."""

    nodes: list[Node] = field(default_factory=lambda: [Node(0, None, (), False, kept=True)])

    def grow(
        self, parent: Node, steps: tuple[str, ...], *, complete: bool, seed: int, subtree: int
    ) -> Node:
        """Add a node."""
        node = Node(
            len(self.nodes), parent.id, steps, complete, seed=seed, subtree=subtree, kept=False
        )
        self.nodes.append(node)
        return node

    def path(self, node: Node) -> list[Node]:
        """The nodes from the first step to this one."""
        above = self.path(self.nodes[node.parent]) if node.parent is not None else []
        return [*above, node] if node.id else []

    def rewards(self, node: Node) -> list[float | None]:
        """The step rewards along the path."""
        return [n.verdict.reward if n.verdict else None for n in self.path(node)]

    def rows(self) -> tuple[TreeNodeRow, ...]:
        """One record for each node below the root."""
        return tuple(_node_row(node) for node in self.nodes[1:])


def _node_row(node: Node) -> TreeNodeRow:
    assert node.parent is not None
    votes = node.verdict.votes if node.verdict else ()
    return TreeNodeRow(
        id=node.id,
        parent=node.parent,
        step=node.step,
        complete=node.complete,
        count=node.count,
        subtree=node.subtree,
        reward=node.verdict.reward if node.verdict else None,
        votes=tuple(vote.reward for vote in votes),
        value=node.value,
        kept=node.kept,
        seed=node.seed,
        cost=node.cost,
    )
