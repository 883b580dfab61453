"""
The judge: plan, fetch, evaluate, decide, record.

The only place that awaits sources, and the only one that turns their errors into answers. A look is due
when a block is over; whoever asks first takes it, everybody else (and every other replica) gets the same.
Statistics run in a thread, so that a slow look of one release never holds up another's answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from firedamp import __version__, telemetry
from firedamp.cohorts import problem
from firedamp.counting import LOOK_BACK_SECONDS
from firedamp.decision import parameters as stored
from firedamp.decision import policy, session
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.errors import ConflictError, SourceDownError, SourceError
from firedamp.judge import evidence, releases
from firedamp.judge.book import Book, Profile
from firedamp.model import (
    Ask,
    Block,
    Controller,
    Evidence,
    Look,
    Mode,
    Outcome,
    Question,
    Release,
    Verdict,
)
from firedamp.ports import Event, Source, Span, Store

#: Samples younger than this may still be on their way.
_LAG_SECONDS = 5.0
#: More blocks than this are not caught up in one look.
_MAX_CATCH_UP = 240
_STRICTNESS = (Mode.OFF, Mode.SHADOW, Mode.HOLD, Mode.JUDGE)


@dataclass(slots=True)
class _Living:
    """A release's running statistics in memory; lost without harm, for the store can rebuild them."""

    session: Session
    planned: evidence.Plan
    memories: evidence.Memories = field(default_factory=evidence.Memories)
    last: Look | None = None


