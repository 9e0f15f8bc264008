"""What the service counts, for Prometheus, and the evaluation events for OpenTelemetry."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from genprm.errors import GenprmError
from genprm.problem import Solution
from genprm.sandbox import RunResult
from genprm.server.queue import Queue
from genprm.server.telemetry import emit_step
from genprm.verdict import SolutionVerdict, StepVerdict

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)


class Metrics:
    """The numbers of one service, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "genprm_requests", "Requests answered.", ("route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "genprm_request_seconds",
            "From the first byte to the last.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._solutions = Counter(
            "genprm_solutions",
            "Solutions, judged or failed.",
            ("outcome",),
            registry=self.registry,
        )
        self._solution_seconds = Histogram(
            "genprm_solution_seconds",
            "From acceptance to verdict.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._steps = Counter("genprm_steps", "Steps judged.", ("label",), registry=self.registry)
        self._votes = Counter("genprm_votes", "Votes cast.", registry=self.registry)
        self._abstentions = Counter(
            "genprm_abstentions", "Votes without a reward.", ("cause",), registry=self.registry
        )
        self._tokens = Counter(
            "genprm_tokens", "Tokens of the verifier.", ("kind",), registry=self.registry
        )
        self._executions = Counter(
            "genprm_executions",
            "Blocks of code, by how they ended.",
            ("status",),
            registry=self.registry,
        )

    def watch(self, name: str, queue: Queue) -> None:
        """Export how full a queue is."""
        running = Gauge(f"genprm_{name}_running", "Worked on now.", registry=self.registry)
        waiting = Gauge(f"genprm_{name}_waiting", "Accepted, not started.", registry=self.registry)
        running.set_function(lambda: queue.running)
        waiting.set_function(lambda: queue.waiting)

    def count_step(self, solution: Solution, index: int, step: StepVerdict) -> None:
        """Count a judged step."""
        label = {True: "correct", False: "incorrect", None: "none"}[step.label]
        self._steps.labels(label).inc()
        self._votes.inc(len(step.votes))
        for vote in step.votes:
            if vote.reward is None:
                self._abstentions.labels(vote.abstained or "failed").inc()
            for run in vote.runs:
                self._executions.labels(run.status).inc()
        emit_step(solution, index, step)

    def count_solution(
        self, verdict: SolutionVerdict, failed: GenprmError | None, seconds: float
    ) -> None:
        """Count a solution that was judged or failed."""
        self._solutions.labels("failed" if failed else "judged").inc()
        self._solution_seconds.observe(seconds)
        self._tokens.labels("in").inc(verdict.usage.tokens_in)
        self._tokens.labels("cached").inc(verdict.usage.tokens_cached)
        self._tokens.labels("out").inc(verdict.usage.tokens_out)

    def count_run(self, result: RunResult) -> None:
        """Count a finished snippet of /run_code."""
        self._executions.labels(result.status.value).inc()

    def text(self) -> bytes:
        """All metrics in the format of Prometheus."""
        return generate_latest(self.registry)
