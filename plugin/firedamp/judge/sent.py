"""
The queries of a release's checks, as people would type them: exactly what is asked of the source.

A counted need is sent as its plain selector over the time that is new; beside it stands an expression that
graphs the same, a rate, for whoever opens it in Prometheus or Grafana. What is asked of traces is told in
words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from firedamp.decision import parameters as settings
from firedamp.judge.evidence import MAX_WINDOW_SECONDS
from firedamp.judge.plans import Plan, Query, plan
from firedamp.model import Arm, Release
from firedamp.queries import Counted, Traced, promql

#: A rate is graphed over so many scrapes' time, whatever the length of a block.
_RATE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sent:
    """
    One query.

    Attributes:
        role: what the check calls it: "events", "total", "buckets", "level", "counter", "traces".
        arm: whose; None where both arms are asked for at once.
        text: as sent.
        graph: PromQL that draws it; empty where nothing does.
    """

    check: str
    role: str
    arm: Arm | None
    text: str
    graph: str = ""


def sent(release: Release) -> Mapping[str, tuple[Sent, ...]]:
    """
    The queries of each check, the comparison arm's before the canary's.

    Raises:
        ValueError: the release's parameters were written by an incompatible version.
    """
    parameters = settings.from_json(release.parameters)
    planned = plan(parameters, release)
    window = min(MAX_WINDOW_SECONDS, max(parameters.window.look, 60.0))
    return {
        check.name: (*_metrics(planned, check.name, window), *_traces(planned, check.name))
        for check in parameters.checks
    }


def _metrics(planned: Plan, check: str, window: float) -> tuple[Sent, ...]:
    return tuple(
        Sent(check, role, arm, text := _sent(query, window), _graph(query, text))
        for arm, roles in planned.wanted[check].items()
        for role, query in roles.items()
    )


def _sent(query: Query, window: float) -> str:
    return promql(query.need, query.cohort, window)


def _graph(query: Query, text: str) -> str:
    if not isinstance(query.need, Counted):
        return text
    by = f"le, {query.pod_label}" if query.need.keep_le else query.pod_label
    rate = f"sum by ({by}) (rate({text}[{_RATE_SECONDS:.0f}s]))"
    if not query.need.keep_le:
        return rate
    return f"histogram_quantile(0.95, {rate})"


def _traces(planned: Plan, check: str) -> tuple[Sent, ...]:
    wanted = planned.flows.wanted.get(check) if planned.flows else None
    return () if wanted is None else (Sent(check, "traces", None, _told(wanted, planned)),)


def _told(wanted: Traced, planned: Plan) -> str:
    assert planned.flows is not None
    services = ", ".join(planned.flows.sought.services)
    root = f"{wanted.root.operation} of {wanted.root.service}" if wanted.root else "any root"
    failures = f"; failures are {', '.join(wanted.failures)}" if wanted.failures else ""
    return f"{wanted.measure} of traces that begin at {root} and pass through {services}{failures}"
