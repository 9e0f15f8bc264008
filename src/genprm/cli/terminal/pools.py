"""How the rows of sample, rank, refine and search look on a terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from genprm.cli.terminal.rows import Look, Tally, counted, spent
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


def _render_pool(row: PoolRow) -> RenderableType:
    lines = [
        plain(f"{_mark(row, index)} {answer or '(no answer)'}".strip())
        for index, answer in enumerate(row.extracted)
    ]
    return Group(plain(row.problem, "bold"), Padding(Group(*lines), (0, 0, 1, 2)))


def _summarise_pools(rows: Iterable[PoolRow]) -> RenderableType:
    problems = solutions = graded = right = solved = 0
    for row in rows:
        problems += 1
        solutions += len(row.responses)
        if row.correct is not None:
            graded += len(row.correct)
            right += sum(row.correct)
            solved += any(row.correct)
    text = f"{counted(problems, 'problem')}, {counted(solutions, 'solution')}"
    if graded:
        text += f"; Pass@1 {100 * right / graded:.1f} %, {solved} solved at least once"
    return Text(text)


def _render_ranking(row: RankingRow) -> RenderableType:
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


def _summarise_rankings(rows: Iterable[RankingRow]) -> RenderableType:
    tally, right = Tally(), Counter[str]()
    graded = possible = 0
    for row in rows:
        tally.add(row, row.choice)
        if row.correct is None:
            continue
        graded += 1
        possible += any(row.correct)
        for name, pick in row.choices.items():
            right[name] += pick is not None and row.correct[pick]
    table = Table(box=None, pad_edge=False)
    for name in ("choice", "correct", "%"):
        table.add_column(name, justify="left" if name == "choice" else "right")
    if graded:
        right["any (Pass@N)"] = possible
    for name, count in right.items():
        table.add_row(name, str(count), f"{100 * count / graded:.1f}")
    return Group(table, Text(str(tally)))


def _render_refinement(row: RefinementRow) -> RenderableType:
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


def _summarise_refinements(rows: Iterable[RefinementRow]) -> RenderableType:
    tally, graded = Tally(), list[tuple[bool, ...]]()
    for row in rows:
        tally.add(row, row.choice)
        if row.correct is not None:
            graded.append(tuple(row.correct))
    lines = []
    for turn in range(max(map(len, graded), default=0)):
        right = sum(correct[min(turn, len(correct) - 1)] for correct in graded)
        lines.append(Text(f"latest answer after turn {turn}: {100 * right / len(graded):.1f} %"))
    return Group(*lines, Text(str(tally)))


def render_search(row: SearchRow) -> RenderableType:
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


def _summarise_searches(rows: Iterable[SearchRow]) -> RenderableType:
    tally = Tally()
    for row in rows:
        tally.add(row, row.choice)
    return Text(str(tally))


POOLS = Look(_render_pool, _summarise_pools, _cost)
RANKINGS = Look(_render_ranking, _summarise_rankings, _cost)
REFINEMENTS = Look(_render_refinement, _summarise_refinements, _cost)
SEARCHES = Look(render_search, _summarise_searches, _cost)
