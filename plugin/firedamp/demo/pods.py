"""
The shop's pods and its traffic: who lives when, and which share of the requests it gets.

Every pod has its own scrape offset and its own luck; traffic breathes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firedamp.demo import story
from firedamp.demo.story import Deployment, Release

Floats = NDArray[np.float64]

_POD_SPREAD = 0.15
#: The old version's pods have been up for three hours.
_OLD_SECONDS = -3 * 3600.0


@dataclass(frozen=True, slots=True)
class Pod:
    """
    One pod of a version and how it behaves.

    Attributes:
        of: its service.
        release: the canary run it belongs to; None for the old version.
        starts, ends: its life in seconds of the recording.
        offset: seconds of its scrapes after the full interval.
        errors: share of requests that it answers with an error.
        slowness: factor on its latency.
        unread: share of its orders that the warehouse cannot read.
    """

    name: str
    of: Deployment
    revision: str
    release: Release | None
    starts: float
    ends: float
    offset: float
    errors: float
    slowness: float
    unread: float

    @property
    def times(self) -> Floats:
        """When it was scraped, in seconds of the recording."""
        every = story.SCRAPE_SECONDS
        grid = np.arange(0.0, story.DURATION_SECONDS + every, every) + self.offset
        known = (grid > self.starts) & (grid >= self.of.recorded)
        return grid[known & (grid < min(self.ends, story.DURATION_SECONDS))]

    def share(self, at: float) -> float:
        """Its share of its service's requests at a time of the recording."""
        if self.release is not None:
            return self.release.share(at) / self.release.pods
        return (1.0 - sum(release.share(at) for release in _releases(self.of))) / story.MAIN_PODS


def pods(of: Deployment, rng: np.random.Generator) -> Iterator[Pod]:
    """A service's pods: of the old version, and of its releases."""
    for number in range(story.MAIN_PODS):
        yield _pod(rng, of, None, number)
    for release in _releases(of):
        for number in range(release.pods):
            yield _pod(rng, of, release, number)


def breath(rng: np.random.Generator) -> Floats:
    """Traffic over time, relative to its mean: a slow wave and an AR(1) flutter, one value per interval."""
    count = int(story.DURATION_SECONDS / story.SCRAPE_SECONDS) + 2
    flutter = np.zeros(count)
    for at in range(1, count):
        flutter[at] = 0.8 * flutter[at - 1] + rng.normal(0, 0.05)
    wave = 0.15 * np.sin(2 * np.pi * np.arange(count) * story.SCRAPE_SECONDS / story.DURATION_SECONDS)
    breathing: Floats = np.exp(flutter) * (1 + wave)
    return breathing


def _releases(of: Deployment) -> list[Release]:
    return [release for release in story.RELEASES if release.of == of]


def _pod(rng: np.random.Generator, of: Deployment, release: Release | None, number: int) -> Pod:
    revision = release.revision if release else of.stable
    tail = "".join(rng.choice(list("bcdfghjklmnpqrstvwxz2456789"), 4)) + str(number)
    luck = rng.gamma(1 / _POD_SPREAD**2, _POD_SPREAD**2)
    return Pod(
        name=f"{of.service}-{revision}-{tail}",
        of=of,
        revision=revision,
        release=release,
        starts=release.starts if release else _OLD_SECONDS,
        ends=release.ends if release else story.DURATION_SECONDS,
        # A service's recording begins with a sample of its first pod.
        offset=0.0 if release is None and number == 0 else _offset(rng),
        errors=(release.errors if release else story.ERRORS) * luck,
        slowness=release.slowness if release else 1.0,
        unread=release.unread if release else story.UNREAD,
    )


def _offset(rng: np.random.Generator) -> float:
    return float(np.round(rng.uniform(0, story.SCRAPE_SECONDS), 3))
