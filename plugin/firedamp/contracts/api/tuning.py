"""Tuning: what may be changed of how a service is judged, what it would have changed, and to save it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from firedamp.contracts import _wire
from firedamp.contracts.api.calls import ApiName, Note
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, by
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change, Compared, Stand
from firedamp.errors import ConflictError
from firedamp.judge.previews import MOST, USUAL
from firedamp.judge.tuned import Tuned, Tuning, body
from firedamp.model import Outcome, Release, Tier
from firedamp.ports import Override

_PATH = "/services/{namespace}/{service}/tuning"


def _whole(number: object) -> object:
    """To JSON 50.0 is as whole as 50."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ServicePath(_Model):
    """Which service."""

    namespace: ApiName
    service: ApiName


class PreviewCall(_Model):
    """What a change would have made of a service's newest releases; nothing is saved."""

    #: All that is to be other than in the settings, as it would be saved.
    change: Change
    releases: Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole)] = USUAL


class TuningCall(_Model):
    """Put a change into force for releases that begin from now on; an empty one goes back to the settings."""

    #: All that is to be other than in the settings.
    change: Change
    #: The version that was in force when the change was made; 0 before the first one.
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1), BeforeValidator(_whole)]
    note: Note = ""


class CheckValues(_Model):
    """What may be tuned of a check, with its values."""

    name: str
    kind: str
    values: dict[str, float | Tier]


class TunableValues(_Model):
    """What may be tuned of a service: shares as fractions, durations in seconds."""

    checks: list[CheckValues]
    window: dict[str, float]
    alpha: float
    alpha_warn: float


class VersionAnswer(_Model):
    """One version of what people tuned."""

    version: int
    by: str
    at: float
    note: str
    #: What it makes other than the settings; left out where another version of firedamp wrote it.
    change: Change | None = None


class TuningAnswer(_Model):
    """How a service is judged: by the settings, and by what people tuned on top of them."""

    namespace: str
    service: str
    #: Of what is tuned; 0 where nothing ever was.
    version: int
    #: Why the newest version is not followed; left out where it is.
    misfit: str | None = None
    difference: list[str]
    change: Change
    written: TunableValues
    in_force: TunableValues
    versions: list[VersionAnswer]


class StandAnswer(_Model):
    """Where a release came to stand."""

    verdict: Outcome
    block: int | None = None
    sentence: str
    unseen: bool


class ComparedAnswer(_Model):
    """A release as it was judged and as it would have been."""

    id: int
    revision: str
    attempt: int
    started: float
    looks: int
    then: StandAnswer
    now: StandAnswer
    differs: bool
    why: str
    link: str


class AsideAnswer(_Model):
    """A release that tells nothing of the change."""

    id: int
    revision: str
    attempt: int
    started: float
    reason: str
    link: str


class PreviewAnswer(_Model):
    """What a change would have made of the newest releases: how many verdicts differ, and each release."""

    summary: str
    #: What is other than now.
    difference: list[str]
    wanted: int
    differing: int
    #: Releases for which there was no time.
    left: int
    compared: list[ComparedAnswer]
    aside: list[AsideAnswer]


@dataclass(frozen=True, slots=True)
class Tunings(Room):
    """What is in force, previews, and saving."""

    bench: Tuning

    def rows(self) -> list[Row]:
        op = Operation
        return [
            (op("GET", _PATH, "viewer", TuningAnswer), self.tuning),
            (
                op("POST", f"{_PATH}/preview", "tuner", PreviewAnswer, body=PreviewCall, may_clash=True),
                self.preview,
            ),
            (op("PUT", _PATH, "tuner", TuningAnswer, body=TuningCall, may_clash=True), self.save),
        ]

    async def tuning(self, request: web.Request) -> TuningAnswer:
        path = _path(request)
        return await self._answer(path, await self.bench.now(*path))

    async def preview(self, request: web.Request) -> PreviewAnswer:
        path = _path(request)
        call = await self.body(PreviewCall, request)
        known = await self.bench.now(*path)
        found = await self.bench.preview(known, path, call.change, call.releases)
        return PreviewAnswer(
            summary=found.summary,
            difference=list(known.difference(call.change)),
            wanted=found.wanted,
            differing=len(found.differing),
            left=found.left,
            compared=[self._compared(one) for one in found.compared],
            aside=[AsideAnswer(**self._named(one.release), reason=one.reason) for one in found.aside],
        )

    async def save(self, request: web.Request) -> TuningAnswer:
        path = _path(request)
        call = await self.body(TuningCall, request)
        try:
            saved = await self.bench.save(
                path,
                call.change,
                based_on=call.based_on,
                by=by(request),
                note=call.note,
                now=self.clock(),
            )
        except ConflictError as error:
            raise _wire.RefusedError(str(error), HTTPStatus.CONFLICT) from error
        return await self._answer(path, saved)

    async def _answer(self, path: tuple[str, str], known: Tuned) -> TuningAnswer:
        versions = await self.store.overrides(*path)
        namespace, service = path
        return TuningAnswer(
            namespace=namespace,
            service=service,
            version=known.version,
            misfit=known.misfit or None,
            difference=list(tuning.difference(known.written, known.parameters)),
            change=known.change,
            written=_values(known.written),
            in_force=_values(known.parameters),
            versions=[_version(one) for one in versions],
        )

    def _compared(self, one: Compared) -> ComparedAnswer:
        return ComparedAnswer(
            **self._named(one.release),
            looks=one.looks,
            then=_stand(one.then),
            now=_stand(one.now),
            differs=one.differs,
            why=one.why,
        )

    def _named(self, release: Release) -> dict[str, Any]:
        base = str(self.settings.public_url).rstrip("/") if self.settings.public_url else ""
        return {
            "id": release.id,
            "revision": release.key.revision,
            "attempt": release.key.attempt,
            "started": release.started,
            "link": f"{base}/releases/{release.id}",
        }


def _path(request: web.Request) -> tuple[str, str]:
    path = _wire.read(ServicePath, dict(request.match_info))
    _wire.within(request, path.namespace)
    return path.namespace, path.service


def _values(parameters: Parameters) -> TunableValues:
    checks = [(one.name, one.kind, tuning.tunable(one)) for one in parameters.checks]
    return TunableValues(
        checks=[CheckValues(name=name, kind=kind, values=values) for name, kind, values in checks],
        window={name: value for name, value in tuning.in_window(parameters).items() if value is not None},
        alpha=parameters.alpha,
        alpha_warn=parameters.alpha_warn,
    )


def _version(one: Override) -> VersionAnswer:
    try:
        change = body(one)
    except ValueError:
        change = None
    return VersionAnswer(version=one.version, by=one.by, at=one.at, note=one.note, change=change)


def _stand(stand: Stand) -> StandAnswer:
    return StandAnswer(verdict=stand.verdict, block=stand.block, sentence=stand.sentence, unseen=stand.unseen)
