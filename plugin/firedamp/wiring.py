"""The composition root: settings in, a living judge out. The only place that builds adapters."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog

from firedamp import telemetry, words
from firedamp.config import Settings
from firedamp.config.load import service_to_add
from firedamp.errors import ClusterError, StoreError
from firedamp.judge import Endings, Judge, Profile
from firedamp.kubernetes import Api, Events, Finder
from firedamp.model import Mode
from firedamp.ports import Herald, Rollers, Source, Store
from firedamp.sources import Intake, SourceSettings, open_source, open_tracer
from firedamp.store import SqlStore, open_store
from firedamp.tracing.intake import Interest

_LOG = structlog.get_logger()
_PRUNE_EVERY_SECONDS = 3600.0
#: Each time takes one list of the Rollouts, and one of the Canaries, of each namespace with open releases.
_END_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Living:
    """Everything that serves, as long as the context lasts."""

    settings: Settings
    store: Store
    judge: Judge
    sources: Mapping[str, Source]
    endings: Endings
    intake: Intake | None = None


class SettingsBook:
    """The settings as the judge looks things up in them."""

    def __init__(self, settings: Settings, interest: Interest, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._interest = interest
        self._clock = clock

    def profile(self, namespace: str, service: str) -> Profile | None:
        found = self._settings.service(namespace, service)
        if found is None:
            return None
        if found.traces is not None:
            # Of a service that the defaults alone know, spans are kept from the first question on.
            self._interest.learn(found.traces.reported(service), self._clock())
        source = found.source or _first(self._settings.metrics)
        tracer = (found.traces and found.traces.source) or _first(self._settings.tracers)
        mode = Mode.holding((found.mode, self._settings.mode))
        return Profile(found.parameters(), source, mode, tracer)

    def freeze(self, namespace: str, service: str, now: float) -> str:
        found = self._settings.freeze(namespace, service, now)
        return found.name if found else ""

    def remedy(self, namespace: str, service: str) -> str:
        return service_to_add(namespace, service)


def _interest(settings: Settings) -> Interest:
    """Names under which services report that may be asked about, and those at which their flows begin."""
    traced = [(one.traces, one.traces.reported(one.name)) for one in settings.services if one.traces]
    if settings.defaults.traces is not None:
        traced.append((settings.defaults.traces, settings.defaults.traces.services))
    names = frozenset(name for _, reported in traced for name in reported)
    begin = frozenset(flow.root.service for traces, _ in traced for flow in traces.flows)
    return Interest(names, begin)


def _first(sources: Sequence[SourceSettings]) -> str:
    return sources[0].name if sources else ""


@asynccontextmanager
async def living(
    settings: Settings, *, clock: Callable[[], float] = time.time, in_cluster: bool = False
) -> AsyncIterator[Living]:
    """
    Open store and sources, build the judge, and close everything again.

    Args:
        settings: what to build.
        clock: Unix seconds.
        in_cluster: what the settings ask of the Kubernetes API is done; commands leave that to the server.

    Raises:
        StoreError: the store cannot be opened or migrated.
        ConfigError: a secret's file is missing, or nobody says where the Kubernetes API is.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(_opened(settings))
        sources = {one.name: open_source(one) for one in settings.metrics}
        interest = _interest(settings)
        tracers = {one.name: open_tracer(one, interest, clock) for one in settings.tracers}
        for source in sources.values():
            stack.push_async_callback(source.close)
        for tracer in tracers.values():
            stack.push_async_callback(tracer.close)
        cluster = await stack.enter_async_context(_cluster(settings, in_cluster))
        judge = Judge(
            SettingsBook(settings, interest, clock),
            sources,
            store,
            tracers,
            deadline_seconds=settings.limits.deadline,
            sessions=settings.limits.sessions,
            herald=cluster.herald,
        )
        stack.push_async_callback(judge.close)
        await stack.enter_async_context(
            _running(asyncio.create_task(_prune(store, settings.store.retention)))
        )
        intakes = [tracer for tracer in tracers.values() if isinstance(tracer, Intake)]
        for intake in intakes:
            stack.enter_context(telemetry.INTAKE.of(intake.figures))
        endings = Endings(judge, store, cluster.rollers)
        yield Living(settings, store, judge, sources, endings, next(iter(intakes), None))
        for intake in intakes:
            _LOG.info("intake_left", lost=intake.unsettled())


@asynccontextmanager
async def closing(
    alive: Living, *, clock: Callable[[], float] = time.time, every_seconds: float = _END_EVERY_SECONDS
) -> AsyncIterator[None]:
    """While the context lasts, releases whose end nobody reported are looked for, and closed."""
    async with _running(asyncio.create_task(_close(alive.endings, clock, every_seconds))):
        yield


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What is asked of the Kubernetes API; nothing where the settings do not ask."""

    herald: Herald | None = None
    rollers: Rollers | None = None


@asynccontextmanager
async def _cluster(settings: Settings, in_cluster: bool) -> AsyncIterator[_Cluster]:
    wanted = settings.kubernetes
    if not (in_cluster and (wanted.events or wanted.endings)):
        yield _Cluster()
        return
    api = Api(wanted.place(os.environ), seconds=wanted.timeout)
    finder = Finder(api, settings.released_by)
    events = Events(api, finder, partial(words.permalink, settings.public_url))
    try:
        yield _Cluster(events if wanted.events else None, finder if wanted.endings else None)
    finally:
        await api.close()


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[SqlStore]:
    store = await open_store(settings.store.address())
    try:
        yield store
    finally:
        await store.close()


async def _prune(store: SqlStore, retention: float | None) -> None:
    """Forget what is older than the retention, now and every hour."""
    while retention is not None:
        try:
            with telemetry.working(telemetry.Work.PRUNE):
                await store.prune(time.time() - retention)
        except StoreError as error:
            _LOG.warning("prune", error=str(error))
        await asyncio.sleep(_PRUNE_EVERY_SECONDS)


async def _close(endings: Endings, clock: Callable[[], float], every_seconds: float) -> None:
    """Look for ends again and again; not at once, so that callers come back first after a restart."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            with telemetry.working(telemetry.Work.ENDINGS):
                await endings.look(clock())
        except (ClusterError, StoreError) as error:
            _LOG.warning("endings", error=str(error))


@asynccontextmanager
async def _running(task: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
