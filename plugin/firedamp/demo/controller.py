"""
Plays Argo's part over HTTP: a background guard and the question of the current step, every half minute.

What an answer means follows the shipped AnalysisTemplates: `result startsWith "pass:"` is success,
`"fail:"` failure, anything else inconclusive.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from firedamp.demo import story
from firedamp.demo.story import Release
from firedamp.model import Outcome, Question

INTERVAL_SECONDS = 30.0
ARRIVAL_SECONDS = 6.0
_OF_METRICS = ("proportion", "distribution")

How = Literal["rolled back", "promoted", "paused"]


@dataclass(slots=True)
class Clock:
    """The demo's time in Unix seconds, for the application too; whoever plays sets it."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Shifted:
    """The controller gave the canary another share of the traffic."""

    at: float
    weight: float


@dataclass(frozen=True, slots=True)
class Measured:
    """
    One question and its answer, at a Unix time of the demo's clock.

    Attributes:
        own: what the service's own metrics say, check by check, where all of them pass; else empty.
    """

    at: float
    weight: float
    question: Question
    outcome: Outcome
    summary: str
    link: str
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the release, and the answer that decided it."""

    release: Release
    how: How
    at: float
    last: Measured


@dataclass(frozen=True, slots=True)
class Rollout:
    """
    A controller with one release to roll out.

    Attributes:
        began: Unix time at which the recording begins.
        pace_seconds: real seconds between two rounds of questions, so that a person can follow.
    """

    http: aiohttp.ClientSession
    url: str
    clock: Clock
    began: float
    pace_seconds: float

    async def roll_out(self, release: Release) -> AsyncIterator[Measured | Shifted | Ended]:
        """Ask until the release is rolled back or promoted, or its recording ends."""
        weight, last = 0.0, None
        for at in rounds(release):
            self.clock.now = self.began + at
            if release.share(at) != weight:
                weight = release.share(at)
                yield Shifted(self.clock.now, weight)
            last = await self._round(release, weight)
            yield last
            if how := _end(last):
                yield await self._ended(release, how, last)
                return
            await asyncio.sleep(self.pace_seconds)
        if last is not None:
            yield await self._ended(release, "paused", last)

    async def _round(self, release: Release, weight: float) -> Measured:
        """The guard's answer where it stops the release, else the answer of the step's question."""
        guard = await self._ask(Question.GUARD, release, weight)
        if guard.outcome is Outcome.FAIL:
            return guard
        is_last = weight == release.steps[-1][1]
        return await self._ask(Question.PROMOTE if is_last else Question.ADVANCE, release, weight)

    async def _ask(self, question: Question, release: Release, weight: float) -> Measured:
        arguments = {
            "service": release.of.service,
            "namespace": story.NAMESPACE,
            "canary-hash": release.revision,
            "stable-hash": release.of.stable,
            "revision": release.revision,
            "weight": f"{100 * weight:g}",
            "step": f"{weight:g}",
        }
        async with self.http.post(f"{self.url}/argo/v1/{question}", json=arguments) as reply:
            answer = await reply.json()
        summary, link = str(answer["summary"]), str(answer.get("link", ""))
        return Measured(
            self.clock.now, weight, question, phase(summary), summary, link, _own(answer["checks"])
        )

    async def _ended(self, release: Release, how: How, last: Measured) -> Ended:
        report = {
            "service": release.of.service,
            "namespace": story.NAMESPACE,
            "revision": release.revision,
            "outcome": how,
        }
        async with self.http.post(f"{self.url}/api/v1/outcomes", json=report) as reply:
            reply.raise_for_status()
        return Ended(release, how, self.clock.now, last)


def rounds(release: Release) -> Iterator[float]:
    """
    Seconds of the recording at which the controller asks: when its release begins, then every half minute.

    Its rounds come a little after the blocks' ends, when the last samples have arrived.
    """
    yield release.starts
    at = release.starts + INTERVAL_SECONDS + ARRIVAL_SECONDS
    while at < release.ends:
        yield at
        at += INTERVAL_SECONDS


def phase(summary: str) -> Outcome:
    """What a template makes of an answer: neither success nor failure is inconclusive."""
    if summary.startswith("pass:"):
        return Outcome.PASS
    return Outcome.FAIL if summary.startswith("fail:") else Outcome.INCONCLUSIVE


def _own(checks: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    own = [check for check in checks if check["kind"] in _OF_METRICS]
    if any(check["outcome"] != Outcome.PASS for check in own):
        return ()
    return tuple(str(check["sentence"]).split(";", 1)[0] for check in own)


def _end(last: Measured) -> How | None:
    if last.outcome is Outcome.FAIL:
        return "rolled back"
    promoted = last.question is Question.PROMOTE and last.outcome is Outcome.PASS
    return "promoted" if promoted else None
