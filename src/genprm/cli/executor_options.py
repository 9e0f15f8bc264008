"""The options for where the work is done: in this process, or on a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from genprm.cli.grouping import OptionGroup
from genprm.errors import InputError

if TYPE_CHECKING:
    from genprm.tasks.executor import Executor

_PANEL = "Executor"


class ExecutorName(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class ExecutorOptions(OptionGroup):
    """Where the work is done."""

    executor: Annotated[
        ExecutorName,
        typer.Option(
            help="local: one engine and one sandbox, in this process. ray: actors on a Ray "
            "cluster, each with an engine and a sandbox of its own. An interrupted run can be "
            "resumed with the other one.",
            rich_help_panel=_PANEL,
        ),
    ] = ExecutorName.LOCAL
    ray_address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="Address of the Ray cluster: HOST:PORT, ray://HOST:PORT from outside of it, auto "
            "for the one that this machine belongs to (the default), or local for a new one on "
            "this machine.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    actors: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many actors work on the Ray cluster; by default, as many as fit.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    actor_cpus: Annotated[
        float,
        typer.Option(min=0.0, help="CPUs of each actor on Ray.", rich_help_panel=_PANEL),
    ] = 1.0
    actor_gpus: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="GPUs of each actor on Ray; with a fraction, several actors share one.",
            rich_help_panel=_PANEL,
        ),
    ] = 0.0
    actor_memory: Annotated[
        float | None,
        typer.Option(min=0.0, help="GiB of memory of each actor on Ray.", rich_help_panel=_PANEL),
    ] = None
    actor_wait: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Seconds to wait until the Ray cluster has room for the first actor.",
            rich_help_panel=_PANEL,
        ),
    ] = 60.0

    @property
    def is_local(self) -> bool:
        """Whether all is done in this process."""
        return self.executor is ExecutorName.LOCAL

    @contextmanager
    def opened(self) -> "Iterator[Executor]":
        """The executor, connected while it is needed.

        Raises:
            InputError: there is no such cluster; or options of a cluster without --executor ray.
            MissingExtra: Ray is not installed.
        """
        from genprm.tasks.executor import InProcess

        if self.is_local:
            if self.actors is not None or self.actor_gpus or self.actor_memory is not None:
                raise InputError(
                    "--actors, --actor-gpus and --actor-memory need a cluster; "
                    "fix: add --executor ray"
                )
            yield InProcess()
            return
        from genprm.extras import require

        require("ray", extra="ray")
        from genprm.tasks.cluster import ClusterSettings, ray_cluster
        from genprm.worker import Needs

        needs = Needs(self.actors, self.actor_cpus, self.actor_gpus, self.actor_memory)
        settings = ClusterSettings(self.ray_address or "auto", needs, self.actor_wait)
        with ray_cluster(settings, _tell) as executor:
            yield executor


def _tell(line: str) -> None:
    from genprm.cli.terminal.visible import visible

    typer.echo(f"genprm: {visible(line)}", err=True)
