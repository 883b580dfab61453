"""Small stand-ins that keep the promises of `firedamp.ports`; the same tests hold them to it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from firedamp.errors import ConflictError, SourceDownError, SourceError, SourceRefusedError, StoreError
from firedamp.model import (
    Ask,
    Judged,
    Label,
    Look,
    Mode,
    Outcome,
    Question,
    Release,
    ReleaseKey,
    Ruling,
    Verdict,
)
from firedamp.ports import (
    LESSONS,
    Entry,
    Event,
    Gate,
    Lesson,
    Override,
    Session,
    Sifted,
    Snapshot,
    Tally,
    Token,
)
from firedamp.ports.lists import Change, Wanted
from firedamp.store.columns import exact, number, prose
from firedamp.store.ledger import BY_NAME_ONLY
from firedamp.store.locks import LocalLocks, name
from firedamp.store.rows import (
    CHANGING,
    LESSON_KEY,
    LESSON_SAYS,
    labelled,
    overtaken,
    ruled,
    switched,
    tuned,
)
from firedamp.tracing import Sought, Trace, Traces


class MemoryStore:
    """
    `Store` in memory.

    Attributes:
        trouble: while set, every method raises StoreError with it, and `ready` says it.
    """

    def __init__(self, *, lock_seconds: float = 6.0) -> None:
        self.trouble: str | None = None
        self._lock_seconds = lock_seconds
        self._local = LocalLocks()
        self._releases: dict[int, Release] = {}
        self._last_id = 0
        self._looks: dict[int, dict[int, Look]] = {}
        self._snapshots: dict[int, Snapshot] = {}
        self._lessons: dict[tuple[str, str, str, int], Lesson] = {}
        self._rulings: list[Ruling] = []
        self._labels: list[Label] = []
        self._overrides: dict[tuple[str, str], list[Override]] = {}
        self._gates: dict[tuple[str, str, str, str], Gate] = {}
        self._events: list[Event] = []
        self._tokens: dict[str, Token] = {}
        self._changed: dict[int, float] = {}
        self._sessions: dict[str, Session] = {}

    @asynccontextmanager
    async def lock(self, key: ReleaseKey) -> AsyncIterator[None]:
        await self._turn()
        async with self._local.hold(name(key), self._lock_seconds):
            yield

    async def latest(self, namespace: str, service: str, revision: str | None) -> Release | None:
        await self._turn(namespace, service, revision)
        mine = [
            release for release in self._releases.values() if _is(release.key, namespace, service, revision)
        ]
        return max(mine, key=lambda release: (release.started, release.id), default=None)

    async def release(self, release_id: int) -> Release | None:
        await self._turn()
        return self._releases.get(release_id)

    async def open(self, release: Release) -> Release:
        key = release.key
        exactly = (key.namespace, key.service, key.revision, release.parameters, release.noise)
        await self._turn(*exactly, *_moving(release))
        if any(known.key == key for known in self._releases.values()):
            raise ConflictError(f"{key} exists already")
        self._last_id += 1
        self._releases[self._last_id] = _cleaned(replace(release, id=self._last_id))
        self._touch(self._last_id)
        return self._releases[self._last_id]

    async def update(self, release: Release) -> None:
        await self._turn(*_moving(release))
        self._write_back(release)
        self._touch(release.id)
        if release.ended is not None:
            self._snapshots.pop(release.id, None)

    async def releases(
        self,
        *,
        namespace: str | None = None,
        service: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Release]:
        await self._turn(namespace, service)
        newest = sorted(self._releases.values(), key=lambda release: -release.id)
        mine = [release for release in newest if _is(release.key, namespace, service)]
        return [release for release in mine if before is None or release.id < before][:limit]

    async def listed(
        self, wanted: Wanted, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> Sequence[Release]:
        await self._turn(wanted.service, wanted.revision)
        newest = sorted(self._releases.values(), key=lambda release: -release.id)
        labels = await self.labels(list(self._releases)) if wanted.label is not None else {}
        mine = [one for one in newest if _wanted(one, wanted) and (before is None or one.id < before)]
        if wanted.label is not None:
            mine = [one for one in mine if one.id in labels and labels[one.id].word is wanted.label]
        return mine[:limit] if after is None else [one for one in mine if one.id > after][-limit:]

    async def newest(
        self, services: Sequence[tuple[str, str]], *, limit: int
    ) -> Mapping[tuple[str, str], Sequence[Release]]:
        return {
            (namespace, name): await self.listed(Wanted((namespace,), service=name), limit=limit)
            for namespace, name in services
        }

    async def changes(self, since: float | None, *, limit: int = 500) -> tuple[float, Sequence[Change]]:
        await self._turn(since)
        found = sorted((at, id) for id, at in self._changed.items() if since is not None and at >= since)
        known = [(at, self._releases[id]) for at, id in found if id in self._releases][:limit]
        changes = [Change(release.id, release.key.namespace, at) for at, release in known]
        return (changes[-1].at if len(changes) == limit else time.time()), changes

    def _touch(self, release_id: int) -> None:
        self._changed[release_id] = time.time()

    async def looks(self, release_id: int, *, after: int = -1, limit: int | None = None) -> Sequence[Look]:
        await self._turn()
        mine = sorted(self._looks.get(release_id, {}).items())
        return [look for block, look in mine if block > after][:limit]

    async def last_look(self, release_id: int) -> Look | None:
        mine = await self.looks(release_id)
        return mine[-1] if mine else None

    async def last_looks(self, release_ids: Sequence[int]) -> Mapping[int, Look]:
        found = {release_id: await self.last_look(release_id) for release_id in release_ids}
        return {release_id: look for release_id, look in found.items() if look is not None}

    async def add_looks(self, release: Release, looks: Sequence[Look]) -> None:
        await self._turn(release.noise, *_moving(release))
        added = {look.evidence.block.index: look for look in looks}
        known = self._looks.get(release.id, {})
        if len(added) < len(looks) or added.keys() & known.keys():
            raise ConflictError(f"a block of {release.key} has a look already")
        self._write_back(release)
        self._releases[release.id] = replace(self._releases[release.id], noise=release.noise)
        self._looks[release.id] = known | added
        self._touch(release.id)

    async def prune(self, before: float) -> int:
        await self._turn()
        old = [id for id, known in self._releases.items() if known.ended is not None and known.ended < before]
        for release_id in old:
            del self._releases[release_id]
            self._looks.pop(release_id, None)
        self._rulings = [one for one in self._rulings if one.release_id in self._releases]
        self._labels = [one for one in self._labels if one.release_id in self._releases]
        for left in [known.id for known in self._releases.values() if known.last_asked < before]:
            self._snapshots.pop(left, None)
        self._lessons = {key: one for key, one in self._lessons.items() if one.at >= before}
        return len(old)

    async def snapshot(self, release_id: int) -> Snapshot | None:
        await self._turn()
        return self._snapshots.get(release_id)

    async def keep(self, snapshot: Snapshot) -> None:
        await self._turn()
        release, before = self._releases.get(snapshot.release_id), self._snapshots.get(snapshot.release_id)
        if release and release.ended is None and (before is None or before.block < snapshot.block):
            self._snapshots[snapshot.release_id] = snapshot

    async def lessons(self, namespace: str, service: str) -> Sequence[Lesson]:
        await self._turn(namespace, service)
        return [one for key, one in sorted(self._lessons.items()) if key[:2] == (namespace, service)]

    async def learn(self, lessons: Sequence[Lesson]) -> None:
        await self._turn(*(getattr(one, name) for one in lessons for name in (*LESSON_KEY, *LESSON_SAYS)))
        for one in lessons:
            self._lessons[(one.namespace, one.service, one.check, one.release_id)] = one
            told = sorted(key for key in self._lessons if key[:3] == (one.namespace, one.service, one.check))
            for key in [key for key in told if key[3]][:-LESSONS]:
                del self._lessons[key]

    async def rule(self, ruling: Ruling) -> None:
        await self._turn(ruling.check, ruling.at)
        key = self._known(ruling.release_id).key
        said = {"by": prose(ruling.by), "note": prose(ruling.note), "said": prose(ruling.said)}
        self._rulings.append(replace(ruling, **said))
        self._touch(ruling.release_id)
        await self.record(ruled(ruling, key))

    async def rulings(self, release_id: int) -> Sequence[Ruling]:
        await self._turn()
        return [one for one in self._rulings if one.release_id == release_id]

    async def label(self, label: Label) -> None:
        await self._turn(label.at)
        key = self._known(label.release_id).key
        self._labels.append(replace(label, by=prose(label.by), note=prose(label.note)))
        self._touch(label.release_id)
        await self.record(labelled(label, key))

    async def labels(self, release_ids: Sequence[int]) -> Mapping[int, Label]:
        await self._turn()
        newest = {one.release_id: one for one in self._labels if one.release_id in release_ids}
        return {number: one for number, one in newest.items() if one.word is not Judged.WITHDRAWN}

    async def judged(self, namespace: str, service: str, *, limit: int = 200) -> Sequence[Label]:
        await self._turn(namespace, service)
        own = [one.id for one in self._releases.values() if _is(one.key, namespace, service)]
        newest = {one.release_id: at for at, one in enumerate(self._labels) if one.release_id in own}
        found = [self._labels[at] for at in sorted(newest.values(), reverse=True)]
        return [one for one in found if one.word is not Judged.WITHDRAWN][:limit]

    async def tune(self, override: Override) -> None:
        await self._turn(override.namespace, override.service, override.body, override.at)
        versions = self._overrides.setdefault((override.namespace, override.service), [])
        if override.version != len(versions) + 1:
            raise ConflictError(overtaken(override, len(versions)))
        versions.append(replace(override, by=prose(override.by), note=prose(override.note)))
        await self.record(tuned(override))

    async def override(self, namespace: str, service: str) -> Override | None:
        found = await self.overrides(namespace, service)
        return found[0] if found else None

    async def overrides(self, namespace: str, service: str) -> Sequence[Override]:
        await self._turn(namespace, service)
        return self._overrides.get((namespace, service), [])[::-1]

    async def gate(self, namespace: str, service: str, hook: str, revision: str, now: float) -> Gate | None:
        await self._turn(namespace, service, hook, revision)
        hooks = [hook] if hook in BY_NAME_ONLY else [hook, "*"]
        for key in [(namespace, service, each, rev) for rev in (revision, "") for each in hooks]:
            gate = self._gates.get(key)
            if gate and gate.is_open and now <= gate.expires:
                return gate
        return None

    async def gates(self, namespace: str | None = None) -> Sequence[Gate]:
        await self._turn(namespace)
        return [gate for _, gate in sorted(self._gates.items()) if namespace in (None, gate.namespace)]

    async def set_gate(self, gate: Gate) -> None:
        key = (gate.namespace, gate.service, gate.hook, gate.revision)
        await self._turn(*key)
        self._gates[key] = replace(gate, by=prose(gate.by), note=prose(gate.note))
        await self.record(switched(gate))

    async def record(self, event: Event) -> None:
        await self._turn(event.kind, event.namespace, event.service, event.revision)
        self._events.append(replace(event, by=prose(event.by), text=prose(event.text)))

    async def events(
        self,
        *,
        namespace: str | None = None,
        service: str | None = None,
        revision: str | None = None,
        limit: int = 200,
    ) -> Sequence[Event]:
        await self._turn(namespace, service, revision)
        newest = reversed(self._events)
        return [event for event in newest if _is(event, namespace, service, revision)][:limit]

    async def trail(self, sifted: Sifted, *, before: int | None = None, limit: int = 50) -> Sequence[Entry]:
        await self._turn(*sifted.namespaces, sifted.service, sifted.revision, sifted.kind, sifted.by)
        newest = [Entry(id, event) for id, event in enumerate(self._events, start=1)][::-1]
        mine = [one for one in newest if before is None or one.id < before]
        return [one for one in mine if _sifted(one.event, sifted)][:limit]

    async def switches(
        self, namespaces: Sequence[str] = (), *, service: str | None = None, since: float, limit: int = 200
    ) -> Sequence[Gate]:
        await self._turn(*namespaces, service)
        known = [gate for _, gate in sorted(self._gates.items()) if gate.expires >= since]
        mine = [gate for gate in known if not namespaces or gate.namespace in namespaces]
        mine = [gate for gate in mine if service in (None, gate.service)]
        return sorted(mine, key=lambda gate: (not gate.is_open, -gate.at))[:limit]

    async def tally(self) -> Tally:
        await self._turn()
        running = [release for release in self._releases.values() if release.ended is None]
        return Tally(len(running), len(self._snapshots))

    async def switch(self, namespace: str, service: str, hook: str, revision: str) -> Gate | None:
        await self._turn(namespace, service, hook, revision)
        return self._gates.get((namespace, service, hook, revision))

    async def tokens(self) -> Sequence[Token]:
        await self._turn()
        return sorted(self._tokens.values(), key=lambda token: (token.created, token.name))

    async def add_token(self, token: Token) -> None:
        await self._turn(token.name, token.digest, token.role)
        digests = {known.digest for known in self._tokens.values()}
        if token.name in self._tokens or token.digest in digests:
            raise ConflictError(f"token {token.name} exists already")
        self._tokens[token.name] = token

    async def revoke_token(self, name: str, now: float) -> bool:
        await self._turn(name)
        known = self._tokens.get(name)
        if known is None or known.revoked is not None:
            return False
        self._tokens[name] = replace(known, revoked=now)
        return True

    async def begin_session(self, session: Session) -> None:
        await self._turn(session.digest, session.token, session.began, session.expires)
        if session.digest in self._sessions:
            raise ConflictError("this session exists already")
        kept = {key: one for key, one in self._sessions.items() if one.expires >= session.began}
        self._sessions = {**kept, session.digest: session}

    async def sessions(self, digests: Collection[str]) -> Sequence[Session]:
        await self._turn(*digests)
        return [self._sessions[digest] for digest in digests if digest in self._sessions]

    async def end_session(self, digest: str) -> None:
        await self._turn(digest)
        self._sessions.pop(digest, None)

    async def ready(self) -> str | None:
        return self.trouble

    async def close(self) -> None:
        self._releases.clear()

    async def _turn(self, *values: str | float | None) -> None:
        """Let others run, as every real store does, and refuse what a real one refuses."""
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise StoreError(self.trouble)
        try:
            for value in values:
                _ = exact(value) if isinstance(value, str) else number(value or 0.0)
        except ValueError as error:
            raise StoreError(str(error)) from error

    def _known(self, release_id: int) -> Release:
        if release_id not in self._releases:
            raise StoreError(f"release {release_id} is not in the store")
        return self._releases[release_id]

    def _write_back(self, release: Release) -> None:
        known = self._known(release.id)
        changed = {column: getattr(release, column) for column in CHANGING}
        self._releases[release.id] = _cleaned(replace(known, **changed))


def _is(thing: Event | ReleaseKey, *wanted: str | None) -> bool:
    names = (thing.namespace, thing.service, thing.revision)
    return all(want in (None, name) for want, name in zip(wanted, names, strict=False))


def _wanted(release: Release, wanted: Wanted) -> bool:
    pairs = [
        (wanted.service, release.key.service),
        (wanted.revision, release.key.revision),
        (wanted.verdict, release.verdict),
        (wanted.controller, release.controller),
        (wanted.running, release.ended is None),
    ]
    begun = (wanted.since or -math.inf) <= release.started < (wanted.until or math.inf)
    mine = not wanted.namespaces or release.key.namespace in wanted.namespaces
    return begun and mine and all(want in (None, has) for want, has in pairs)


def _sifted(event: Event, sifted: Sifted) -> bool:
    named = all(
        getattr(sifted, name) in (None, getattr(event, name))
        for name in ("service", "revision", "kind", "by")
    )
    reached = not sifted.namespaces or event.namespace in sifted.namespaces
    after = sifted.since is None or event.at >= sifted.since
    return named and reached and after and (sifted.until is None or event.at < sifted.until)


def _moving(release: Release) -> tuple[str | float | None, ...]:
    """What changes of a release and is not prose."""
    return release.step_label, release.last_asked, release.step_since, release.weight, release.ended


class GrowingStore(MemoryStore):
    """
    A store in which a judge takes a look just after somebody asked which one is the last.

    Attributes:
        coming: the looks still to be taken, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.coming: list[Look] = []

    async def last_look(self, release_id: int) -> Look | None:
        found = await super().last_look(release_id)
        if self.coming:
            await self.add_looks(await self.release(release_id), [self.coming.pop(0)])
        return found


