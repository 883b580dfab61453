"""How this replica is doing, gathered from the store, the settings and our own metrics."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter

from firedamp import __version__, telemetry
from firedamp.config import Settings
from firedamp.errors import StoreError
from firedamp.judge.tuned import Misfit, Tuning
from firedamp.ports import Ailment, Health, SourceState, Store, Tally, WorkState

_STORE_SECONDS = 2.0
_LOG = "look at the log of this replica"
#: What is done beside the answers, and what its failure costs.
_BESIDE = {
    telemetry.Work.LEARNING: (
        "Learning from the past",
        "Releases are judged by their own noise alone, which takes longer",
    ),
    telemetry.Work.SNAPSHOT: (
        "Writing a snapshot",
        "A restart judges that release again from its first block",
    ),
    telemetry.Work.FLOWS: ("Looking for flows", "A release is judged without the flows that nobody named"),
    telemetry.Work.PREVIEW: ("A preview", "Nobody sees what a change of settings would have done"),
    telemetry.Work.PRUNE: ("Forgetting old releases", "The store grows until it is done"),
    telemetry.Work.EVENTS: (
        "Writing an event on a Rollout or Canary",
        "Whoever looks at it there does not read the verdict",
    ),
    telemetry.Work.ENDINGS: (
        "Closing releases whose end nobody reported",
        "They are shown as running for longer than they did",
    ),
}


@dataclass(frozen=True, slots=True)
class Checkup:
    """Looks at everything once, within seconds also where the store hangs."""

    store: Store
    settings: Settings
    tuning: Tuning
    clock: Callable[[], float]
    _began: float = field(default_factory=perf_counter)

    async def health(self) -> Health:
        trouble, tally = await self._stored()
        misfits = () if trouble else await self._misfits()
        intake = telemetry.INTAKE.now()
        found = Health(
            version=__version__,
            at=self.clock(),
            up_seconds=perf_counter() - self._began,
            store=self.settings.store.url,
            trouble=trouble,
            sources=tuple(self._sources()),
            work=tuple(_work()),
            intake=() if intake is None else tuple(asdict(intake).items()),
            running=tally.running if tally else None,
            snapshots=tally.snapshots if tally else None,
            open_questions=int(telemetry.total(telemetry.ANSWERS_IN_FLIGHT)),
            put_off=int(telemetry.total(telemetry.OVERLOADED)),
            surprises=int(telemetry.total(telemetry.INTERNAL_ERRORS)),
            wrong=(),
        )
        return replace(found, wrong=(*_ailments(found, self.settings), *map(_misfit, misfits)))

    async def _stored(self) -> tuple[str, Tally | None]:
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                trouble = await self.store.ready()
                return (trouble, None) if trouble else ("", await self.store.tally())
        except TimeoutError:
            return f"no answer within {_STORE_SECONDS:g} s", None
        except StoreError as error:
            return str(error), None

    async def _misfits(self) -> Sequence[Misfit]:
        """Overrides that are not followed; none where the store is too slow to say."""
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                return await self.tuning.misfits((one.namespace, one.name) for one in self.settings.services)
        except (TimeoutError, StoreError):
            return ()

    def _sources(self) -> Iterator[SourceState]:
        now = perf_counter()
        for one in self.settings.sources:
            seen = telemetry.SEEN.get(one.name, telemetry.Sight())
            yield SourceState(one.name, one.kind, _since(seen.well, now), _since(seen.failed, now), seen.why)


def _work() -> Iterator[WorkState]:
    now = perf_counter()
    for kind in telemetry.Work:
        seen = telemetry.WORKED.get(kind, telemetry.Sight())
        yield WorkState(kind.value, _since(seen.well, now), _since(seen.failed, now), seen.why)


def _since(then: float | None, now: float) -> float | None:
    return None if then is None else now - then


def _ailments(health: Health, settings: Settings) -> Iterator[Ailment]:
    if health.trouble:
        yield Ailment(
            f"The store does not answer: {health.trouble}",
            "Questions are undecided until it does; mend the database, or its address in store.url.",
            grave=True,
        )
    for source in health.sources:
        if source.good is False:
            yield _silent(source)
    yield from (_undone(one) for one in health.work if one.good is False)
    yield from _losses(dict(health.intake))
    if health.put_off:
        yield Ailment(
            f"Questions were put off since the start ({health.put_off}): too many were asked at once.",
            f"Raise limits.concurrent (now {settings.limits.concurrent}), or add a replica.",
        )
    if health.surprises:
        yield Ailment(
            f"Exceptions that nobody had foreseen came up since the start ({health.surprises}).",
            f"Please report them: {_LOG} for surprise and contract_trouble.",
        )
    yield from _unset(settings)


def _silent(source: SourceState) -> Ailment:
    why = {
        "source_down": "see whether it runs and can be reached from here",
        "refused": "see its permissions and the queries: firedamp doctor tries them one by one",
    }
    return Ailment(
        f"Source {source.name} gave no answer the last time it was asked ({source.why or 'unknown'}).",
        f"Checks that need it are undecided; {why.get(source.why, _LOG)}.",
        grave=True,
    )


def _undone(work: WorkState) -> Ailment:
    what, without = _BESIDE[telemetry.Work(work.name)]
    return Ailment(f"{what} failed the last time ({work.why}).", f"{without}; {_LOG} for {work.name}.")


def _losses(intake: dict[str, int]) -> Iterator[Ailment]:
    if intake.get("forgotten") or intake.get("cut"):
        yield Ailment(
            "The intake of spans has no room for all of them: traces were forgotten, or cut.",
            "Give it more memory in its source's settings, or send it sampled spans.",
        )
    if intake.get("nameless") or intake.get("elsewhen"):
        yield Ailment(
            "Spans came with broken ids, or with clocks that are wrong.",
            "Look at the senders: their ids and their clocks.",
        )


def _misfit(one: Misfit) -> Ailment:
    names = f"{one.override.namespace}/{one.override.service}"
    return Ailment(
        f"{str(one)[0].upper()}{str(one)[1:]}.",
        f"Look at /services/{names}/tuning: save what still fits there, or go back to the settings.",
        namespace=one.override.namespace,
    )


def _unset(settings: Settings) -> Iterator[Ailment]:
    if settings.public_url is None:
        yield Ailment(
            "Nobody said under which address people reach this service, so links in answers have none.",
            "Set public_url in the settings.",
        )
    if not settings.auth.required:
        yield Ailment(
            "No token is asked for: whoever reaches this service may do everything.",
            "Set auth.required: true before anybody else can.",
        )
    if not settings.sources:
        yield Ailment(
            "There is no source, so nothing can be judged.",
            "Name one under sources in the settings.",
            grave=True,
        )
