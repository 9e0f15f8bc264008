"""OpenTelemetry: one `gen_ai.evaluation.result` event for each judged step.

The events go to whatever log provider the process has set up; without the extra, or without a
provider, they cost nothing. `opentelemetry-instrument genprm serve` sets one up from the
environment.
"""

from collections.abc import Callable

from genprm.problem import Solution
from genprm.verdict import StepVerdict
from genprm.verify.voting import representative

_EXPLANATION = 2000  # characters of an analysis that go with an event


def _no_event(solution: Solution, index: int, step: StepVerdict) -> None: ...


def _emitter() -> Callable[[Solution, int, StepVerdict], None]:
    try:
        from opentelemetry._logs import get_logger
    except ImportError:
        return _no_event
    logger = get_logger("genprm")

    def emit(solution: Solution, index: int, step: StepVerdict) -> None:
        logger.emit(
            event_name="gen_ai.evaluation.result", attributes=attributes(solution, index, step)
        )

    return emit


def attributes(
    solution: Solution, index: int, step: StepVerdict
) -> dict[str, str | float | int | bool]:
    """The event's attributes, named as in OpenTelemetry's conventions for generative AI."""
    kept = representative(step)
    found: dict[str, str | float | int | bool] = {
        "gen_ai.evaluation.name": "genprm.step",
        "genprm.solution.id": solution.id,
        "genprm.step.index": index,
        "genprm.step.votes": len(step.votes),
    }
    if step.reward is None or kept is None:
        cause = step.votes[0].abstained if step.votes else None
        return {**found, "error.type": cause or "failed"}
    return {
        **found,
        "gen_ai.evaluation.score.value": step.reward,
        "gen_ai.evaluation.score.label": "correct" if step.label else "incorrect",
        "gen_ai.evaluation.explanation": step.votes[kept].analysis[:_EXPLANATION],
    }


emit_step = _emitter()
