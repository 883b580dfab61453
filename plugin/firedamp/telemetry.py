"""
Names of our own metrics and spans: a public contract, so a change here is told in the changelog.

Metrics are kept by prometheus-client and served at `/metrics`; spans go through the OpenTelemetry API and
cost nothing until somebody installs an SDK. Labels come from closed lists (questions, verdicts, stages,
routes' templates) or from the settings (sources); values per service are bounded by `CheckValues`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from time import perf_counter

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from firedamp import __version__
from firedamp.errors import ClusterError, SourceError, StoreError
from firedamp.model import Arm, Finding, Outcome, ReleaseKey


class Stage(StrEnum):
    """Parts of a look; each is a span `firedamp.<stage>` and a label of LOOK_SECONDS."""

    LOOK = "look"  # the whole of it
    PLAN = "plan"
    FETCH = "fetch"
    EVALUATE = "evaluate"
    DECIDE = "decide"
    RECORD = "record"


#: Span around one request; its name is followed by the route's template.
REQUEST_SPAN = "firedamp.request"


class Work(StrEnum):
    """What is done beside the answers; the log calls it so too."""

    LEARNING = "learning"
    SNAPSHOT = "snapshot"
    FLOWS = "flows"
    PREVIEW = "preview"
    PRUNE = "prune"
    EVENTS = "kubernetes_events"
    ENDINGS = "endings"


@dataclass(frozen=True, slots=True)
class Sight:
    """
    When something was last seen to do well and to fail, on the clock of `perf_counter`.

    Attributes:
        why: kind of the last failure.
    """

    well: float | None = None
    failed: float | None = None
    why: str = ""


#: Sources by their names, which the settings give.
SEEN: dict[str, Sight] = {}
WORKED: dict[Work, Sight] = {}
#: Kinds of failures of our own work; the log says more.
_WHY: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "it took too long"),
    (SourceError, "a source gave no answer"),
    (StoreError, "the store did not answer"),
    (ClusterError, "the Kubernetes API did not do it"),
)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 10.0)
_BYTES = (1e3, 1e4, 1e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7)

VERDICTS = Counter("firedamp_verdicts", "Answers given.", ("question", "verdict", "controller"))
LOOK_SECONDS = Histogram("firedamp_look_seconds", "Time of a look by stage.", ("stage",), buckets=_SECONDS)
SOURCE_ERRORS = Counter("firedamp_source_errors", "Queries without a usable answer.", ("source", "kind"))
FETCH_BYTES = Histogram("firedamp_fetch_bytes", "Size of a source's answers.", ("source",), buckets=_BYTES)
ANSWERS_IN_FLIGHT = Gauge("firedamp_answers_in_flight", "Questions being answered right now.")
OVERLOADED = Counter("firedamp_overloaded", "Questions put off because too many were asked at once.")
REQUEST_SECONDS = Histogram(
    "firedamp_request_seconds", "Time of a request.", ("route", "method", "status"), buckets=_SECONDS
)
UNTRUSTED_IDENTITIES = Counter(
    "firedamp_untrusted_identities", "Names of people in headers from addresses that are no trusted proxy's."
)
CLUSTER_EVENTS = Counter(
    "firedamp_kubernetes_events", "Events for Rollouts and Canaries.", ("result",)
)  # written, counted (told before), failed, left_out
CLUSTER_ERRORS = Counter(
    "firedamp_kubernetes_errors", "Calls of the Kubernetes API without a usable answer.", ("call",)
)
INTERNAL_ERRORS = Counter("firedamp_internal_errors", "Exceptions that nobody had foreseen.", ("route",))


class CheckValues(Collector):
    """
    Last values per check and the last verdict per service, for dashboards.

    Holds at most `limit` services and forgets the one that was silent longest, so that names made up by
    callers can never fill the memory of the one who scrapes.
    """

    def __init__(self, limit: int = 500) -> None:
        self._limit = limit
        self._services: OrderedDict[tuple[str, str], tuple[Outcome, tuple[Finding, ...]]] = OrderedDict()

    def saw(self, release: ReleaseKey, outcome: Outcome, findings: Iterable[Finding]) -> None:
        """Remember what the last look at a release found."""
        key = (release.namespace, release.service)
        self._services[key] = (outcome, tuple(findings))
        self._services.move_to_end(key)
        while len(self._services) > self._limit:
            self._services.popitem(last=False)

    def forget(self, release: ReleaseKey) -> None:
        """The release is over: its values are no longer exported."""
        self._services.pop((release.namespace, release.service), None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        verdict = GaugeMetricFamily(
            "firedamp_verdict", "1 pass, 0.5 undecided, 0 fail.", labels=("namespace", "service")
        )
        value = GaugeMetricFamily(
            "firedamp_check_value",
            "What a check compares, in its own unit.",
            labels=("namespace", "service", "check", "arm"),
        )
        for key, (outcome, findings) in list(self._services.items()):
            verdict.add_metric(key, VERDICT_VALUES[outcome])
            for finding in findings:
                _add(value, key, finding)
        yield verdict
        yield value


#: How a verdict reads as a number, here and on the Prometheus-shaped endpoint.
VERDICT_VALUES: Mapping[Outcome, float] = {Outcome.PASS: 1.0, Outcome.INCONCLUSIVE: 0.5, Outcome.FAIL: 0.0}

CHECK_VALUES = CheckValues()
REGISTRY.register(CHECK_VALUES)


def _add(family: GaugeMetricFamily, key: tuple[str, str], finding: Finding) -> None:
    if finding.canary is not None:
        family.add_metric((*key, finding.check, Arm.CANARY.value), finding.canary)
    if finding.baseline is not None:
        family.add_metric((*key, finding.check, (finding.against or Arm.MAIN).value), finding.baseline)


@dataclass(frozen=True, slots=True)
class Intake:
    """
    What the intake of spans holds and has lost.

    Attributes:
        traces, spans: remembered right now.
        taken: spans that were worth remembering, since the start.
        nameless: spans that were refused because their ids are none, since the start.
        elsewhen: roots that were refused because their clocks are wrong, since the start.
        forgotten: traces that made room for newer ones, since the start.
        cut: spans that their trace had no room for, since the start.
    """

    traces: int
    spans: int
    taken: int
    nameless: int
    elsewhen: int
    forgotten: int
    cut: int


class IntakeFigures(Collector):
    """Exports an intake's figures while there is one."""

    def __init__(self) -> None:
        self._figures: Callable[[], Intake] | None = None

    @contextmanager
    def of(self, figures: Callable[[], Intake]) -> Iterator[None]:
        """Until the context ends, what this says is exported."""
        before, self._figures = self._figures, figures
        try:
            yield
        finally:
            self._figures = before

    def now(self) -> Intake | None:
        """The figures right now; None where there is no intake."""
        return None if self._figures is None else self._figures()

    def collect(self) -> Iterator[Metric]:
        if self._figures is None:
            return
        told = self._figures()
        yield GaugeMetricFamily("firedamp_intake_traces", "Traces remembered right now.", told.traces)
        yield GaugeMetricFamily("firedamp_intake_spans", "Spans remembered right now.", told.spans)
        yield CounterMetricFamily(
            "firedamp_intake_taken_spans", "Spans that were worth remembering.", told.taken
        )
        refused = CounterMetricFamily(
            "firedamp_intake_refused_spans", "Spans of wrong ids, roots of wrong clocks.", labels=("reason",)
        )
        refused.add_metric(("ids",), told.nameless)
        refused.add_metric(("clock",), told.elsewhen)
        yield refused
        yield CounterMetricFamily(
            "firedamp_intake_forgotten_traces", "Traces that made room for newer ones.", told.forgotten
        )
        yield CounterMetricFamily(
            "firedamp_intake_cut_spans", "Spans that their trace had no room for.", told.cut
        )


