"""What the page receives: one shape for the rows of every command, and its summary in the list.

`Document.steps` holds every judged step once. Candidates, turns and tree nodes refer to steps by
their index, so that one link format (run, row, step, vote) works for all of them.
"""

from pydantic import Field

from genprm.records.record import Record, Text
from genprm.verdict import THRESHOLD, Usage

PREVIEW = 240  # characters of the problem in the list


class Evidence(Record):
    """The printed comparison that decided a vote.

    `run` is the index of the block of code, `output_line` that of the line of its output, and
    `start` to `end` are characters of that line. `code_line` is the line of the code that printed
    it, if it is known. All count from 0.
    """

    run: int
    output_line: int
    start: int
    end: int
    code_line: int | None = None


class CodeRun(Record):
    """A block of code, what it printed, and how it ended."""

    code: Text
    output: Text
    status: Text


class VoteView(Record):
    """One vote. Rankings and searches keep rewards only: their votes have no text."""

    reward: float | None
    label: bool | None
    analysis: Text = ""
    runs: tuple[CodeRun, ...] = ()
    flags: tuple[str, ...] = ()
    text: Text = ""
    usage: Usage = Field(default_factory=Usage)
    cause: Text | None = None
    label_mass: float | None = None  # P(Yes) + P(No), where the row holds it
    review_at: int | None = None  # the step that holds its text: a review of the whole solution
    evidence: Evidence | None = None
    author: str = "verifier"


class StepView(Record):
    """One step. `model` names what cast the votes; `mc` and `progress` are a curation's scores."""

    text: Text
    reward: float | None = None
    label: bool | None = None
    judged: bool = True
    wanted: int = 0
    votes: tuple[VoteView, ...] = ()
    model: Text | None = None
    screening: "StepView | None" = None
    mc: float | None = None
    progress: float | None = None

    @property
    def disagreement(self) -> float:
        """Share of the votes that are in the minority, 0 to 0.5."""
        labels = [vote.label for vote in self.votes if vote.label is not None]
        return min(labels.count(True), labels.count(False)) / len(labels) if labels else 0.0


class Candidate(Record):
    """A solution among others of one problem: its steps, its answer, and where it was chosen."""

    steps: tuple[int, ...] = ()
    text: Text = ""
    answer: Text | None = None
    correct: bool | None = None
    chosen: bool = False
    chosen_by: tuple[str, ...] = ()


class Turn(Record):
    """A turn of a refinement: the request to the policy, its answer, and the verdict on it."""

    request: Text | None
    text: Text
    steps: tuple[int, ...] = ()
    score: float | None = None
    first_error: int | None = None
    answer: Text | None = None
    correct: bool | None = None
    chosen: bool = False


class TreeNode(Record):
    """A node of a search tree; `parent` is 0 for a child of the root, and ids count from 1."""

    id: int
    parent: int
    step: int
    value: float | None
    complete: bool
    kept: bool
    on_choice: bool = False


class Document(Record):
    """A row of any command as the page shows it."""

    kind: str  # solution, pool, refinement, search, path, failed, unreadable
    index: int = 0
    id: Text = ""
    problem: Text = ""
    answer: Text | None = None
    first_error: int | None = None
    label: int | None = None  # first error by people's labels, -1 for none
    failed: Text | None = None
    stop: Text | None = None  # why a search or refinement ended, or consensus dropped a path
    usage: Usage = Field(default_factory=Usage)
    steps: tuple[StepView, ...] = ()
    critiques: tuple[Text, ...] = ()  # of judges of whole solutions
    candidates: tuple[Candidate, ...] = ()
    turns: tuple[Turn, ...] = ()
    tree: tuple[TreeNode, ...] = ()

    def path_of(self, step: int) -> tuple[int, ...]:
        """The steps of the solution up to and including this step."""
        if self.tree:
            nodes = {node.id: node for node in self.tree}
            at = next((node for node in self.tree if node.step == step), None)
            path: list[int] = []
            while at is not None and at.step not in path:
                path.append(at.step)
                at = nodes.get(at.parent)
            return tuple(reversed(path))
        paths = [*(turn.steps for turn in self.turns), *(c.steps for c in self.candidates)]
        for own in paths:
            if step in own:
                return own
        return tuple(range(len(self.steps)))

    @property
    def rewards(self) -> list[float]:
        """The rewards of all steps that have one."""
        return [step.reward for step in self.steps if step.reward is not None]

    def summary(self) -> "Summary":
        """What the list shows about this row."""
        votes = [vote for step in self.steps for vote in step.votes]
        return Summary(
            index=self.index,
            id=self.id[:PREVIEW],
            kind=self.kind,
            problem=" ".join(self.problem[: 2 * PREVIEW].split())[:PREVIEW],
            steps=len(self.steps),
            rewards=tuple(
                round(step.reward, 3) if step.reward is not None else None
                for step in self.steps[:64]
            ),
            first_error=self.first_error,
            label=self.label,
            wrong=self._wrong(),
            lowest=min(self.rewards, default=None),
            disagreement=max((step.disagreement for step in self.steps), default=0.0),
            abstained=sum(vote.reward is None and vote.author == "verifier" for vote in votes),
            code_failed=sum(
                run.status not in ("ok", "not_run") for vote in votes for run in vote.runs
            ),
            tokens=self.usage.tokens_out,
            failed=self.failed and self.failed[:PREVIEW],
        )

    def _wrong(self) -> bool | None:
        """Whether the verdict contradicts the known truth; None if nothing is known."""
        if self.label is not None:
            return self.first_error != self.label
        known = [(turn.chosen, turn.correct) for turn in self.turns]
        known += [(candidate.chosen, candidate.correct) for candidate in self.candidates]
        correct = next((correct for chosen, correct in known if chosen), None)
        return None if correct is None else not correct


class Summary(Record):
    """A row of the list."""

    index: int
    id: str
    kind: str
    problem: str
    steps: int
    rewards: tuple[float | None, ...]
    first_error: int | None
    label: int | None
    wrong: bool | None
    lowest: float | None
    disagreement: float
    abstained: int
    code_failed: int
    tokens: int
    failed: str | None


def label_of(reward: float | None) -> bool | None:
    """The label that a reward gives."""
    return None if reward is None else reward >= THRESHOLD
