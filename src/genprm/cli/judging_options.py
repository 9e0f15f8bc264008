"""The options for how the steps of a solution are judged."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from genprm.cli.grouping import OptionGroup
from genprm.model import Sampling
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.settings import Settings
from genprm.verify.turn import Limits
from genprm.verify.voting import Adaptive

_JUDGE = "Judging"
_DEFAULT = Settings()


class Prompt(StrEnum):
    """Which models the judge's prompt is written for."""

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
        Mode,
        typer.Option(
            help="What a vote does before it judges. genprm: analysis, code and execution; cot: "
            "analysis; code: code and execution; no-exec: analysis and code that is not run; "
            "direct: nothing; critique: one review of the whole solution.",
            rich_help_panel=_JUDGE,
        ),
    ] = Mode.GENPRM
    adaptive: Annotated[
        Adaptive,
        typer.Option(
            help="When to stop before all votes are cast. exact: once the label is certain; "
            "confident: once a sequential test is confident of it.",
            rich_help_panel=_JUDGE,
        ),
    ] = Adaptive.OFF
    error_rate: Annotated[
        float,
        typer.Option(
            min=1e-9,
            max=0.5,
            help="With --adaptive confident: how often the test may stop at the wrong label.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.error_rate
    seed: Annotated[int, typer.Option(help="Seed of all sampling.", rich_help_panel=_JUDGE)] = 0
    temperature: Annotated[
        float,
        typer.Option(min=0.0, help="Sampling temperature; 0 is greedy.", rich_help_panel=_JUDGE),
    ] = _DEFAULT.sampling.temperature
    top_p: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Sample from the most probable tokens that together have this probability.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.sampling.top_p
    top_k: Annotated[
        int,
        typer.Option(
            min=0,
            help="Sample from this many of the most probable tokens; with 0, from all.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.sampling.top_k
    max_tokens: Annotated[
        int,
        typer.Option(
            min=1, help="Most tokens that a vote may write on a step.", rich_help_panel=_JUDGE
        ),
    ] = _DEFAULT.limits.tokens
    thought_tokens: Annotated[
        int,
        typer.Option(
            min=0,
            help="Most tokens that a reasoning model may spend on thinking before it judges a step "
            "(with --prompt general or --mode critique); then genprm closes the thought.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.limits.thought_tokens
    code_rounds: Annotated[
        int,
        typer.Option(
            min=1, help="Most blocks of code that a vote may run.", rich_help_panel=_JUDGE
        ),
    ] = _DEFAULT.limits.code_rounds
    code_timeout: Annotated[
        float,
        typer.Option(
            min=0.01, help="Most seconds that a block of code may run.", rich_help_panel=_JUDGE
        ),
    ] = _DEFAULT.code_timeout
    evaluator_prompt: Annotated[
        bool,
        typer.Option(
            "--evaluator-prompt",
            help="Start the prompt as the authors' evaluator does: with '{problem}\\n{step}' "
            "instead of 'Question: {problem}'.",
            rich_help_panel=_JUDGE,
        ),
    ] = False
    assistant_marker: Annotated[
        bool,
        typer.Option(
            "--assistant-marker",
            help="Put the chat template's assistant marker before <analyze>, which the authors do "
            "not do.",
            rich_help_panel=_JUDGE,
        ),
    ] = False
    prompt: Annotated[
        Prompt,
        typer.Option(
            help="How the judge is prompted. genprm: as the GenPRM checkpoints were trained; "
            "general: with a description of the format, for any instruct or reasoning model.",
            rich_help_panel=_JUDGE,
        ),
    ] = Prompt.GENPRM
    reference_output: Annotated[
        bool,
        typer.Option(
            "--reference-output",
            help="Show the output of code to the model as the authors do: if the code ended in an "
            "error, without what it printed before.",
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
            limits=Limits(self.max_tokens, self.code_rounds, thought_tokens=self.thought_tokens),
            code_timeout=self.code_timeout,
            prompt_format=PromptFormat(
                not self.evaluator_prompt,
                self.assistant_marker,
                self.reference_output,
                general=self.prompt is Prompt.GENERAL,
            ),
        )
