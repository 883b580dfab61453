"""
A shop's past for a real Prometheus: seeded counters and histograms, scraped every 15 s.

The old version has been there for a while; the canary's pods begin a few seconds after the release
does, and their counters with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from real.prometheus import Given
from rehearsal import BOUNDS

SCRAPE_SECONDS = 15
BEFORE_SECONDS = 1800
AFTER_SECONDS = 4500


@dataclass(frozen=True)
class Story:
    """
    What one service's two versions do; requests per second over both, medians in seconds.

    Of both, each scrape of a pod finds `burst` errors more, one time in forty; the old version has been there
    for `before` seconds. A `ramp` gives the canary other shares from some seconds on, `surge` multiplies
    everybody's errors from some seconds on. The canary's first pod may have errors of its own (`bad_pod`),
    and its memory may grow by a share of itself each half hour (`leak`). A gateway may report a share of all
    requests without a version (`unlabelled`), every one of them failed.
    """

    service: str
    per_second: float = 20.0
    share: float = 0.2
    baseline_errors: float = 0.01
    canary_errors: float = 0.01
    baseline_median: float = 0.08
    canary_median: float = 0.08
    baseline_pods: int = 4
    canary_pods: int = 2
    burst: int = 0
    before: float = BEFORE_SECONDS
    ramp: tuple[tuple[float, float], ...] = ()
    surge: tuple[float, float] = (AFTER_SECONDS, 1.0)
    bad_pod: float | None = None
    leak: float | None = None
    unlabelled: float = 0.0
    seed: int = 7

    def shares(self, after: np.ndarray) -> np.ndarray:
        """The canary's share of the traffic, so many seconds after the release."""
        shares = np.full(after.shape, self.share)
        for since, share in self.ramp:
            shares[after >= since] = share
        return shares

    def errors(self, after: np.ndarray, *, canary: bool, number: int) -> np.ndarray:
        """A pod's rate of errors, so many seconds after the release."""
        own = self.canary_errors if canary else self.baseline_errors
        if canary and number == 0 and self.bad_pod is not None:
            own = self.bad_pod
        return own * np.where(after >= self.surge[0], self.surge[1], 1.0)


def past(stories: list[Story], released: float) -> Iterator[Given]:
    """All series of all stories; `released` is the Unix time at which the canaries begin."""
    for story in stories:
        rng = np.random.default_rng((story.seed, len(story.service)))
        for arm, pods in (("stable", story.baseline_pods), ("canary", story.canary_pods)):
            for number in range(pods):
                yield from _pod(rng, story, arm, number, pods, released)
        if story.unlabelled:
            yield _gateway(rng, story, released)


def _gateway(rng: np.random.Generator, story: Story, released: float) -> Given:
    times = np.arange(released - story.before + 9, released + AFTER_SECONDS, SCRAPE_SECONDS)
    rate = story.per_second * story.unlabelled / (1 - story.unlabelled)
    labels = {"namespace": "shop", "instance": "gateway:8080", "service": story.service, "code": "503"}
    return ("http_requests_total", labels, times, np.cumsum(rng.poisson(rate * SCRAPE_SECONDS, len(times))))


def _pod(
    rng: np.random.Generator, story: Story, arm: str, number: int, pods: int, released: float
) -> Iterator[Given]:
    canary = arm == "canary"
    begun = released + 4 + number if canary else released - story.before
    times = np.arange(begun + 3 + number, released + AFTER_SECONDS, SCRAPE_SECONDS)
    shares = story.shares(times - released)
    rate = story.per_second * (shares if canary else 1 - shares) / pods
    requests = rng.poisson(rate * np.diff(times, prepend=begun))
    errors = rng.binomial(requests, story.errors(times - released, canary=canary, number=number))
    if story.burst:
        errors = np.minimum(errors + story.burst * (rng.random(len(times)) < 1 / 40), requests)
    median = story.canary_median if canary else story.baseline_median
    reached = ndtr(np.log(np.array(BOUNDS) / median) / 0.6)
    slow = rng.multinomial(requests, np.diff(reached, prepend=0.0))
    pod = f"{story.service}-{arm}-{number:05d}"
    labels = {
        "namespace": "shop",
        "pod": pod,
        "instance": f"{pod}:8080",
        "rollouts_pod_template_hash": arm,
        "service": story.service,
    }
    yield ("http_requests_total", {**labels, "code": "200"}, times, np.cumsum(requests - errors))
    if errors.any():
        # A counter with a label appears with its first event, as client libraries do it.
        first = int(np.argmax(errors > 0))
        yield ("http_requests_total", {**labels, "code": "500"}, times[first:], np.cumsum(errors)[first:])
    below = np.cumsum(np.cumsum(slow, axis=0), axis=1)
    for column, bound in enumerate(BOUNDS):
        le = "+Inf" if np.isinf(bound) else str(bound)
        yield ("http_request_duration_seconds_bucket", {**labels, "le": le}, times, below[:, column])
    if story.leak is not None:
        grown = 1 + (story.leak if canary else 0.0) * (times - begun) / 1800
        memory = rng.uniform(1.9e8, 2.1e8) * grown * rng.normal(1, 0.004, len(times))
        yield ("process_resident_memory_bytes", labels, times, memory)
