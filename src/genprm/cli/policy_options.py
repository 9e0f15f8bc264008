"""The options of a policy: which model it is, and how it is prompted."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genprm.cli.grouping import OptionGroup
from genprm.model import Sampling
from genprm.policy import PolicySettings

if TYPE_CHECKING:
    from genprm.tasks.scaling import PolicyChoice

_POLICY = "Policy"


@dataclass(frozen=True, slots=True)
class PolicyOptions(OptionGroup):
    """Which policy writes solutions, and how it is prompted."""

    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            "-p",
            help="The model that solves the problems, named in the same way as --model.",
            rich_help_panel=_POLICY,
        ),
    ] = "arithmetic/policy"
    policy_temperature: Annotated[
        float,
        typer.Option(min=0.0, help="Sampling temperature of the policy.", rich_help_panel=_POLICY),
    ] = 1.0
    policy_top_p: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="The policy samples from the most probable tokens that together have this "
            "probability.",
            rich_help_panel=_POLICY,
        ),
    ] = 1.0
    policy_top_k: Annotated[
        int,
        typer.Option(
            min=0,
            help="The policy samples from this many of the most probable tokens; with 0, from all.",
            rich_help_panel=_POLICY,
        ),
    ] = 0
    policy_system: Annotated[
        str | None,
        typer.Option(help="System prompt of the policy.", rich_help_panel=_POLICY),
    ] = None
    step_forcing: Annotated[
        bool,
        typer.Option(
            "--step-forcing/--no-step-forcing",
            help="Start the policy's answer with 'Step 1:', so that it writes in steps.",
            rich_help_panel=_POLICY,
        ),
    ] = True
    policy_tokens: Annotated[
        int,
        typer.Option(
            min=1, help="Most tokens that one solution may have.", rich_help_panel=_POLICY
        ),
    ] = 2048
    instruction: Annotated[
        str,
        typer.Option(
            help="Text to add after every problem in the policy's prompt.", rich_help_panel=_POLICY
        ),
    ] = ""
    policy_template: Annotated[
        Path | None,
        typer.Option(help="Like --chat-template, but for the policy.", rich_help_panel=_POLICY),
    ] = None
    policy_engine_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Like --engine-arg, but for the policy's engine.",
            rich_help_panel=_POLICY,
        ),
    ] = None

    @property
    def settings(self) -> PolicySettings:
        """How the policy is prompted."""
        return PolicySettings(
            system=self.policy_system,
            instruction=self.instruction,
            force_steps=self.step_forcing,
            max_tokens=self.policy_tokens,
            sampling=Sampling(self.policy_temperature, self.policy_top_p, self.policy_top_k),
        )

    def choice(self, api_key: str | None) -> "PolicyChoice":
        """The policy that these options name."""
        from genprm.compose import ModelChoice
        from genprm.tasks.scaling import PolicyChoice

        model = ModelChoice(
            self.policy, self.policy_template, api_key, tuple(self.policy_engine_arg or ())
        )
        return PolicyChoice(model, self.settings)
