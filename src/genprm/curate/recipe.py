"""What a recipe says about making training data: one table for each stage.

Defaults are the paper's if it gives a value (spec §3). `concurrency`, `actors` and `plan` do not
affect the rows. Everything else does, and a journal refuses to continue under another value.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from genprm.model import Sampling
from genprm.policy import PolicySettings
from genprm.recipe import Table
from genprm.records.record import JsonObject
from genprm.verify.format import Mode

Share = Annotated[float, Field(ge=0, le=1)]


class SamplingTable(Table):
    """How tokens are drawn from a model."""

    temperature: Annotated[float, Field(ge=0)] = 1.0  # sampling temperature; 0 is greedy
    top_p: Share = 1.0  # sample from the most probable tokens with this total probability
    top_k: Annotated[int, Field(ge=0)] = 0  # sample from this many most probable tokens; 0: all

    def sampling(self) -> Sampling:
        """The same as a `Sampling`."""
        return Sampling(self.temperature, self.top_p, self.top_k)


class Actors(Table):
    """What a stage needs on a cluster (`--executor ray`); the command line sets missing fields.

    Each actor has its own engine.
    """

    count: PositiveInt | None = None  # how many actors
    cpus: PositiveFloat | None = None  # CPUs of each actor
    gpus: Annotated[float, Field(ge=0)] | None = None  # GPUs of each actor; a fraction shares one
    memory: PositiveFloat | None = None  # GiB of memory of each actor


class Writer(SamplingTable):
    """A model that writes solutions or finishes them, with step forcing."""

    model: str  # the model, named as for --policy
    chat_template: str | None = None  # its chat template, if it is not the model's own
    engine_args: tuple[str, ...] = ()  # settings of the engine, each "key=value"
    system: str | None = None  # system prompt
    instruction: str = ""  # text after every problem
    max_tokens: PositiveInt = 2048  # most tokens of one solution
    concurrency: PositiveInt = 256  # requests to one engine at the same time
    actors: Actors = Actors()

    def policy_settings(self) -> PolicySettings:
        """How the policy is prompted."""
        return PolicySettings(self.system, self.instruction, True, self.max_tokens, self.sampling())


class Solutions(Writer):
    """Stage 1: paths through each problem."""

    correct: PositiveInt = 4  # wanted paths that reach the gold answer, for each problem
    incorrect: PositiveInt = 4  # wanted paths that do not
    max_samples: PositiveInt = 2048  # samples after which a problem is given up
    batch_size: PositiveInt = 16  # samples drawn together; they are one row of the stage
    max_steps: PositiveInt = 64  # a path with more steps is not used


class Estimator(StrEnum):
    """Which prefixes of a path are scored."""

    EXHAUSTIVE = "exhaustive"  # every prefix up to the first score of zero (the paper)
    BINARY = "binary"  # a binary search for the first score of zero (OmegaPRM, Luo et al. 2024)


class Band(Table):
    """A row of eq. 9: problems whose Pass@1 is below `below` get this many completions."""

    below: Annotated[float, Field(gt=0, le=1)]  # upper bound of Pass@1
    completions: PositiveInt  # completions for each prefix


DYNAMIC_K = (
    Band(below=0.1, completions=128),
    Band(below=0.9, completions=64),
    Band(below=1.0, completions=32),
)


class Rollouts(Writer):
    """Stage 2: Monte-Carlo scores of step prefixes."""

    estimator: Estimator = Estimator.EXHAUSTIVE  # which prefixes of a path are scored
    bands: tuple[Band, ...] = DYNAMIC_K  # completions for each prefix, by Pass@1 (eq. 9)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        bounds = [band.below for band in self.bands]
        if not bounds or bounds != sorted(set(bounds)) or bounds[-1] != 1:
            raise ValueError("field bands: `below` must rise from band to band and end at 1.0")
        return self


class Rule(StrEnum):
    """How Monte-Carlo scores become a step's label (spec §3.4)."""

    RATIO = "ratio"  # MC(s_t, a_t) / MC(s_t) >= epsilon: RPE, eq. 10, 11
    DIFFERENCE = "difference"  # MC(s_t, a_t) - MC(s_t) >= epsilon
    HARD = "hard"  # MC(s_t, a_t) > 0


class Progress(Table):
    """Stage 3: labels from scores."""

    rule: Rule = Rule.RATIO  # how scores become labels
    epsilon: float = 0.8  # threshold of the rule


