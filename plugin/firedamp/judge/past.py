"""
What the past tells of a service's noise: learnt beside the looks, never inside one.

When a release is opened, hours of history are fetched (`history`), and of flows some windows in those hours
(`earlier`). When a release ends, or its window is
over, its own blocks have told something too; so have releases whose end nobody reported, which are caught
up with when the next one is opened. All of it goes to the store, and a first look takes what the store
holds by then.

Nobody waits for any of this: whatever goes wrong is logged, and the release does without.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from firedamp.checks import Check
from firedamp.decision import known, session
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.judge import earlier, history, plans, releases
from firedamp.judge.background import Background
from firedamp.model import Release
from firedamp.ports import LESSONS, Lesson, Source, Store, TraceSource
from firedamp.stats.noise import Learnt
from firedamp.telemetry import Work

#: History younger than this is not fetched again.
FRESH_SECONDS = 3600.0
#: So many things are learnt at once, each for so long.
_AT_ONCE, _PATIENCE_SECONDS = 2, 60.0
#: So many releases are caught up with when another one is opened.
_CAUGHT_UP = 3
#: So many looks are read at once, and in all: after that, a release has told what it can.
_READ_AT_ONCE, _MOST_LOOKS = 100, 1000


class Past:
    """Learns in the background, a few things at once."""

    def __init__(
        self, sources: Mapping[str, Source], tracers: Mapping[str, TraceSource], store: Store
    ) -> None:
        self._sources = sources
        self._tracers = tracers
        self._store = store
        self._background = Background(Work.LEARNING, at_once=_AT_ONCE, patience_seconds=_PATIENCE_SECONDS)
        #: Releases without a look whose history was asked for.
        self._asked: set[int] = set()

    def opened(self, release: Release, parameters: Parameters, source: str, tracer: str) -> None:
        """Begin to learn what the past tells of this release, unless that is under way."""
        if release.id not in self._asked and any(known.counts(check) for check in parameters.checks):
            self._background.begin(
                f"flows before {release.key}", lambda: self._flows(release, parameters, tracer)
            )
            self._background.begin(
                f"history of {release.key}", lambda: self._history(release, parameters, source)
            )
            self._background.begin(f"releases before {release.key}", lambda: self._catch_up(release))

    def over(self, release: Release, running: Session | None) -> None:
        """
        Begin to learn what this release tells of later ones.

        Args:
            release: as it is now.
            running: its session where that is at hand; None rebuilds it from the store.
        """
        self._background.begin(f"what {release.key} told", lambda: self._tell(release, running))

    async def pinned(self, release: Release, parameters: Parameters) -> str:
        """What the store knows by now of the noise of this release's checks, as it is pinned."""
        self._asked.discard(release.id)
        lessons = await self._store.lessons(release.key.namespace, release.key.service)
        noise = {}
        for check in parameters.checks:
            about = [one for one in lessons if _is_about(one, check, release)]
            noise[check.name] = known.pooled(map(_learnt, about))
        return known.to_json({check: learnt for check, learnt in noise.items() if learnt != Learnt()})

    async def settled(self) -> None:
        """Everything begun so far is learnt, or given up."""
        await self._background.settled()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._background.close()

    async def _history(self, release: Release, parameters: Parameters, name: str) -> None:
        source = self._sources.get(name)
        lessons = await self._store.lessons(release.key.namespace, release.key.service)
        # Of flows metrics tell nothing.
        recalled = [check for check in parameters.checks if check.needs() and known.counts(check)]
        if source is None or _are_fresh(recalled, release, lessons):
            return
        await self._remember(release, parameters, await history.told(source, release, parameters))
        self._asked.add(release.id)

    async def _flows(self, release: Release, parameters: Parameters, name: str) -> None:
        source, asked = self._tracers.get(name), plans.plan(parameters, release).flows
        lessons = await self._store.lessons(release.key.namespace, release.key.service)
        before = [check for check in parameters.checks if check.traced() and not check.compares]
        if source is None or asked is None or _are_fresh(before, release, lessons):
            return
        told = await earlier.told(name, source, asked, release.started, parameters.history)
        await self._remember(release, parameters, told)

    async def _remember(self, release: Release, parameters: Parameters, told: Mapping[str, Learnt]) -> None:
        # Silence, or pods of a name that nobody has, must not take the place of what was learnt before.
        spoken = {check: learnt for check, learnt in told.items() if learnt != Learnt()}
        await self._store.learn(_lessons(release, parameters, spoken, 0, release.started))

    async def _catch_up(self, release: Release) -> None:
        """Learn from earlier releases that are over without anybody having said so."""
        key, now = release.key, release.started
        lessons = await self._store.lessons(key.namespace, key.service)
        told = {release.id, *(lesson.release_id for lesson in lessons)}
        newest = await self._store.releases(namespace=key.namespace, service=key.service, limit=LESSONS)
        left = [one for one in newest if one.ended is not None or releases.is_silent(one, now)]
        for before in [one for one in left if one.id not in told][:_CAUGHT_UP]:
            await self._tell(before, None)

    async def _tell(self, release: Release, running: Session | None) -> None:
        if running is None and stored.is_readable(release.parameters):
            running = await self._rebuilt(release)
        if running is None or not running.blocks:
            return
        checks = running.parameters.checks
        told = {check.name: run.learnt for check, run in zip(checks, running.runs, strict=True)}
        until = running.next_block.start
        await self._store.learn(_lessons(release, running.parameters, told, release.id, until))

    async def _rebuilt(self, release: Release) -> Session:
        parameters = stored.from_json(release.parameters)
        against = plans.plan(parameters, release).against
        running = session.begin(parameters, release.started, against, known.from_json(release.noise))
        while running.blocks < _MOST_LOOKS:
            looks = await self._store.looks(release.id, after=running.blocks - 1, limit=_READ_AT_ONCE)
            if not looks:
                break
            running = await asyncio.to_thread(session.replay, running, [look.evidence for look in looks])
        return running


def _are_fresh(checks: Iterable[Check], release: Release, lessons: Sequence[Lesson]) -> bool:
    """History of all of these was fetched lately."""
    fresh = {
        (lesson.check, lesson.counts)
        for lesson in lessons
        if lesson.release_id == 0 and abs(release.started - lesson.at) < FRESH_SECONDS
    }
    return all((check.name, known.counts(check)) in fresh for check in checks)


def _is_about(lesson: Lesson, check: Check, release: Release) -> bool:
    """It was learnt of what the check counts; and lately, where the check compares with an earlier time."""
    same = (lesson.check, lesson.counts) == (check.name, known.counts(check))
    return same and (check.compares or abs(release.started - lesson.at) < FRESH_SECONDS)


def _lessons(
    release: Release, parameters: Parameters, told: Mapping[str, Learnt], release_id: int, until: float
) -> list[Lesson]:
    """Lessons about the checks that have noise to learn, those that told nothing included."""
    key = release.key
    return [
        Lesson(key.namespace, key.service, check.name, counts, release_id, until, *astuple(told[check.name]))
        for check in parameters.checks
        if (counts := known.counts(check)) and check.name in told
    ]


def _learnt(lesson: Lesson) -> Learnt:
    clumps, pods = (lesson.phi_sum, lesson.phi_weight), (lesson.tau_sum, lesson.tau_weight)
    return Learnt(*clumps, *pods, lesson.events, lesson.requests)