class Judge:
    """Answers questions; implements `ports.Judging`."""

    def __init__(
        self,
        book: Book,
        sources: Mapping[str, Source],
        store: Store,
        *,
        deadline_seconds: float = 8.0,
        sessions: int = 1000,
    ) -> None:
        self._book = book
        self._sources = sources
        self._store = store
        self._deadline = deadline_seconds
        self._sessions = sessions
        self._living: OrderedDict[int, _Living] = OrderedDict()
        self._flights: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, ask: Ask, now: float) -> Verdict:
        """Answer one question of one service."""
        verdict = await self._answer(ask, now)
        telemetry.VERDICTS.labels(ask.question, verdict.outcome, ask.controller).inc()
        return verdict

    async def _answer(self, ask: Ask, now: float) -> Verdict:
        profile = self._book.profile(ask.namespace, ask.service)
        if profile is None:
            remedy = self._book.remedy(ask.namespace, ask.service)
            return _cannot(
                ask, now, f"{ask.namespace}/{ask.service} is not set up; add to the settings: {remedy}"
            )
        mode, held = await self._mode(ask, profile, now)
        fault = problem(profile.parameters.cohorts, ask.arms) if ask.opens else None
        if mode is not Mode.OFF and fault is not None:
            return replace(_cannot(ask, now, fault), mode=mode)
        async with self._flight(ask):
            release = await releases.current(self._store, ask, profile.parameters, now)
            if release is None:
                return replace(
                    _cannot(ask, now, f"no release of {ask.namespace}/{ask.service} is known yet"), mode=mode
                )
            return await self._judge(ask, release, profile, mode, held, now)

    def _flight(self, ask: Ask) -> asyncio.Lock:
        key = f"{ask.namespace}/{ask.service}"
        return self._flights.setdefault(key, asyncio.Lock())

    async def _mode(self, ask: Ask, profile: Profile, now: float) -> tuple[Mode, str]:
        """The strictest of the settings, a freeze in force and what people ordered."""
        found: dict[Mode, str] = {profile.mode: ""}
        if freeze := self._book.freeze(ask.namespace, ask.service, now):
            found.setdefault(Mode.HOLD, f"freeze {freeze!r} is in force")
        for mode in (Mode.HOLD, Mode.OFF):
            gate = await self._store.gate(ask.namespace, ask.service, mode.value, ask.revision or "", now)
            if gate is not None and gate.hook == mode.value:
                found[mode] = f"{gate.by} said {mode.value}" + (f": {gate.note}" if gate.note else "")
        mode = next(one for one in _STRICTNESS if one in found)
        return mode, found[mode]

    async def _judge(
        self, ask: Ask, release: Release, profile: Profile, mode: Mode, held: str, now: float
    ) -> Verdict:
        before = release
        release = releases.asked(release, ask, now) if ask.opens else release
        parameters = stored.from_json(release.parameters)
        look, release, outage = await self._look(release, parameters, profile, now)
        case = policy.Case(
            question=ask.question,
            release=release,
            parameters=parameters,
            look=look,
            mode=mode,
            held=held,
            outage=outage,
            repeated=releases.repeats(release, now),
            first=ask.controller is Controller.FLAGGER and release.advanced_block is None,
        )
        verdict = policy.answer(case)
        if ask.opens and _newly_advanced(ask, verdict, case):
            release = releases.advanced(release, verdict.block, now)
        if release != before:
            await self._store.update(release)
        return verdict

    async def _look(
        self, release: Release, parameters: Parameters, profile: Profile, now: float
    ) -> tuple[Look | None, Release, str]:
        """The last look, taken now where one is due; and why it could not be taken, if so."""
        if release.ended is not None or not self._is_due(release, parameters, now):
            return await self._last(release), release, ""
        try:
            async with asyncio.timeout(self._deadline):
                living, release = await self._take_due(release, parameters, profile, now)
        except TimeoutError:
            outage = f"the metric source {profile.source!r} took longer than {self._deadline:.0f} s"
            return await self._last(release), release, outage
        except SourceError as error:
            return await self._last(release), release, str(error)
        return living.last, release, ""

    def _is_due(self, release: Release, parameters: Parameters, now: float) -> bool:
        living = self._living.get(release.id)
        known = living.session.blocks if living else 0
        return session.block(parameters, release.started, known).end <= now - _LAG_SECONDS

    async def _last(self, release: Release) -> Look | None:
        living = self._living.get(release.id)
        return living.last if living and living.last else await self._store.last_look(release.id)

    async def _take_due(
        self, release: Release, parameters: Parameters, profile: Profile, now: float
    ) -> tuple[_Living, Release]:
        async with self._store.lock(release.key):
            living = await self._caught_up(release, parameters)
            blocks = _due(living.session, now)
            if not blocks:
                return living, await self._refreshed(release)
            pieces = await self._gather(release, parameters, profile, living, blocks, now)
            try:
                return await self._record(release, living, pieces)
            except ConflictError:
                # Another replica was faster: its looks are the truth.
                self._living.pop(release.id, None)
                return await self._caught_up(release, parameters), await self._refreshed(release)

    async def _refreshed(self, release: Release) -> Release:
        """The release with the verdict another replica may have written meanwhile."""
        found = await self._store.release(release.id)
        return release if found is None else replace(release, verdict=found.verdict, sentence=found.sentence)

    async def _caught_up(self, release: Release, parameters: Parameters) -> _Living:
        """The session in memory, with every look in the store taken in."""
        living = self._living.get(release.id)
        if living is None:
            planned = evidence.plan(parameters, release)
            living = _Living(session.begin(parameters, release.started, planned.against), planned)
        looks = await self._store.looks(release.id, after=living.session.blocks - 1)
        if looks:
            folded = await asyncio.to_thread(
                session.replay, living.session, [look.evidence for look in looks]
            )
            living = replace(living, session=folded, last=looks[-1])
        self._living[release.id] = living
        self._living.move_to_end(release.id)
        while len(self._living) > self._sessions:
            self._living.popitem(last=False)
        return living

    async def _gather(
        self,
        release: Release,
        parameters: Parameters,
        profile: Profile,
        living: _Living,
        blocks: Sequence[Block],
        now: float,
    ) -> list[Evidence]:
        source = self._sources.get(profile.source)
        if source is None:
            raise SourceDownError(f"no source is named {profile.source!r}; add it to sources in the settings")
        known = all(query in living.memories.counted for query in living.planned.queries)
        span = Span(
            begin=blocks[0].start - (parameters.window.look if known else LOOK_BACK_SECONDS),
            ends=tuple(block.end for block in blocks),
            window_seconds=_window(living.session, blocks[-1].end),
            timeout_seconds=0.8 * self._deadline,
        )
        with telemetry.stage(telemetry.Stage.FETCH):
            counts = await evidence.gather(source, living.planned, blocks, living.memories, span)
        return evidence.assemble(parameters, living.planned, counts, blocks, release)

    async def _record(
        self, release: Release, living: _Living, pieces: Sequence[Evidence]
    ) -> tuple[_Living, Release]:
        with telemetry.stage(telemetry.Stage.EVALUATE):
            folded, looks = await asyncio.to_thread(_fold, living.session, pieces)
        release = _with_verdict(release, living.session.parameters, looks[-1])
        with telemetry.stage(telemetry.Stage.RECORD):
            await asyncio.shield(self._store.add_looks(release, looks))
        living.session, living.last = folded, looks[-1]
        telemetry.CHECK_VALUES.saw(release.key, release.verdict, looks[-1].findings)
        return living, release

    async def ended(
        self, namespace: str, service: str, revision: str | None, *, outcome: str, by: str, now: float
    ) -> Release | None:
        """Close the release; its running statistics are let go."""
        release = await self._store.latest(namespace, service, revision)
        if release is None or release.ended is not None:
            return release
        closed = replace(release, ended=now, outcome=outcome)
        await self._store.update(closed)
        self._living.pop(release.id, None)
        telemetry.CHECK_VALUES.forget(release.key)
        await self._store.record(Event(now, "outcome", namespace, service, release.key.revision, by, outcome))
        return closed

    async def told_weight(
        self, namespace: str, service: str, revision: str | None, *, weight: float, now: float
    ) -> None:
        """A new traffic step begins."""
        release = await self._store.latest(namespace, service, revision)
        if release is not None and release.ended is None and release.weight != weight:
            await self._store.update(releases.weighted(release, weight, now))


