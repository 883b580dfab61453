"""
The shop's pods and its traffic: who lives when, and which share of the requests it gets.

Every pod has its own scrape offset and its own luck; traffic breathes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firedamp.demo import story
from firedamp.demo.story import Deployment, Release

Floats = NDArray[np.float64]

_POD_SPREAD = 0.15
#: The old version's pods have been up for three hours.
OLD_SECONDS = -3 * 3600.0


@dataclass(frozen=True, slots=True)
class Pod:
    """
    One pod of a version and how it behaves.

    Attributes:
        of: its service.
        starts: of its life, in seconds of the recording.
        times: when it was scraped, in seconds of the recording.
        share: its share of its service's requests at a time of the recording.
        errors: share of requests that it answers with an error.
        slowness: factor on its latency.
        unread: share of its orders that the warehouse cannot read.
        memory: factor on what it holds in memory.
        leak: mebibytes that it loses in a minute.
    """

    name: str
    of: Deployment
    revision: str
    starts: float
    times: Floats
    share: Callable[[float], float]
    errors: float
    slowness: float
    unread: float
    memory: float = 1.0
    leak: float = 0.0


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


def name(of: Deployment, revision: str, number: int, rng: np.random.Generator) -> str:
    """As Kubernetes calls a pod: its template's hash, then five letters of its own."""
    tail = "".join(rng.choice(list("bcdfghjklmnpqrstvwxz2456789"), 4)) + str(number)
    return f"{of.service}-{revision}-{tail}"


def luck(rng: np.random.Generator) -> float:
    """A pod's own factor on its errors."""
    return float(rng.gamma(1 / _POD_SPREAD**2, _POD_SPREAD**2))


def offset(rng: np.random.Generator) -> float:
    """Seconds of its scrapes after the full interval."""
    return float(np.round(rng.uniform(0, story.SCRAPE_SECONDS), 3))


def _releases(of: Deployment) -> list[Release]:
    return [release for release in story.RELEASES if release.of == of]


def _pod(rng: np.random.Generator, of: Deployment, release: Release | None, number: int) -> Pod:
    revision = release.revision if release else of.stable
    called, lucky = name(of, revision, number, rng), luck(rng)
    # A service's recording begins with a sample of its first pod.
    after = 0.0 if release is None and number == 0 else offset(rng)
    return Pod(
        name=called,
        of=of,
        revision=revision,
        starts=release.starts if release else OLD_SECONDS,
        times=_scrapes(of, release, after),
        share=partial(_share, of, release),
        errors=(release.errors if release else story.ERRORS) * lucky,
        slowness=release.slowness if release else 1.0,
        unread=release.unread if release else story.UNREAD,
    )


def _scrapes(of: Deployment, release: Release | None, after: float) -> Floats:
    starts, ends = (release.starts, release.ends) if release else (OLD_SECONDS, story.DURATION_SECONDS)
    every = story.SCRAPE_SECONDS
    grid = np.arange(0.0, story.DURATION_SECONDS + every, every) + after
    known = (grid > starts) & (grid >= of.recorded)
    return grid[known & (grid < min(ends, story.DURATION_SECONDS))]


def _share(of: Deployment, release: Release | None, at: float) -> float:
    if release is not None:
        return release.share(at) / release.pods
    return (1.0 - sum(one.share(at) for one in _releases(of))) / story.MAIN_PODS
