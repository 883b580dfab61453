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
    for `before` seconds.
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
    seed: int = 7


def past(stories: list[Story], released: float) -> Iterator[Given]:
    """All series of all stories; `released` is the Unix time at which the canaries begin."""
    for story in stories:
        rng = np.random.default_rng((story.seed, len(story.service)))
        for arm, pods in (("stable", story.baseline_pods), ("canary", story.canary_pods)):
            for number in range(pods):
                yield from _pod(rng, story, arm, number, pods, released)


def _pod(
    rng: np.random.Generator, story: Story, arm: str, number: int, pods: int, released: float
) -> Iterator[Given]:
    canary = arm == "canary"
    begun = released + 4 + number if canary else released - story.before
    times = np.arange(begun + 3 + number, released + AFTER_SECONDS, SCRAPE_SECONDS)
    share = story.share if canary else 1 - story.share
    rate = story.per_second * share / pods
    requests = rng.poisson(rate * np.diff(times, prepend=begun))
    errors = rng.binomial(requests, story.canary_errors if canary else story.baseline_errors)
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
