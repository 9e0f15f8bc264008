"""The options that say how the steps of a solution are judged."""

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
    thought_tokens: Annotated[
        int,
        typer.Option(
            min=0,
            help="Tokens that a reasoning model may think before it writes on a step (--prompt "
            "general, --mode critique); then the thought is closed.",
            rich_help_panel=_JUDGE,
        ),
    ] = _DEFAULT.limits.thought_tokens
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
            limits=Limits(self.max_tokens, self.code_rounds, thought_tokens=self.thought_tokens),
            code_timeout=self.code_timeout,
            prompt_format=PromptFormat(
                not self.evaluator_prompt,
                self.assistant_marker,
                self.reference_output,
                general=self.prompt is Prompt.GENERAL,
            ),
        )
