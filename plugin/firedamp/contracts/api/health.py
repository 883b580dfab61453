"""How firedamp itself is doing, as the replica that is asked knows it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, query
from firedamp.ports import Health


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
        found = await self.health()
        return HealthAnswer(
            **{name: value for name, value in asdict(found).items() if name not in ("sources", "intake")},
            sources=[SourceHealth(**asdict(one), good=one.good) for one in found.sources],
            intake=dict(found.intake),
        )
