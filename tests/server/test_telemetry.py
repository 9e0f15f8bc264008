"""The event of a judged step, by OpenTelemetry's names."""

import pytest

from genprm.problem import Solution
from genprm.server.telemetry import attributes, emit_step
from genprm.verdict import Flag, StepVerdict, Vote

SOLUTION = Solution("?", ("a",), "s1")


def test_a_step_is_one_evaluation_result() -> None:
    step = StepVerdict((Vote(0.25, "t", analysis="It is wrong."),), 1)
    found = attributes(SOLUTION, 0, step)
    assert found["gen_ai.evaluation.score.value"] == 0.25
    assert found["gen_ai.evaluation.score.label"] == "incorrect"
    assert found["gen_ai.evaluation.explanation"] == "It is wrong."
    emit_step(SOLUTION, 0, step)


def test_an_abstention_has_no_score() -> None:
    step = StepVerdict((Vote(None, "t", flags=(Flag.TRUNCATED,)),), 1)
    found = attributes(SOLUTION, 0, step)
    assert found["error.type"] == "truncated"
    assert "gen_ai.evaluation.score.value" not in found


def test_a_real_provider_receives_the_events() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk._logs")
    export = pytest.importorskip("opentelemetry.sdk._logs.export")
    from opentelemetry._logs import set_logger_provider

    kept = export.InMemoryLogRecordExporter()
    provider = sdk.LoggerProvider()
    provider.add_log_record_processor(export.SimpleLogRecordProcessor(kept))
    set_logger_provider(provider)
    emit_step(SOLUTION, 0, StepVerdict((Vote(0.9, "t"),), 1))
    (event,) = kept.get_finished_logs()
    assert event.log_record.event_name == "gen_ai.evaluation.result"
