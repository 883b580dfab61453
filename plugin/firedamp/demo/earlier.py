"""Makes the metrics and traces of a release of the days before, as `shop` makes those of the story."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from firedamp.demo import pods, story
from firedamp.demo.days import BEFORE_MINUTES, Episode
from firedamp.demo.orders import orders
from firedamp.demo.pods import Floats, Pod
from firedamp.demo.shop import SEED, scraped
from firedamp.sources.replay import Recording, begun_at
from firedamp.tracing import Trace

MAIN_PODS = 3
_MINUTE = 60.0
_CAME = BEFORE_MINUTES * _MINUTE


def recorded(episode: Episode, number: int, at: float) -> Recording:
    """
    All that could be known of a release.

    Args:
        episode: the release.
        number: which one it is; another one has other luck.
        at: Unix time at which its canary comes.
    """
    rng = np.random.default_rng((SEED, number))
    breathing, everyone = pods.breath(rng), list(_pods(episode, rng))
    series = [one for pod in everyone for one in scraped(pod, breathing, rng)]
    made = Recording(series, list(_traces(episode, everyone, breathing, rng)))
    return begun_at(made, at - _CAME)


def share(episode: Episode, minute: float) -> float:
    """The canary's share of the traffic so many minutes after it came; 0 before."""
    return next((weight for since, weight in reversed(episode.steps) if minute >= since), 0.0)


def _pods(episode: Episode, rng: np.random.Generator) -> Iterator[Pod]:
    for number in range(MAIN_PODS):
        yield _pod(episode, number, rng, is_canary=False)
    for number in range(episode.pods):
        yield _pod(episode, number, rng, is_canary=True)


def _pod(episode: Episode, number: int, rng: np.random.Generator, *, is_canary: bool) -> Pod:
    version = episode.canary if is_canary else episode.main
    revision = episode.revision if is_canary else episode.of.stable
    name, lucky = pods.name(episode.of, revision, number, rng), pods.luck(rng)
    is_worst = version.worst is not None and number == 0
    starts = _CAME if is_canary else pods.OLD_SECONDS
    # The recording begins with a sample of its first pod.
    after = pods.offset(rng) if is_canary or number else 0.0
    return Pod(
        name=name,
        of=episode.of,
        revision=revision,
        starts=starts,
        times=_scrapes(episode, starts, after, blind=is_canary and number == 0),
        share=partial(_share, episode, is_canary=is_canary),
        errors=version.worst if version.worst is not None and is_worst else version.errors * lucky,
        slowness=version.slowness,
        unread=version.unread,
        memory=version.memory,
        leak=version.leak,
    )


def _scrapes(episode: Episode, starts: float, after: float, *, blind: bool) -> Floats:
    times = np.arange(0.0, _CAME + (episode.minutes + 1) * _MINUTE, story.SCRAPE_SECONDS) + after
    times = times[times > starts]
    if blind and episode.unseen is not None:
        minutes = (times - _CAME) / _MINUTE
        times = times[(minutes < episode.unseen[0]) | (minutes > episode.unseen[1])]
    return times


def _share(episode: Episode, at: float, *, is_canary: bool) -> float:
    shifted = share(episode, (at - _CAME) / _MINUTE)
    return shifted / episode.pods if is_canary else (1 - shifted) / MAIN_PODS


def _traces(
    episode: Episode, everyone: list[Pod], breathing: Floats, rng: np.random.Generator
) -> Iterator[Trace]:
    if episode.of.service == story.ORDERS.service:
        yield from orders(everyone, breathing, rng, end=_CAME + episode.minutes * _MINUTE)
