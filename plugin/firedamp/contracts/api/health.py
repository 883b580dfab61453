"""How firedamp itself is doing, as the replica that is asked knows it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from firedamp.contracts import _wire
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, query
from firedamp.ports import Health

#: What an answer has in other words than the value.
_APART = ("sources", "work", "intake")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class HealthCall(BaseModel):
    """Everything there is."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SourceHealth(_Answer):
    """A source: seconds since it last answered and last failed, where it ever did."""

    name: str
    kind: str
    good: bool | None = None
    answered: float | None = None
    failed: float | None = None
    why: str


class WorkHealth(_Answer):
    """Work beside the answers: seconds since it was last done and last failed, where it ever was."""

    name: str
    good: bool | None = None
    done: float | None = None
    failed: float | None = None
    why: str


class AilmentAnswer(_Answer):
    """Something that is not as it should be, and what to do about it."""

    what: str
    remedy: str
    grave: bool


class HealthAnswer(_Answer):
    """How this replica is doing; what it does not know is left out."""

    version: str
    at: float
    up_seconds: float
    store: str
    trouble: str
    sources: list[SourceHealth]
    work: list[WorkHealth]
    intake: dict[str, int]
    running: int | None = None
    snapshots: int | None = None
    open_questions: int
    put_off: int
    surprises: int
    wrong: list[AilmentAnswer]


@dataclass(frozen=True, slots=True)
class Healths(Room):
    """Store, sources, intake, and what is wrong."""

    health: Callable[[], Awaitable[Health]]

    def rows(self) -> list[Row]:
        return [(Operation("GET", "/health", "viewer", HealthAnswer, query=HealthCall), self.told)]

    async def told(self, request: web.Request) -> HealthAnswer:
        query(HealthCall, request)
        found = (await self.health()).told(request[_wire.TOKEN])
        return HealthAnswer(
            **{name: value for name, value in asdict(found).items() if name not in _APART},
            sources=[SourceHealth(**asdict(one), good=one.good) for one in found.sources],
            work=[WorkHealth(**asdict(one), good=one.good) for one in found.work],
            intake=dict(found.intake),
        )