def _cleaned(release: Release) -> Release:
    outcome = None if release.outcome is None else prose(release.outcome)
    return replace(release, outcome=outcome, sentence=prose(release.sentence))


class FakeJudge:
    """
    `Judging` that says what it was told to say, or pass.

    With a store it opens and closes a release as a judge does, and keeps the weight it is told.

    Attributes:
        asked: every question, in order.
        weights, endings: what it was told.
        trouble: raised by every question while set.
        patience_seconds: how long an answer takes.
    """

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.asked: list[Ask] = []
        self.weights: list[tuple[str | None, float]] = []
        self.endings: list[tuple[str | None, str, str]] = []
        self.trouble: Exception | None = None
        self.patience_seconds = 0.0
        self._store = store
        self._scripts: dict[Question, list[Verdict]] = {}

    def says(self, *outcomes: str, question: Question | None = None, **more: Any) -> "FakeJudge":
        """Answer one question (default: all) with these outcomes in turn, the last one for ever."""
        sentence = more.pop("sentence", "errors: 5.1 % against 1.0 % of baseline")
        for each in Question if question is None else (question,):
            made = [Verdict(Outcome(one), each, sentence, at=0.0, **more) for one in outcomes]
            self._scripts[each] = made
        return self

    def holds(self, times: int) -> "FakeJudge":
        """Be in hold mode for the next questions of a guard, then judge."""
        held = [Verdict(Outcome.PASS, Question.GUARD, "frozen", at=0.0, mode=Mode.HOLD)] * times
        self._scripts[Question.GUARD] = held + self._scripts.get(Question.GUARD, [_passing(Question.GUARD)])
        return self

    async def answer(self, ask: Ask, now: float) -> Verdict:
        self.asked.append(ask)
        await asyncio.sleep(self.patience_seconds)
        if self.trouble is not None:
            raise self.trouble
        script = self._scripts.get(ask.question) or [_passing(ask.question)]
        verdict = script.pop(0) if len(script) > 1 else script[0]
        release = await self._release(ask, now)
        if release is None:
            return replace(verdict, at=now)
        return replace(verdict, at=now, release=release.key, release_id=release.id)

    async def ended(
        self, namespace: str, service: str, revision: str | None, *, outcome: str, by: str, now: float
    ) -> Release | None:
        self.endings.append((revision, outcome, by))
        release = None if self._store is None else await self._store.latest(namespace, service, revision)
        if release is None or self._store is None or release.ended is not None:
            return release
        closed = replace(release, ended=now, outcome=outcome)
        await self._store.update(closed)
        return closed

    async def told_weight(
        self, namespace: str, service: str, revision: str | None, *, weight: float, now: float
    ) -> None:
        self.weights.append((revision, weight))
        release = None if self._store is None else await self._store.latest(namespace, service, revision)
        if release is not None and self._store is not None:
            await self._store.update(replace(release, weight=weight))

    async def _release(self, ask: Ask, now: float) -> Release | None:
        if self._store is None:
            return None
        known = await self._store.latest(ask.namespace, ask.service, ask.revision)
        if known is not None or not ask.opens or ask.revision is None:
            return known
        key = ReleaseKey(ask.namespace, ask.service, ask.revision, 1)
        return await self._store.open(
            Release(
                id=0,
                key=key,
                controller=ask.controller,
                started=now,
                arms=ask.arms,
                experiment=ask.experiment,
                parameters="{}",
                version="test",
                last_asked=now,
            )
        )


