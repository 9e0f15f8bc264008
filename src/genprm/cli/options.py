"""The options that several commands share: one spelling, one help text, one default."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from genprm.cli.grouping import OptionGroup
from genprm.errors import InputError
from genprm.model import Sampling
from genprm.verify.aggregate import Aggregate
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.session import Limits
from genprm.verify.settings import Settings
from genprm.verify.voting import Adaptive

if TYPE_CHECKING:  # what a command builds is imported when it runs
    from genprm.cli.terminal.rows import Output
    from genprm.compose import JudgeChoice
    from genprm.tasks.scaling import JudgedBy

_ENGINE = "Engine"
_JUDGE = "Judging"
_POLICY = "Policy"
_DEFAULT = Settings()

ModelName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="default (code first, then the shipped model on text like its own), arithmetic (the "
        "shipped model alone), a folder with a model for OpenVINO or of Hugging Face, FILE.gguf, "
        "hf:ORG/NAME, vllm:NAME, http://host:port/v1\\[#name] for a server with /v1/completions, "
        "service:http://host:port for a running genprm serve, or replay:FILE.",
        rich_help_panel=_ENGINE,
    ),
]
Tier: TypeAlias = Annotated[
    str,
    typer.Option(
        "--sandbox",
        help="Where the model's code runs: a tier of isolation on this machine (genprm doctor), "
        "remote:http://HOST:PORT (genprm sandbox serve), or container:IMAGE.",
        rich_help_panel=_ENGINE,
    ),
]
ApiKey: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="API key for the model server.", envvar="OPENAI_API_KEY", rich_help_panel=_ENGINE
    ),
]


@dataclass(frozen=True, slots=True)
class EngineOptions(OptionGroup):
    """Which model, reached how, and where its code runs."""

    model: ModelName = "default"
    chat_template: Annotated[
        Path | None,
        typer.Option(help="Jinja file of a served model's chat template.", rich_help_panel=_ENGINE),
    ] = None
    api_key: ApiKey = None
    sandbox: Tier = "auto"
    cascade: Annotated[
        Path | None,
        typer.Option(
            help="File of genprm evaluate cascade: a cheap judge first, --model where it is "
            "unsure.",
            rich_help_panel=_ENGINE,
        ),
    ] = None
    engine_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A setting of an engine in process, such as slots=2 for a GGUF file or "
            "gpu_memory_utilization=0.5 for vLLM. May be given several times.",
            rich_help_panel=_ENGINE,
        ),
    ] = None

    @property
    def choice(self) -> "JudgeChoice":
        """The judge that these words name."""
        from genprm.compose import JudgeChoice, ModelChoice

        model = ModelChoice(
            self.model, self.chat_template, self.api_key, tuple(self.engine_arg or ())
        )
        return JudgeChoice(model, self.sandbox, self.cascade)

    def judged(self, settings: Settings) -> "JudgedBy":
        """The judge under these settings."""
        from genprm.tasks.scaling import JudgedBy

        return JudgedBy(self.choice, settings)


class Prompt(StrEnum):
    """Whom the judge's prompt is written for."""

    GENPRM = "genprm"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class JudgingOptions(OptionGroup):
    """How the steps of a solution are judged."""

    votes: Annotated[
        int,
        typer.Option(
            "--votes", "-n", min=1, max=1024, help="Votes on each step; the reward is their mean."
        ),
    ] = 1
    mode: Annotated[
        Mode, typer.Option(help="What a vote does before it judges.", rich_help_panel=_JUDGE)
    ] = Mode.GENPRM
    adaptive: Annotated[
        Adaptive,
        typer.Option(help="When to stop before all votes are cast.", rich_help_panel=_JUDGE),
    ] = Adaptive.OFF
    error_rate: Annotated[
        float,
        typer.Option(
            min=1e-9,
            max=0.5,
            help="With --adaptive confident: how often its test may stop at the wrong label.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.error_rate
    seed: Annotated[int, typer.Option(help="Seed of all sampling.", rich_help_panel=_JUDGE)] = 0
    temperature: Annotated[
        float,
        typer.Option(min=0.0, help="Sampling temperature; 0 is greedy.", rich_help_panel=_JUDGE),
    ] = _DEFAULT.sampling.temperature
    top_p: Annotated[float, typer.Option(min=0.0, max=1.0, rich_help_panel=_JUDGE)] = (
        _DEFAULT.sampling.top_p
    )
    top_k: Annotated[
        int,
        typer.Option(
            min=0,
            help="Sample from this many of the likeliest tokens; 0: from all.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.sampling.top_k
    max_tokens: Annotated[
        int,
        typer.Option(min=1, help="Tokens that a vote may write on a step.", rich_help_panel=_JUDGE),
    ] = _DEFAULT.limits.tokens
    code_rounds: Annotated[
        int, typer.Option(min=1, help="Blocks of code that a vote may run.", rich_help_panel=_JUDGE)
    ] = _DEFAULT.limits.code_rounds
    code_timeout: Annotated[
        float,
        typer.Option(
            min=0.01, help="Seconds that a block of code may run.", rich_help_panel=_JUDGE
        ),
    ] = _DEFAULT.code_timeout
    evaluator_prompt: Annotated[
        bool,
        typer.Option(
            "--evaluator-prompt",
            help="Open the prompt as the authors' evaluator does: '{problem}\\n{step}' in place of "
            "'Question: {problem}'.",
            rich_help_panel=_JUDGE,
        ),
    ] = False
    assistant_marker: Annotated[
        bool,
        typer.Option(
            "--assistant-marker",
            help="Put the chat template's assistant marker before <analyze>; the authors do not.",
            rich_help_panel=_JUDGE,
        ),
    ] = False
    prompt: Annotated[
        Prompt,
        typer.Option(
            help="How the judge is asked: genprm, as GenPRM's checkpoints were trained, or "
            "general, which states the format, for any instruct or reasoning model.",
            rich_help_panel=_JUDGE,
        ),
    ] = Prompt.GENPRM
    reference_output: Annotated[
        bool,
        typer.Option(
            "--reference-output",
            help="Show the model code output as the authors do: without what was printed before an "
            "error.",
            rich_help_panel=_JUDGE,
        ),
    ] = False

    def settings(self, *, stop_at_first_error: bool = False) -> Settings:
        """The verifier's settings."""
        return Settings(
            mode=self.mode,
            votes=self.votes,
            adaptive=self.adaptive,
            error_rate=self.error_rate,
            stop_at_first_error=stop_at_first_error,
            sampling=Sampling(self.temperature, self.top_p, self.top_k),
            seed=self.seed,
            limits=Limits(self.max_tokens, self.code_rounds),
            code_timeout=self.code_timeout,
            prompt_format=PromptFormat(
                not self.evaluator_prompt,
                self.assistant_marker,
                self.reference_output,
                general=self.prompt is Prompt.GENERAL,
            ),
        )


Concurrency: TypeAlias = Annotated[
    int,
    typer.Option(min=1, help="Solutions judged at the same time.", rich_help_panel=_ENGINE),
]
ProblemConcurrency: TypeAlias = Annotated[
    int,
    typer.Option(
        "--concurrency",
        min=1,
        help="Problems worked on at the same time.",
        rich_help_panel=_ENGINE,
    ),
]
StopAtFirstError: TypeAlias = Annotated[
    bool,
    typer.Option("--stop-at-first-error", help="Do not judge the steps after the first wrong one."),
]


@dataclass(frozen=True, slots=True)
class OutputOptions(OptionGroup):
    """Where the rows go."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write one JSON row for each item to this file. Run the same command again to "
            "resume an interrupted run.",
        ),
    ] = None
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as JSON, one on each line.")
    ] = False
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="With --output: make those rows again that failed in an earlier run.",
        ),
    ] = False

    def at(self, concurrency: int) -> "Output":
        """The rows' way out, with so many made at the same time.

        Raises:
            InputError: the output is on an object store.
        """
        from genprm.cli.terminal.rows import Output

        if self.output is not None and re.match("[a-z][a-z0-9+.-]+:/", str(self.output)):
            raise InputError(
                f"--output {self.output}: a run is appended to, and an object store cannot append; "
                "fix: write to a file of this machine, and copy it when the run has ended"
            )

        return Output(self.output, self.as_json, concurrency, self.retry_failed)


AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
SkipBadRows: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows",
        help="Leave out and count rows that cannot be read, instead of stopping at the first.",
    ),
]
LabelField: TypeAlias = Annotated[
    str,
    typer.Option(help="Field of the rows that holds the true index of the first error."),
]
AllVotesRun: TypeAlias = Annotated[
    Path, typer.Argument(help="Output of genprm verify --votes N with all votes asked.")
]
Problems: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="[PROBLEMS|-]", help="JSON rows with problem and, if known, answer."),
]
Samples: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Stored samples (genprm sample, or rows with responses) in place of PROBLEMS.",
        rich_help_panel=_POLICY,
    ),
]
Score: TypeAlias = Annotated[
    Aggregate, typer.Option(help="How step rewards become a solution's score (appendix A.1).")
]
PolicyBudget: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Tokens that the policy may write for one problem.")
]
VerifierBudget: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Tokens that the verifier may write for one problem.")
]
