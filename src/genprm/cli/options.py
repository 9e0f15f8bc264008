"""The options that several commands share, each with one name, one help text and one default."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from genprm.cli.grouping import OptionGroup
from genprm.verify.aggregate import Aggregate
from genprm.verify.settings import Settings

if TYPE_CHECKING:  # what a command builds is imported when it runs
    from genprm.cli.terminal.rows import Output
    from genprm.compose import JudgeChoice
    from genprm.tasks.scaling import JudgedBy

_ENGINE = "Engine"
_POLICY = "Policy"

ModelName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="The judging model: default (code first, then the shipped model on text like its "
        "training text), arithmetic (the shipped model alone), the folder of an OpenVINO or "
        "Hugging Face model, FILE.gguf, hf:ORG/NAME, vllm:NAME, http://host:port/v1\\[#name] for a "
        "server with /v1/completions, service:http://host:port for a running genprm serve, or "
        "replay:FILE.",
        rich_help_panel=_ENGINE,
    ),
]
Tier: TypeAlias = Annotated[
    str,
    typer.Option(
        "--sandbox",
        help="Where the model's code runs: a tier of isolation on this machine (genprm doctor "
        "lists them), remote:http://HOST:PORT (a running genprm sandbox serve), or "
        "container:IMAGE.",
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
    """Which model judges, how to reach it, and where its code runs."""

    model: ModelName = "default"
    chat_template: Annotated[
        Path | None,
        typer.Option(
            help="Chat template of the model: a Jinja file or the model's folder.",
            rich_help_panel=_ENGINE,
        ),
    ] = None
    api_key: ApiKey = None
    sandbox: Tier = "auto"
    cascade: Annotated[
        Path | None,
        typer.Option(
            help="A file that genprm evaluate cascade wrote: a cheap judge judges first, and "
            "--model only the steps that it is unsure of.",
            rich_help_panel=_ENGINE,
        ),
    ] = None
    engine_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A setting of the engine, such as slots=2 for a GGUF file or "
            "gpu_memory_utilization=0.5 for vLLM; may be repeated.",
            rich_help_panel=_ENGINE,
        ),
    ] = None

    @property
    def choice(self) -> "JudgeChoice":
        """The judge that these options name."""
        from genprm.compose import JudgeChoice, ModelChoice

        model = ModelChoice(
            self.model, self.chat_template, self.api_key, tuple(self.engine_arg or ())
        )
        return JudgeChoice(model, self.sandbox, self.cascade)

    def judged(self, settings: Settings) -> "JudgedBy":
        """The judge under these settings."""
        from genprm.tasks.scaling import JudgedBy

        return JudgedBy(self.choice, settings)


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
    """Where the rows are written."""

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write one JSON row for each item to this file, or a Parquet file if its name "
            "ends in .parquet. It may be a URL such as s3://BUCKET/FILE. Run the same command "
            "again to resume an interrupted run.",
        ),
    ] = None
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as JSON, one on each line.")
    ] = False
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="With --output: repeat the rows that failed in an earlier run.",
        ),
    ] = False

    def at(self, concurrency: int) -> "Output":
        """Where and how rows are written; at most `concurrency` are computed at the same time."""
        from genprm.cli.terminal.rows import Output

        return Output(self.output, self.as_json, concurrency, self.retry_failed)


AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
SkipBadRows: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows",
        help="Skip and count rows that cannot be read, instead of stopping at the first one.",
    ),
]
LabelField: TypeAlias = Annotated[
    str,
    typer.Option(help="Field of the rows that holds the true index of the first error."),
]
AllVotesRun: TypeAlias = Annotated[
    Path, typer.Argument(help="Output of genprm verify --votes N, without --adaptive.")
]
Problems: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="[PROBLEMS|-]",
        help="JSON rows with problem and, if known, answer; - for stdin.",
    ),
]
Samples: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Stored samples instead of PROBLEMS: a file of genprm sample, or rows with responses.",
        rich_help_panel=_POLICY,
    ),
]
Score: TypeAlias = Annotated[
    Aggregate,
    typer.Option(help="How step rewards are combined into a solution's score (appendix A.1)."),
]
PolicyBudget: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Most tokens that the policy may write for one problem.")
]
VerifierBudget: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Most tokens that the verifier may write for one problem.")
]