def _passing(question: Question) -> Verdict:
    return Verdict(Outcome.PASS, question, "harm is excluded", at=0.0)


@dataclass
class FakeTraces:
    """
    `TraceSource` over traces made up beforehand.

    Attributes:
        known: each trace and when it arrives, Unix seconds.
        now: what has not arrived by then is not told.
        trouble: raised instead of an answer while set.
        doubtful: [begin, end) of which not all is known.
        most: traces told at once; of more it refuses to speak.
        patience_seconds: how long an answer takes, for each minute asked about.
        asked: every (begin, end), in order.
    """

    known: Sequence[tuple[Trace, float]] = ()
    now: float = math.inf
    trouble: SourceError | None = None
    doubtful: tuple[float, float] = (math.inf, math.inf)
    most: int = 1_000_000
    patience_seconds: float = 0.0
    asked: list[tuple[float, float]] = field(default_factory=list)

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        self.asked.append((begin, end))
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.sleep(self.patience_seconds * (end - begin) / 60)
        except TimeoutError:
            raise SourceDownError(f"source traces: no answer within {timeout_seconds:.3g} s") from None
        if self.trouble is not None:
            raise self.trouble
        found = [one for one, came in self.known if came <= self.now and begin <= one.start < end]
        if len(found) > self.most:
            raise SourceRefusedError(f"source traces: more than {self.most} traces")
        in_doubt = begin < self.doubtful[1] and self.doubtful[0] < end
        doubt = "source traces: a page was full" if in_doubt else ""
        return Traces(sorted(found, key=lambda one: one.start), doubt)

    async def close(self) -> None:
        """Nothing to close."""
