"""
Makes the shop's metrics as Prometheus would have scraped them, and the traces of its orders beside them.

Counters begin at zero with the pod, and a status code's series appears with its first response, as client
libraries do it. The same seed gives the same shop.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from firedamp.demo import story
from firedamp.demo.orders import orders
from firedamp.demo.pods import Floats, Pod, breath, pods
from firedamp.sources.replay import Recorded, Recording
from firedamp.tracing import Trace

SEED = 20261121
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 2.5, np.inf)
_MEDIAN_SECONDS, _LATENCY_SIGMA = 0.09, 0.6
_NOT_FOUND = 0.02
_MEBIBYTE = 2.0**20


def shop(seed: int = SEED) -> Recording:
    """The whole recording; times in seconds from its start."""
    rng = np.random.default_rng(seed)
    series: list[Recorded] = []
    traces: list[Trace] = []
    for deployment in story.DEPLOYMENTS:
        breathing, everyone = breath(rng), list(pods(deployment, rng))
        series += [recorded for pod in everyone for recorded in scraped(pod, breathing, rng)]
        if deployment is story.ORDERS:
            traces += orders(everyone, breathing, rng, begin=deployment.recorded)
    return Recording(series, traces)


def scraped(pod: Pod, breathing: Floats, rng: np.random.Generator) -> Iterator[Recorded]:
    """A pod's series; `breathing` is its service's traffic relative to the mean, by scrape interval."""
    times = pod.times
    served = rng.poisson(_expected(pod, times, breathing))
    failed = rng.binomial(served, pod.errors)
    missed = rng.binomial(served - failed, _NOT_FOUND)
    broken = rng.binomial(failed, 0.3)
    codes = {"200": served - failed - missed, "404": missed, "500": failed - broken, "503": broken}
    for code, each in codes.items():
        yield _counter("http_requests_total", pod, times, each, code=code)
    buckets = np.cumsum(rng.multinomial(served, _latencies(pod.slowness)), axis=1)
    for column, bound in enumerate(BOUNDS):
        le = "+Inf" if np.isinf(bound) else f"{bound:g}"
        yield _counter("http_request_duration_seconds_bucket", pod, times, buckets[:, column], le=le)
    yield Recorded(
        "process_start_time_seconds", _of_service(pod), times, np.full(len(times), round(pod.starts, 3))
    )
    yield _memory(pod, times, rng)
    yield Recorded(
        "kube_pod_container_status_restarts_total", _of_kubernetes(pod), times, np.zeros(len(times))
    )


def _expected(pod: Pod, times: Floats, breathing: Floats) -> Floats:
    """Requests expected since the scrape before (or the pod's start)."""
    since = np.diff(times, prepend=max(pod.starts, times[0] - story.SCRAPE_SECONDS))
    rates = np.array([pod.share(at) for at in times]) * pod.of.traffic
    expected: Floats = rates * breathing[(times / story.SCRAPE_SECONDS).astype(int)] * since
    return expected


def _latencies(slowness: float) -> Floats:
    """Chances of the histogram's buckets under a lognormal latency."""
    edges = norm.cdf((np.log(BOUNDS) - np.log(_MEDIAN_SECONDS * slowness)) / _LATENCY_SIGMA)
    chances: Floats = np.diff(edges, prepend=0.0)
    return chances


def _counter(metric: str, pod: Pod, times: Floats, increments: NDArray[np.int64], **labels: str) -> Recorded:
    values = np.cumsum(increments, axis=0).astype(float)
    # A client library exposes a code's series from the first response on.
    seen = values > 0 if "code" in labels else np.ones(len(values), dtype=bool)
    return Recorded(metric, _of_service(pod, **labels), times[seen], values[seen])


def _memory(pod: Pod, times: Floats, rng: np.random.Generator) -> Recorded:
    age = times - pod.starts
    level = pod.memory * (170 + 40 * (1 - np.exp(-age / 120))) + pod.leak * age / 60
    level += rng.normal(0, 3, len(times))
    return Recorded(
        "container_memory_working_set_bytes", _of_kubernetes(pod), times, np.round(level) * _MEBIBYTE
    )


def _of_service(pod: Pod, **labels: str) -> dict[str, str]:
    own = {"namespace": pod.of.namespace, "job": pod.of.service, "pod": pod.name}
    return own | {"rollouts_pod_template_hash": pod.revision} | labels


def _of_kubernetes(pod: Pod) -> dict[str, str]:
    return {"namespace": pod.of.namespace, "pod": pod.name, "container": pod.of.service}
