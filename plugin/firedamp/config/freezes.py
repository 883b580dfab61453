"""
When nobody should release: dated freezes and weekly ones.

A freeze holds advance and promote questions undecided; harm still fails.
"""

from datetime import datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Freeze(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    #: Namespaces it holds for; empty for all.
    namespaces: tuple[str, ...] = ()
    #: Services it holds for; empty for all.
    services: tuple[str, ...] = ()

    def concerns(self, namespace: str, service: str) -> bool:
        return (not self.namespaces or namespace in self.namespaces) and (
            not self.services or service in self.services
        )


class DatedFreeze(_Freeze):
    """From one instant to another."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ordered(self) -> "DatedFreeze":
        if self.end <= self.start:
            raise ValueError(f"freeze {self.name!r} ends before it starts")
        return self

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


class WeeklyFreeze(_Freeze):
    """On some days of every week, between two times of day (over midnight where end <= start)."""

    days: tuple[Day, ...] = Field(min_length=1)
    start: Annotated[time, BeforeValidator(lambda text: time.fromisoformat(str(text)))] = time(0, 0)
    end: Annotated[time, BeforeValidator(lambda text: time.fromisoformat(str(text)))] = time(0, 0)
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {name!r}; write it like Europe/Berlin") from error
        return name

    def holds(self, at: datetime) -> bool:
        local = at.astimezone(ZoneInfo(self.timezone))
        today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
        clock = local.time()
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        return (today in self.days and clock >= self.start) or (yesterday in self.days and clock < self.end)


Freeze = WeeklyFreeze | DatedFreeze
