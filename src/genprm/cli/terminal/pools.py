"""How the rows of sample, rank, refine and search look on a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from genprm.cli.terminal.rows import Look, accuracy, spent
from genprm.cli.terminal.visible import plain, visible
from genprm.records.pools import Cost, PoolRow, ProblemRow
from genprm.records.rankings import RankingRow
from genprm.records.refinements import RefinementRow
from genprm.records.searches import SearchRow, TreeNodeRow
from genprm.verdict import THRESHOLD

_MARKS = {True: "✓", False: "✗", None: ""}


def _cost(row: ProblemRow) -> Cost:
    return row.cost


def _mark(row: ProblemRow, index: int) -> str:
    return _MARKS[row.correct[index] if row.correct is not None else None]


def _total(rows: Sequence[ProblemRow]) -> str:
    return spent(sum((row.cost for row in rows), Cost()))


def _show_pool(row: PoolRow) -> RenderableType:
    lines = [
        plain(f"{_mark(row, index)} {answer or '(no answer)'}".strip())
        for index, answer in enumerate(row.extracted)
    ]
    return Group(plain(row.problem, "bold"), Padding(Group(*lines), (0, 0, 1, 2)))


def _summarise_pools(rows: Sequence[PoolRow]) -> RenderableType:
    graded = [row.correct for row in rows if row.correct is not None]
    correct = [right for one in graded for right in one]
    text = f"{len(rows)} problems, {sum(len(row.responses) for row in rows)} solutions"
    if correct:
        share = 100 * sum(correct) / len(correct)
        text += f"; Pass@1 {share:.1f} %, {sum(map(any, graded))} solved at least once"
    return Text(text)


def _show_ranking(row: RankingRow) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for name in ("", "answer", "reward of each step", ""):
        table.add_column(name)
    (scores,) = row.prm_step_scores.values()
    for index, (answer, rewards) in enumerate(zip(row.extracted, scores, strict=True)):
        chosen = index == row.choice
        table.add_row(
            "→" if chosen else "",
            plain(answer or "—"),
            " ".join("—" if reward is None else f"{reward:.2f}" for reward in rewards),
            _mark(row, index),
            style="bold" if chosen else None,
        )
    cost = Text(spent(row.cost), "dim")
    return Group(plain(row.problem), Padding(Group(table, cost), (0, 0, 1, 2)))


def _summarise_rankings(rows: Sequence[RankingRow]) -> RenderableType:
    graded = [(row, row.correct) for row in rows if row.correct is not None]
    table = Table(box=None, pad_edge=False)
    for name in ("choice", "right", "%"):
        table.add_column(name, justify="left" if name == "choice" else "right")
    for name in graded[0][0].choices if graded else ():
        picks = [(row.choices[name], correct) for row, correct in graded]
        right = sum(pick is not None and correct[pick] for pick, correct in picks)
        table.add_row(name, str(right), f"{100 * right / len(graded):.1f}")
    if graded:
        possible = sum(any(correct) for _, correct in graded)
        table.add_row("any (Pass@N)", str(possible), f"{100 * possible / len(graded):.1f}")
    right_ones = accuracy(rows, [row.choice for row in rows])
    return Group(table, Text(f"{right_ones}; {_total(rows)}"))


def _show_refinement(row: RefinementRow) -> RenderableType:
    parts: list[RenderableType] = [plain(row.problem, "bold")]
    for index, turn in enumerate(row.turns):
        if turn.request is not None:
            parts.append(Padding(plain(turn.request, "italic yellow"), (0, 0, 0, 4)))
        score = "" if turn.score is None else f"  score {turn.score:.3f}"
        style = "bold" if index == row.choice else ""
        parts.append(Padding(plain(turn.text, style), (0, 0, 0, 2)))
        end = f"turn {index}{score}  {_mark(row, index)}".rstrip()
        parts.append(Padding(Text(end, "dim"), (0, 0, 0, 2)))
    parts.append(Text(f"{row.ended}; {spent(row.cost)}", "dim"))
    return Padding(Group(*parts), (0, 0, 1, 0))


def _summarise_refinements(rows: Sequence[RefinementRow]) -> RenderableType:
    lines = []
    graded = [(len(row.turns), row.correct) for row in rows if row.correct is not None]
    for turn in range(max((turns for turns, _ in graded), default=0)):
        right = sum(correct[min(turn, turns - 1)] for turns, correct in graded)
        lines.append(Text(f"latest answer after turn {turn}: {100 * right / len(graded):.1f} %"))
    right_ones = accuracy(rows, [row.choice for row in rows])
    return Group(*lines, Text(f"{right_ones}; {_total(rows)}"))


def show_search(row: SearchRow) -> RenderableType:
    """A stored tree: kept steps bold, the leaf of the chosen solution marked."""
    chosen = row.leaves[0] if row.leaves else None
    tree = Tree(plain(row.problem, "bold"), guide_style="dim")
    _grow(tree, row.tree, 0, chosen)
    end = f"{row.choice_answer or 'no answer'}; {row.ended}; {spent(row.cost)}"
    return Padding(Group(tree, plain(f"→ {end}", "dim")), (0, 0, 1, 0))


def _grow(branch: Tree, nodes: Sequence[TreeNodeRow], parent: int, chosen: int | None) -> None:
    for node in nodes:
        if node.parent != parent:
            continue
        value = "  —  " if node.value is None else f"{node.value:.3f}"
        times = f" ×{node.count}" if node.count > 1 else ""
        end = " ★" if node.id == chosen else " ■" if node.complete else ""
        style = "bold" if node.kept else "dim"
        color = "green" if (node.reward or 0) >= THRESHOLD else "red"
        step = visible(" ".join(node.step.split()))
        label = Text.assemble((value, color), (f"{times}  {step}{end}", style))
        _grow(branch.add(label), nodes, node.id, chosen)


def _summarise_searches(rows: Sequence[SearchRow]) -> RenderableType:
    return Text(f"{accuracy(rows, [row.choice for row in rows])}; {_total(rows)}")


POOLS = Look(_show_pool, _summarise_pools, _cost)
RANKINGS = Look(_show_ranking, _summarise_rankings, _cost)
REFINEMENTS = Look(_show_refinement, _summarise_refinements, _cost)
SEARCHES = Look(show_search, _summarise_searches, _cost)
