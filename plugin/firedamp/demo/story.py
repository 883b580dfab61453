"""
What happens in the recorded shop, and how its services are judged.

Six pods of `checkout` run version 41. Version 42 comes as a canary of two pods with a fault; after it is
rolled back comes version 43, which is as good as the old one. Then version 8 of `orders` comes: it has fewer
errors than version 7 and is faster, but writes orders that the warehouse behind it cannot read. Customers
are thanked for what is never sent, and no metric of `orders` shows it. Times are seconds from the
recording's start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE = "shop"
SCRAPE_SECONDS = 15.0
DURATION_SECONDS = 2700.0
MAIN_PODS = 6


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    A service of the shop.

    Attributes:
        stable: revision of the version that its releases run beside.
        recorded: from when on, in seconds of the recording.
        traffic: its requests per second.
    """

    service: str
    stable: str
    recorded: float = 0.0
    namespace: str = NAMESPACE
    traffic: float = 90.0


@dataclass(frozen=True, slots=True)
class Release:
    """
    One canary run of the story.

    Attributes:
        of: the service that it is a release of.
        version: what people call it.
        about: what is the matter with it, for those who watch.
        starts, ends: life of its pods, in seconds of the recording.
        errors: error share of the new version.
        slowness: factor on its latency.
        steps: (seconds after its start, canary's share of traffic), ascending.
        unread: share of its orders that the warehouse cannot read.
    """

    of: Deployment
    version: str
    revision: str
    about: str
    starts: float
    ends: float
    errors: float
    slowness: float
    steps: tuple[tuple[float, float], ...] = ((0.0, 0.2), (300.0, 0.5))
    pods: int = 2
    unread: float = 0.0

    @property
    def name(self) -> str:
        """Service and version."""
        return f"{self.of.service} {self.version}"

    def share(self, at: float) -> float:
        """The canary's share of traffic at a time of the recording; 0 where it does not run."""
        if not self.starts <= at < self.ends:
            return 0.0
        return [weight for since, weight in self.steps if at >= self.starts + since][-1]


STABLE = "7c9fd4b6d8"
CHECKOUT = Deployment("checkout", STABLE)
ORDERS = Deployment("orders", "5d9b7f6c48", recorded=1800.0)
DEPLOYMENTS = (CHECKOUT, ORDERS)
#: Customers' orders enter here, pass through `orders` and end in the warehouse.
ENTRY, ORDER = "gateway", "POST /orders"

#: Error share of the old versions, and of the old orders those that the warehouse fails to take.
ERRORS, UNREAD = 0.006, 0.004
BAD = Release(
    CHECKOUT,
    "v42",
    "5b8d7f9c44",
    "It has six times the errors of what it replaces. Its own metrics show it.",
    starts=300.0,
    ends=1080.0,
    errors=0.036,
    slowness=1.25,
)
GOOD = Release(
    CHECKOUT,
    "v43",
    "6f4c9d5b77",
    "It is as good as what it replaces.",
    starts=1200.0,
    ends=DURATION_SECONDS,
    errors=ERRORS,
    slowness=1.0,
)
BROKEN = Release(
    ORDERS,
    "v8",
    "84d5c6f7b9",
    "It has a third of the errors of what it replaces and is faster: its own metrics alone would pass it.\n"
    "But the warehouse cannot read a third of its orders, and no customer is told. Only traces show that.",
    starts=2130.0,
    ends=DURATION_SECONDS,
    errors=0.002,
    slowness=0.85,
    unread=1 / 3,
)
RELEASES = (BAD, GOOD, BROKEN)


def settings(folder: str, port: int, *sources: Mapping[str, Any]) -> dict[str, Any]:
    """The shop's settings file, as data; its metrics are in the first source, its traces in the recording."""
    return {
        "public_url": f"http://127.0.0.1:{port}",
        "listen": {"host": "127.0.0.1", "port": port},
        "store": {"url": f"sqlite:///{folder}/firedamp.db", "retention": None},
        "auth": {"required": False},
        "log": {"level": "error", "format": "console"},
        "sources": [dict(each) for each in sources],
        "services": [_checkout(), _orders()],
    }


def _checkout() -> dict[str, Any]:
    """Four checks, fifteen minutes, pods told apart by their template's hash."""
    return {
        "name": CHECKOUT.service,
        "namespace": NAMESPACE,
        "cohorts": {"preset": "argo"},
        "window": WINDOW | {"promote_after": "15m", "decide_by": "20m"},
        "checks": [ERRORS_CHECK, LATENCY_CHECK, MEMORY_CHECK, RESTARTS_CHECK],
    }


def _orders() -> dict[str, Any]:
    """Two checks of its own metrics, and what becomes of customers' orders; eight minutes."""
    return {
        "name": ORDERS.service,
        "namespace": NAMESPACE,
        "cohorts": {"preset": "argo"},
        "window": WINDOW | {"promote_after": "8m", "decide_by": "9m"},
        "checks": [ERRORS_CHECK, LATENCY_CHECK],
        "traces": {"flows": [{"name": "place-order", "root": {"service": ENTRY, "operation": ORDER}}]},
    }


WINDOW = {"warm_up": "60s", "advance_after": "2m", "advance_by": "6m"}
ERRORS_CHECK = {
    "name": "errors",
    "kind": "proportion",
    "events": 'http_requests_total{code=~"5.."}',
    "total": "http_requests_total",
}
LATENCY_CHECK = {
    "name": "latency",
    "kind": "distribution",
    "histogram": "http_request_duration_seconds",
    "tolerance": "20%",
}
MEMORY_CHECK = {
    "name": "memory",
    "kind": "relative",
    "tier": "warn",
    "query": "container_memory_working_set_bytes{$cohort}",
    "max_increase": "15%",
    "unit": "bytes",
}
RESTARTS_CHECK = {
    "name": "restarts",
    "kind": "threshold",
    "counter": "kube_pod_container_status_restarts_total",
    "max": 0,
}