INTAKE = IntakeFigures()
REGISTRY.register(INTAKE)


def answered(source: str, bytes_read: float) -> None:
    """A source gave an answer of this size."""
    FETCH_BYTES.labels(source).observe(bytes_read)
    SEEN[source] = replace(SEEN.get(source, Sight()), well=perf_counter())


def unanswered(source: str, kind: str) -> None:
    """A source gave none, and of which kind its trouble is."""
    SOURCE_ERRORS.labels(source, kind).inc()
    SEEN[source] = replace(SEEN.get(source, Sight()), failed=perf_counter(), why=kind)


@contextmanager
def working(work: Work) -> Iterator[None]:
    """Note when this work was last done and when it last failed; whatever it raises goes on."""
    try:
        yield
    except Exception as error:
        why = next((text for kind, text in _WHY if isinstance(error, kind)), "nobody had foreseen it")
        WORKED[work] = replace(WORKED.get(work, Sight()), failed=perf_counter(), why=why)
        raise
    WORKED[work] = replace(WORKED.get(work, Sight()), well=perf_counter())


def total(metric: Counter | Gauge) -> float:
    """What a metric has come to, over all of its labels."""
    samples = [one for family in metric.collect() for one in family.samples]
    return sum(one.value for one in samples if not one.name.endswith("_created"))


def tracer() -> trace.Tracer:
    """The tracer of this library; without an SDK its spans are empty."""
    return trace.get_tracer("firedamp", __version__)


@contextmanager
def stage(which: Stage, **attributes: AttributeValue) -> Iterator[trace.Span]:
    """Time a part of a look: one span and one observation, also where it raises."""
    began = perf_counter()
    with tracer().start_as_current_span(f"firedamp.{which}", attributes=attributes) as span:
        try:
            yield span
        finally:
            LOOK_SECONDS.labels(which.value).observe(perf_counter() - began)