def _due(living: Session, now: float) -> list[Block]:
    look = living.parameters.window.look
    over = int((now - _LAG_SECONDS - living.started) // look)
    wanted = range(living.blocks, min(over, living.blocks + _MAX_CATCH_UP))
    return [session.block(living.parameters, living.started, index) for index in wanted]


def _fold(living: Session, pieces: Sequence[Evidence]) -> tuple[Session, list[Look]]:
    looks = []
    for piece in pieces:
        living, findings = session.advance(living, piece)
        looks.append(Look(piece, findings, living.standing, __version__))
    return living, looks


def _window(living: Session, end: float) -> float:
    warm = living.started + living.parameters.window.warm_up
    return min(max(end - warm, living.parameters.window.look), evidence.MAX_WINDOW_SECONDS)


def _with_verdict(release: Release, parameters: Parameters, look: Look) -> Release:
    """The release with the promote answer of this look, for lists of releases."""
    verdict = policy.answer(policy.Case(Question.PROMOTE, release, parameters, look, Mode.JUDGE))
    failed = look.standing.failed_block is not None
    outcome = verdict.outcome if failed or verdict.outcome is Outcome.PASS else Outcome.INCONCLUSIVE
    return replace(release, verdict=outcome, sentence=verdict.sentence)


def _newly_advanced(ask: Ask, verdict: Verdict, case: policy.Case) -> bool:
    passed = ask.question is Question.ADVANCE and verdict.outcome is Outcome.PASS
    return passed and case.mode is not Mode.OFF and not case.repeated


def _cannot(ask: Ask, now: float, sentence: str) -> Verdict:
    return Verdict(Outcome.INCONCLUSIVE, ask.question, sentence, now, recorded=Outcome.INCONCLUSIVE)


__all__ = ["Book", "Judge", "Profile"]
