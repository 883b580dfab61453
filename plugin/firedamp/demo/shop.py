"""
Makes the shop's metrics as Prometheus would have scraped them: pods that differ, traffic that breathes.

Every pod has its own scrape offset and its own luck; counters begin at zero with the pod, and a status
code's series appears with its first response, as client libraries do it. The same seed gives the same shop.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from firedamp.demo import story
from firedamp.demo.story import Release
from firedamp.sources.replay import Recorded, Recording

Floats = NDArray[np.float64]

SEED = 20261121
#: Requests per second of the whole shop.
TRAFFIC = 90.0
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 2.5, np.inf)
_MEDIAN_SECONDS, _LATENCY_SIGMA = 0.09, 0.6
_NOT_FOUND = 0.02
_POD_SPREAD = 0.15
_MEBIBYTE = 2.0**20
#: The old version's pods have been up for three hours.
_OLD_SECONDS = -3 * 3600.0


@dataclass(frozen=True, slots=True)
class Pod:
    """
    One pod of a version and how it behaves.

    Attributes:
        release: the canary run it belongs to; None for the old version.
        starts, ends: its life in seconds of the recording.
        offset: seconds of its scrapes after the full interval.
    """

    name: str
    revision: str
    release: Release | None
    starts: float
    ends: float
    offset: float
    errors: float
    slowness: float

    @property
    def times(self) -> Floats:
        """When it was scraped, in seconds of the recording."""
        every = story.SCRAPE_SECONDS
        grid = np.arange(0.0, story.DURATION_SECONDS + every, every) + self.offset
        return grid[(grid > self.starts) & (grid < min(self.ends, story.DURATION_SECONDS))]


def shop(seed: int = SEED) -> Recording:
    """The whole recording; times in seconds from its start."""
    rng = np.random.default_rng(seed)
    breath = _breath(rng)
    return Recording([recorded for pod in list(_pods(rng)) for recorded in _scraped(pod, breath, rng)])


def _pods(rng: np.random.Generator) -> Iterator[Pod]:
    for number in range(story.MAIN_PODS):
        yield _pod(rng, story.STABLE, None, number)
    for release in story.RELEASES:
        for number in range(release.pods):
            yield _pod(rng, release.revision, release, number)


def _pod(rng: np.random.Generator, revision: str, release: Release | None, number: int) -> Pod:
    tail = "".join(rng.choice(list("bcdfghjklmnpqrstvwxz2456789"), 4)) + str(number)
    luck = rng.gamma(1 / _POD_SPREAD**2, _POD_SPREAD**2)
    return Pod(
        name=f"{story.SERVICE}-{revision}-{tail}",
        revision=revision,
        release=release,
        starts=release.starts if release else _OLD_SECONDS,
        ends=release.ends if release else story.DURATION_SECONDS,
        # The recording begins with a sample of the first pod.
        offset=0.0 if release is None and number == 0 else _offset(rng),
        errors=(release.errors if release else story.ERRORS) * luck,
        slowness=release.slowness if release else 1.0,
    )


def _offset(rng: np.random.Generator) -> float:
    return float(np.round(rng.uniform(0, story.SCRAPE_SECONDS), 3))


def _breath(rng: np.random.Generator) -> Floats:
    """Traffic over time, relative to its mean: a slow wave and an AR(1) flutter, one value per interval."""
    count = int(story.DURATION_SECONDS / story.SCRAPE_SECONDS) + 2
    flutter = np.zeros(count)
    for at in range(1, count):
        flutter[at] = 0.8 * flutter[at - 1] + rng.normal(0, 0.05)
    wave = 0.15 * np.sin(2 * np.pi * np.arange(count) * story.SCRAPE_SECONDS / story.DURATION_SECONDS)
    breath: Floats = np.exp(flutter) * (1 + wave)
    return breath


def _scraped(pod: Pod, breath: Floats, rng: np.random.Generator) -> Iterator[Recorded]:
    times = pod.times
    served = rng.poisson(_expected(pod, times, breath))
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


def _expected(pod: Pod, times: Floats, breath: Floats) -> Floats:
    """Requests expected since the scrape before (or the pod's start)."""
    since = np.diff(times, prepend=max(pod.starts, times[0] - story.SCRAPE_SECONDS))
    rates = np.array([_share(pod, at) for at in times]) * TRAFFIC
    expected: Floats = rates * breath[(times / story.SCRAPE_SECONDS).astype(int)] * since
    return expected


def _share(pod: Pod, at: float) -> float:
    if pod.release is not None:
        return pod.release.share(at) / pod.release.pods
    return (1.0 - sum(release.share(at) for release in story.RELEASES)) / story.MAIN_PODS


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
    level = 170 + 40 * (1 - np.exp(-age / 120)) + rng.normal(0, 3, len(times))
    return Recorded(
        "container_memory_working_set_bytes", _of_kubernetes(pod), times, np.round(level) * _MEBIBYTE
    )


def _of_service(pod: Pod, **labels: str) -> dict[str, str]:
    own = {"namespace": story.NAMESPACE, "job": story.SERVICE, "pod": pod.name}
    return own | {"rollouts_pod_template_hash": pod.revision} | labels


def _of_kubernetes(pod: Pod) -> dict[str, str]:
    return {"namespace": story.NAMESPACE, "pod": pod.name, "container": story.SERVICE}
