"""
What happens in the recorded shop, and how its service is judged.

Six pods of `checkout` run version 41. Version 42 comes as a canary of two pods with a fault; after it is
rolled back comes version 43, which is as good as the old one. Times are seconds from the recording's start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE = "shop"
SERVICE = "checkout"
STABLE = "7c9fd4b6d8"
SCRAPE_SECONDS = 15.0
DURATION_SECONDS = 2700.0
MAIN_PODS = 6


@dataclass(frozen=True, slots=True)
class Release:
    """
    One canary run of the story.

    Attributes:
        name: what people call the version.
        starts, ends: life of its pods, in seconds of the recording.
        errors: error share of the new version.
        slowness: factor on its latency.
        steps: (seconds after its start, canary's share of traffic), ascending.
    """

    name: str
    revision: str
    starts: float
    ends: float
    errors: float
    slowness: float
    steps: tuple[tuple[float, float], ...]
    pods: int = 2

    def share(self, at: float) -> float:
        """The canary's share of traffic at a time of the recording; 0 where it does not run."""
        if not self.starts <= at < self.ends:
            return 0.0
        return [weight for since, weight in self.steps if at >= self.starts + since][-1]


#: Error share of the old version.
ERRORS = 0.006
_STEPS = ((0.0, 0.2), (300.0, 0.5))
BAD = Release("checkout v42", "5b8d7f9c44", 300.0, 1080.0, 0.036, 1.25, _STEPS)
GOOD = Release("checkout v43", "6f4c9d5b77", 1200.0, DURATION_SECONDS, ERRORS, 1.0, _STEPS)
RELEASES = (BAD, GOOD)


def settings(source: Mapping[str, Any], folder: str, port: int) -> dict[str, Any]:
    """The shop's settings file, as data; `source` is where its metrics are."""
    return {
        "public_url": f"http://127.0.0.1:{port}",
        "listen": {"host": "127.0.0.1", "port": port},
        "store": {"url": f"sqlite:///{folder}/firedamp.db", "retention": None},
        "auth": {"required": False},
        "log": {"level": "error", "format": "console"},
        "sources": [dict(source)],
        "services": [service()],
    }


def service() -> dict[str, Any]:
    """How `checkout` is judged: four checks, fifteen minutes, pods told apart by their template's hash."""
    return {
        "name": SERVICE,
        "namespace": NAMESPACE,
        "cohorts": {"preset": "argo"},
        "window": {
            "warm_up": "60s",
            "advance_after": "2m",
            "advance_by": "6m",
            "promote_after": "15m",
            "decide_by": "20m",
        },
        "checks": [
            {
                "name": "errors",
                "kind": "proportion",
                "events": 'http_requests_total{code=~"5.."}',
                "total": "http_requests_total",
            },
            {
                "name": "latency",
                "kind": "distribution",
                "histogram": "http_request_duration_seconds",
                "tolerance": "20%",
            },
            {
                "name": "memory",
                "kind": "relative",
                "tier": "warn",
                "query": "container_memory_working_set_bytes{$cohort}",
                "max_increase": "15%",
                "unit": "bytes",
            },
            {
                "name": "restarts",
                "kind": "threshold",
                "counter": "kube_pod_container_status_restarts_total",
                "max": 0,
            },
        ],
    }
