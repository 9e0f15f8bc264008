"""The options that every command which judges shares: one spelling, one help text."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from genprm.verify.aggregate import Aggregate
from genprm.verify.format import Mode
from genprm.verify.voting import Adaptive

_ENGINE = "Engine"
_JUDGE = "Judging"
_POLICY = "Policy"

ModelName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="arithmetic (shipped), a folder with an OpenVINO model, http://host:port/v1[#name] "
        "for any OpenAI-compatible server, or replay:FILE.",
        rich_help_panel=_ENGINE,
    ),
]
ChatTemplate: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Jinja file of a served model's chat template.", rich_help_panel=_ENGINE),
]
ApiKey: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Key for the server.", envvar="OPENAI_API_KEY", rich_help_panel=_ENGINE),
]
Tier: TypeAlias = Annotated[
    str,
    typer.Option("--sandbox", help="Sandbox tier; see genprm doctor.", rich_help_panel=_ENGINE),
]
Concurrency: TypeAlias = Annotated[
    int,
    typer.Option(min=1, help="Solutions judged at the same time.", rich_help_panel=_ENGINE),
]
Votes: TypeAlias = Annotated[
    int,
    typer.Option("--votes", "-n", min=1, max=1024, help="Votes on a step (eq. 6, 7)."),
]
VoteMode: TypeAlias = Annotated[
    Mode, typer.Option(help="What a vote does before it judges.", rich_help_panel=_JUDGE)
]
VoteAdaptive: TypeAlias = Annotated[
    Adaptive, typer.Option(help="When to stop asking for votes.", rich_help_panel=_JUDGE)
]
ErrorRate: TypeAlias = Annotated[
    float,
    typer.Option(
        min=1e-9,
        max=0.5,
        help="Of --adaptive confident: how often its test may stop on the wrong label.",
        rich_help_panel=_JUDGE,
    ),
]
Seed: TypeAlias = Annotated[int, typer.Option(help="Of all sampling.", rich_help_panel=_JUDGE)]
StopAtFirstError: TypeAlias = Annotated[
    bool,
    typer.Option("--stop-at-first-error", help="Judge no step after the first wrong one."),
]
Temperature: TypeAlias = Annotated[
    float, typer.Option(min=0.0, help="0 is greedy.", rich_help_panel=_JUDGE)
]
TopP: TypeAlias = Annotated[float, typer.Option(min=0.0, max=1.0, rich_help_panel=_JUDGE)]
TopK: TypeAlias = Annotated[int, typer.Option(min=0, help="0: all.", rich_help_panel=_JUDGE)]
StepTokens: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Tokens a vote may write on a step.", rich_help_panel=_JUDGE)
]
CodeRounds: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Blocks of code a vote may run.", rich_help_panel=_JUDGE)
]
CodeTimeout: TypeAlias = Annotated[
    float, typer.Option(min=0.01, help="Seconds for a block of code.", rich_help_panel=_JUDGE)
]
EvaluatorPrompt: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--evaluator-prompt",
        help="Open with the evaluator's '{problem}\\n{step}', not 'Question: {problem}'.",
        rich_help_panel=_JUDGE,
    ),
]
AssistantMarker: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--assistant-marker",
        help="Put the template's assistant marker before <analyze>; the reference does not.",
        rich_help_panel=_JUDGE,
    ),
]
ReferenceOutput: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--reference-output",
        help="Show code output as the reference does: without what was printed before an error.",
        rich_help_panel=_JUDGE,
    ),
]
Output: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Write one JSON row per solution here; a killed run goes on with the same command.",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print rows of JSON.")]

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
PolicyName: TypeAlias = Annotated[
    str, typer.Option("--policy", "-p", help="As --model.", rich_help_panel=_POLICY)
]
PolicyTemperature: TypeAlias = Annotated[
    float, typer.Option(min=0.0, help="Of the policy's samples.", rich_help_panel=_POLICY)
]
PolicyTokens: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Tokens of one solution.", rich_help_panel=_POLICY)
]
Instruction: TypeAlias = Annotated[
    str, typer.Option(help="Follows every problem in the policy's prompt.", rich_help_panel=_POLICY)
]
PolicyTemplate: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="As --chat-template, for the policy.", rich_help_panel=_POLICY),
]
Cascade: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="File of genprm evaluate cascade: a cheap judge first, --model where it is unsure.",
        rich_help_panel=_ENGINE,
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
ProblemConcurrency: TypeAlias = Annotated[
    int,
    typer.Option(
        "--concurrency",
        min=1,
        help="Problems worked on at the same time.",
        rich_help_panel=_ENGINE,
    ),
]
