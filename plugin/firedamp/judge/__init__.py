"""
The judge: plan, fetch, evaluate, decide, record.

The only place that awaits sources, and the only one that turns their errors into answers. Whoever asks
first after a block is over takes its look; everybody else, and every other replica, gets the same.
Statistics run in a thread, so that a slow look of one release never holds up another's answer.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

import structlog

from firedamp import telemetry
from firedamp.cohorts import problem
from firedamp.decision import parameters as stored
from firedamp.decision import policy
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceError, StoreError
from firedamp.judge import orders, releases, rulings, unjudged
from firedamp.judge.book import Book, Profile
from firedamp.judge.discovery import Discovery
from firedamp.judge.endings import Endings
from firedamp.judge.gathering import Gathering
from firedamp.judge.looking import Looks
from firedamp.judge.newsroom import Newsroom
from firedamp.judge.outages import Outages
from firedamp.judge.past import Past
from firedamp.judge.snapshots import Snapshots
from firedamp.judge.tuned import in_force
from firedamp.judge.waiting import named_sources, named_tracers
from firedamp.model import (
    EXPERIMENT,
    Ask,
    Controller,
    Look,
    Mode,
    Outcome,
    Question,
    Release,
    ReleaseKey,
    Verdict,
)
from firedamp.ports import Event, Herald, Source, Store, TraceSource

_LOG = structlog.get_logger()
#: Modes in which the settings alone say what may be answered while the store is down.
_STANDING = frozenset({Mode.OFF, Mode.SHADOW, Mode.HOLD})
#: Part of the caller's deadline in which flows are looked for.
_DISCOVERY_SHARE = 0.3


class Judge:
    """Answers questions; implements `ports.Judging`."""

    def __init__(
        self,
        book: Book,
        sources: Mapping[str, Source],
        store: Store,
        tracers: Mapping[str, TraceSource] | None = None,
        *,
        deadline_seconds: float = 8.0,
        sessions: int = 1000,
        herald: Herald | None = None,
    ) -> None:
        self._book = book
        self._store = store
        self._discovery = Discovery(tracers or {}, seconds=_DISCOVERY_SHARE * deadline_seconds)
        self._past = Past(sources, tracers or {}, store)
        self._snapshots = Snapshots(store)
        self._looks = Looks(
            Gathering(
                named_sources(sources), named_tracers(tracers or {}), deadline_seconds=deadline_seconds
            ),
            store,
            self._past,
            self._snapshots,
            deadline_seconds=deadline_seconds,
            sessions=sessions,
        )
        self._outages = Outages(deadline_seconds)
        self._newsroom = Newsroom(herald)
        self._flights: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, ask: Ask, now: float) -> Verdict:
        """Answer one question of one service."""
        with telemetry.ANSWERS_IN_FLIGHT.track_inprogress():
            verdict = await self._answer(ask, now)
        telemetry.VERDICTS.labels(ask.question, verdict.outcome, ask.controller).inc()
        return verdict

    async def ended(
        self, namespace: str, service: str, revision: str | None, *, outcome: str, by: str, now: float
    ) -> Release | None:
        """Close the release, and with a rollout the experiment within it."""
        closing = partial(self._closed, outcome=outcome, by=by, now=now)
        release = await closing(namespace, service, revision)
        name = release.key.revision if release else revision
        if name is None or (release and release.experiment):
            return release
        within = await closing(namespace, service, f"{name}{EXPERIMENT}")
        return release or within

    async def close_left(self, release: Release, *, outcome: str, by: str, now: float) -> Release | None:
        """Close this attempt, unless somebody asked about it again or it has ended by now."""
        key = release.key
        return await self._closed(
            key.namespace, key.service, key.revision, outcome=outcome, by=by, now=now, left=release
        )

    async def _closed(
        self,
        namespace: str,
        service: str,
        revision: str | None,
        *,
        outcome: str,
        by: str,
        now: float,
        left: Release | None = None,
    ) -> Release | None:
        """The release as it ended; its running statistics are let go."""
        async with self._alone(namespace, service, revision) as name:
            release = await self._store.latest(namespace, service, name)
            if release is None or release.ended is not None or not releases.is_still(release, left, now):
                return release
            closed = replace(release, ended=now, outcome=outcome)
            await self._store.update(closed)
        self._past.over(closed, self._looks.forget(closed))
        telemetry.CHECK_VALUES.forget(closed.key)
        await self._store.record(Event(now, "outcome", namespace, service, closed.key.revision, by, outcome))
        self._newsroom.ended(closed, now)
        return closed

    async def told_weight(
        self, namespace: str, service: str, revision: str | None, *, weight: float, now: float
    ) -> None:
        """A new traffic step begins."""
        async with self._alone(namespace, service, revision) as name:
            release = await self._store.latest(namespace, service, name)
            if release is not None and release.ended is None and release.weight != weight:
                await self._store.update(releases.weighted(release, weight, now))

    async def settled(self) -> None:
        """What is learnt and written in the background is so, or given up."""
        await self._past.settled()
        await self._snapshots.settled()
        await self._newsroom.settled()

    async def close(self) -> None:
        """Give up what goes on in the background; to be called before sources and store are closed."""
        await self._past.close()
        await self._snapshots.close()
        await self._newsroom.close()

    async def _answer(self, ask: Ask, now: float) -> Verdict:
        profile = self._book.profile(ask.namespace, ask.service)
        if profile is None:
            remedy = self._book.remedy(ask.namespace, ask.service)
            return unjudged.unknown(
                ask, now, f"{ask.namespace}/{ask.service} is not set up; add to the settings: {remedy}"
            )
        try:
            return await self._asked(ask, profile, now)
        except StoreError as error:
            if profile.mode not in _STANDING:
                raise  # whether a person holds the service is not known now
            _LOG.warning("store_trouble", error=str(error))
            return unjudged.answer(
                ask, now, "firedamp's own store is in trouble; its log says more", profile.mode
            )

    async def _asked(self, ask: Ask, profile: Profile, now: float) -> Verdict:
        mode, held = await orders.mode(self._store, self._book, profile, ask, now)
        fault = problem(profile.parameters.cohorts, ask.arms) if ask.opens else None
        if fault is not None:
            return unjudged.answer(ask, now, fault, mode)
        async with self._alone(ask.namespace, ask.service, releases.revision(ask)):
            completed = partial(self._begun, ask, profile.tracer, now)
            release = await releases.current(self._store, ask, profile.parameters, now, completed)
            if release is None:
                unknown = f"no release of {ask.namespace}/{ask.service} is known yet"
                return unjudged.answer(ask, now, unknown, mode)
            if (fault := unjudged.fault(release, ask, profile.parameters, now)) is not None:
                return unjudged.answer(ask, now, fault, mode)
            return await self._judged(ask, release, profile, (mode, held), now)

    async def _begun(self, ask: Ask, tracer: str, now: float, written: Parameters) -> Parameters:
        """By what a release that begins is judged: as people tuned it, and with the flows that there are."""
        tuned = await in_force(self._store, ask.namespace, ask.service, written)
        return await self._discovery.completed(tuned.parameters, tracer, ask.namespace, ask.service, now)

    @asynccontextmanager
    async def _alone(self, namespace: str, service: str, revision: str | None) -> AsyncIterator[str | None]:
        """Nobody else, here or in another replica, touches this revision; yields its name."""
        flight = self._flights.setdefault(f"{namespace}/{service}", asyncio.Lock())
        async with flight:
            if revision is None:
                latest = await self._store.latest(namespace, service, None)
                revision = latest.key.revision if latest else None
            if revision is None:
                yield None
                return
            async with self._store.lock(ReleaseKey(namespace, service, revision, 0)):
                yield revision

    async def _judged(
        self, ask: Ask, release: Release, profile: Profile, mode: tuple[Mode, str], now: float
    ) -> Verdict:
        before = release
        release = releases.asked(release, ask, now) if ask.opens else release
        parameters = stored.from_json(release.parameters)
        ordered = orders.sentence(await orders.back(self._store, release, now))
        if not release.noise and release.ended is None:
            self._past.opened(release, parameters, profile.source, profile.tracer)
        look, release, outage = await self._look(release, parameters, profile, now)
        case = policy.Case(
            question=ask.question,
            release=release,
            parameters=parameters,
            look=look,
            mode=mode[0],
            held=mode[1],
            outage=outage,
            repeated=releases.repeats(release, now),
            first=_is_first(ask, release),
            now=now,
            rulings=await rulings.in_force(self._store, release, parameters),
            ordered=ordered,
        )
        verdict = policy.answer(case)
        if ask.opens and _newly_advanced(ask, verdict, case):
            release = releases.advanced(release, verdict.block, now)
        if ask.opens and mode[0] is not Mode.OFF:
            release = releases.ordered(release, is_back=bool(ordered))
        if release != before:
            await self._store.update(release)
        self._newsroom.judged(before, case)
        return verdict

    async def _look(
        self, release: Release, parameters: Parameters, profile: Profile, now: float
    ) -> tuple[Look | None, Release, str]:
        """The last look, taken now where one is due; and why it could not be taken, if so."""
        if release.ended is not None:
            return await self._looks.last(release), release, ""
        outage = self._outages.just_now(release.id, now)
        if not outage:
            try:
                look, release = await self._looks.take(release, parameters, profile, now)
            except SourceError as error:
                outage = str(error)
            else:
                return look, release, ""
            self._outages.saw(release.id, now, outage)
        return await self._looks.last(release), release, outage


def _newly_advanced(ask: Ask, verdict: Verdict, case: policy.Case) -> bool:
    passed = ask.question is Question.ADVANCE and verdict.outcome is Outcome.PASS
    return passed and case.mode is not Mode.OFF and not case.repeated


def _is_first(ask: Ask, release: Release) -> bool:
    """Flagger asks before the canary's first request, as far as it told of weights."""
    return ask.controller is Controller.FLAGGER and release.advanced_block is None and not release.weight


__all__ = ["Book", "Endings", "Judge", "Profile"]
