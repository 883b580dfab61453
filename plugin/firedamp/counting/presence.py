"""
Who was scraped when, and so whether a counter's first sample counts from zero.

A counter seen for the first time may be young (all it shows was counted since the look before) or
old (it shows the history of a process nobody scraped). Taking an old one for young invents events, so in
doubt it is old. Young are, in this order:

1. a new series of a target that has been scraped for longer than one scrape interval;
2. a series of a pod whose process began within the look-back;
3. a series of a pod never seen before, while others of the selector were scraped for longer than one
   scrape interval.

A pod known by one target may turn up under another `instance` (kube-state-metrics moves to another
node): that target is taken as old.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from firedamp.counting.values import LOOK_BACK_SECONDS, Floats, Memory, Presence, Target

#: Neighbours are scraped within one interval of each other; a little more makes sure.
ONE_ROUND = 1.25
#: Taken where no interval is known yet.
DEFAULT_STEP_SECONDS = 60.0

K = TypeVar("K", Target, str)


@dataclass(frozen=True, slots=True)
class Sightings:
    """
    When something was scraped.

    Attributes:
        times: Unix seconds, ascending, (n,).
        arrivals: beginning of the unbroken presence that each time belongs to, (n,).
    """

    times: Floats
    arrivals: Floats

    def present_since(self, time: float) -> float | None:
        """Beginning of the presence that lasted until just before `time`; None when there was none."""
        at = int(np.searchsorted(self.times, time)) - 1
        if at < 0 or self.times[at] < time - LOOK_BACK_SECONDS:
            return None
        return float(self.arrivals[at])


def sightings(times: Floats, remembered: Presence | None) -> Sightings:
    """Split times of scrapes at gaps longer than the look-back; what is remembered goes first."""
    times = np.unique(times)
    if remembered is not None:
        times = np.concatenate([[remembered.last], times[times > remembered.last]])
    begins = np.concatenate([[True], np.diff(times) > LOOK_BACK_SECONDS])[: len(times)]
    arrivals = np.maximum.accumulate(np.where(begins, times, -np.inf)) if len(times) else times
    if remembered is not None:
        arrivals = np.where(arrivals == remembered.last, remembered.arrived, arrivals)
    return Sightings(times, arrivals)


@dataclass(frozen=True, slots=True)
class Register:
    """All sightings of one query, with what is remembered and when processes began."""

    targets: Mapping[Target, Sightings]
    pods: Mapping[str, Sightings]
    everything: Sightings
    memory: Memory
    starts: Mapping[str, float]
    steps: Mapping[Target, float]
    usual_step: float

    def counts_from_zero(self, target: Target, time: float) -> bool:
        """Tell whether a series of `target` first seen at `time` had begun at zero since the look before."""
        since = self.targets[target].present_since(time)
        if since is None:
            return self._target_began(target, time)
        if time > since + self._round(target):
            return True
        return self._remembered(self.memory.targets, target, since, self._target_began(target, since))

    def _target_began(self, target: Target, time: float) -> bool:
        pod = target[0]
        since = self.pods[pod].present_since(time)
        if since is None:
            return self._pod_began(target, time)
        if time > since + self._round(target):
            return False
        return self._remembered(self.memory.pods, pod, since, self._pod_began(target, since))

    def _pod_began(self, target: Target, time: float) -> bool:
        pod = target[0]
        if pod in self.starts:
            return self.starts[pod] > time - LOOK_BACK_SECONDS
        if self.pods[pod].times[0] < time:
            return False
        since = self.everything.present_since(time)
        return since is not None and time > since + self._round(target)

    def presence_of_target(self, target: Target) -> Presence:
        """The target's latest presence."""
        seen = self.targets[target]
        since = float(seen.arrivals[-1])
        began = self._remembered(self.memory.targets, target, since, self._target_began(target, since))
        return Presence(since, float(seen.times[-1]), began)

    def presence_of_pod(self, target: Target) -> Presence:
        """The latest presence of a target's pod."""
        seen = self.pods[target[0]]
        since = float(seen.arrivals[-1])
        began = self._remembered(self.memory.pods, target[0], since, self._pod_began(target, since))
        return Presence(since, float(seen.times[-1]), began)

    def _round(self, target: Target) -> float:
        return ONE_ROUND * self.steps.get(target, self.usual_step)

    @staticmethod
    def _remembered(presences: Mapping[K, Presence], one: K, since: float, otherwise: bool) -> bool:
        known = presences.get(one)
        return known.from_zero if known is not None and known.arrived == since else otherwise


def register(
    seen: Mapping[Target, Floats],
    memory: Memory,
    starts: Mapping[str, float],
    steps: Mapping[Target, float],
) -> Register:
    """Enter the times at which each target was scraped."""
    by_pod: dict[str, list[Floats]] = {}
    for target, times in seen.items():
        by_pod.setdefault(target[0], []).append(times)
    return Register(
        {target: sightings(times, memory.targets.get(target)) for target, times in seen.items()},
        {pod: sightings(np.concatenate(times), memory.pods.get(pod)) for pod, times in by_pod.items()},
        sightings(np.concatenate([np.empty(0), *seen.values()]), memory.scraped),
        memory,
        starts,
        steps,
        float(np.median(list(steps.values()))) if steps else DEFAULT_STEP_SECONDS,
    )


def remember(book: Register, keep_after: float) -> Memory:
    """What to remember of presences; targets last seen before `keep_after` are forgotten, pods never."""
    targets = {one: book.presence_of_target(one) for one, seen in book.targets.items() if len(seen.times)}
    pods = {one[0]: book.presence_of_pod(one) for one in targets if len(book.pods[one[0]].times)}
    recent = {one: known for one, known in book.memory.targets.items() if known.last > keep_after}
    everything = book.everything
    scraped = (
        Presence(float(everything.arrivals[-1]), float(everything.times[-1]))
        if len(everything.times)
        else book.memory.scraped
    )
    return replace(
        book.memory, targets={**recent, **targets}, pods={**book.memory.pods, **pods}, scraped=scraped
    )
