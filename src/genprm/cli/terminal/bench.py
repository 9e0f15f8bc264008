"""A benchmark's report as lines of text."""

from collections.abc import Sequence

from genprm.bench.run import Report, Spread


def report_table(report: Report) -> str:
    """What was measured, with the range of the repetitions."""
    rows = [
        ("tokens a second", report.tokens_per_second, "{:,.0f}"),
        ("engine alone, tokens a second", report.engine_tokens_per_second, "{:,.0f}"),
        ("share of the engine's own limit", report.share_of_engine, "{:.0%}"),
        (
            "driver, processor seconds per 1,000 tokens",
            report.driver_seconds_per_1000_tokens,
            "{:.3f}",
        ),
        ("solutions a minute", report.solutions_per_minute.ours, "{:,.1f}"),
        ("times the reference's control flow", report.speedup, "{:.1f}"),
        ("the same with adaptive votes and stop at first error", report.speedup_adaptive, "{:.1f}"),
        ("first verdict after start, seconds", report.first_verdict_seconds, "{:.2f}"),
        ("genprm --help, seconds", report.help_seconds, "{:.2f}"),
    ]
    head = (
        f"{report.model} by {report.engine} on {report.machine}\n"
        f"{report.solutions} solutions × {report.votes} votes; the reference's control flow on "
        f"{report.reference_solutions} of them{_settings(report.reference_engine_args)}; "
        f"medians of {report.repetitions}, and their range"
    )
    return "\n".join([head, *(_line(*row) for row in rows)])


def _settings(engine_args: Sequence[str]) -> str:
    return f", its engine with {' '.join(engine_args)}" if engine_args else ""


def _line(what: str, spread: Spread, form: str) -> str:
    middle, least, most = map(form.format, (spread.median, spread.least, spread.most))
    return f"{what:<54}{middle:>10}   {least} to {most}"