class Rationales(SamplingTable):
    """Stage 4: the teacher's critiques."""

    teacher: str  # the model that writes critiques, named as for --policy
    chat_template: str | None = None  # its chat template, if it is not the model's own
    engine_args: tuple[str, ...] = ()  # settings of the teacher's engine, each "key=value"
    temperature: Annotated[float, Field(ge=0)] = 0.6  # sampling temperature; 0 is greedy
    top_p: Share = 0.95  # sample from the most probable tokens with this total probability
    top_k: Annotated[int, Field(ge=0)] = 20  # sample from this many most probable tokens; 0: all
    samples: PositiveInt = 1  # critiques of each solution
    max_tokens: PositiveInt = 16384  # most tokens of one critique, with thoughts
    thinks: bool = True  # the teacher's template opens a thought that ends with </think>
    code_rounds: PositiveInt = 64  # most blocks of code that one critique may run
    code_timeout: PositiveFloat = 5.0  # most seconds that a block may run
    concurrency: PositiveInt = 64  # critiques by one engine at the same time
    actors: Actors = Actors()


class Agreement(StrEnum):
    """Which of a solution's critiques has to agree with the labels."""

    FIRST = "first"  # the first critique that can be read (the paper, which has one)
    ANY = "any"  # any one of them; the first that agrees is kept
    MAJORITY = "majority"  # the judgement of the majority
    OFF = "off"  # no filter, for comparison


class Consensus(Table):
    """Stage 5: which solutions are kept."""

    agreement: Agreement = Agreement.FIRST  # which critique has to agree with the labels


class Chats(Table):
    """Stage 6: what is written for training."""

    modes: tuple[Mode, ...] = (Mode.GENPRM,)  # the modes to write chats for
    hub: str | None = None  # data set on the Hugging Face Hub to push to
    private: bool = True  # whether that data set is private

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.modes or len(set(self.modes)) < len(self.modes):
            raise ValueError("field modes: name each mode once, at least one")
        if Mode.CRITIQUE in self.modes:
            raise ValueError(
                "field modes: critique has no chats of single steps; fix: leave it out of the list"
            )
        return self


class Throughput(Table):
    """Tokens per second on one GPU, by stage; by default, the speed of the pilot."""

    solutions: PositiveFloat | None = None  # tokens per second in the stage solutions
    rollouts: PositiveFloat | None = None  # tokens per second in the stage rollouts
    rationales: PositiveFloat | None = None  # tokens per second in the stage rationales


class Assumptions(Table):
    """What the plan assumes if no pilot has measured it."""

    problems: PositiveInt | None = None  # number of problems; by default, they are counted
    solved: Share | None = None  # mean Pass@1
    kept_problems: Share | None = None  # share of problems with both correct and incorrect paths
    samples: PositiveFloat | None = None  # mean number of samples for a problem
    paths: PositiveFloat | None = None  # mean number of paths of a kept problem
    steps: PositiveFloat | None = None  # mean number of steps of a path
    problem_tokens: PositiveFloat | None = None  # mean tokens of a problem
    step_tokens: PositiveFloat | None = None  # mean tokens of a step
    critique_tokens: PositiveFloat | None = None  # mean tokens of a critique, with thoughts
    sampled: Share | None = None  # share of prefixes that are scored, not zeroed
    agreed: Share | None = None  # share of solutions that consensus keeps
    tokens_per_second: Throughput = Throughput()


class Curation(Table):
    """The tables of `genprm curate`."""

    name: str  # name of the data set
    problems: str  # a file, hf:NAME[:SPLIT], or arithmetic:COUNT
    seed: int = 0  # seed of all sampling
    solutions: Solutions
    rollouts: Rollouts
    progress: Progress = Progress()
    rationales: Rationales
    consensus: Consensus = Consensus()
    chats: Chats = Chats()
    plan: Assumptions = Assumptions()

    @model_validator(mode="after")
    def _labels_need_scores(self) -> Self:
        if self.rollouts.estimator is Estimator.BINARY and self.progress.rule is not Rule.HARD:
            raise ValueError(
                "field progress.rule: a binary search finds where scores fall to zero, no ratios; "
                'fix: rule = "hard", or rollouts.estimator = "exhaustive"'
            )
        return self


def decisive(table: Table) -> JsonObject:
    """The fields of a table that decide a stage's rows."""
    elsewhere = {"concurrency", "actors", "engine_args", "hub", "private"}
    fields: JsonObject = table.model_dump(mode="json", exclude=elsewhere)
    return fields
