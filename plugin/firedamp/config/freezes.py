"""
When nobody should release: dated freezes and weekly ones.

A freeze holds advance and promote questions undecided; harm still fails.
"""

import re
from datetime import datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
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


def _time_of_day(text: object) -> time:
    if isinstance(text, time):
        return text
    if isinstance(text, str) and _CLOCK.fullmatch(text):
        return time.fromisoformat(text)
    raise ValueError(f"{text!r} is no time of day; write it like 22:00")


TimeOfDay = Annotated[
    time, BeforeValidator(_time_of_day), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$"})
]


class WeeklyFreeze(_Freeze):
    """On some days of every week, between two times of day (over midnight where end <= start)."""

    days: tuple[Day, ...] = Field(min_length=1)
    start: TimeOfDay = time(0, 0)
    end: TimeOfDay = time(0, 0)
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


def _kind(freeze: Any) -> str:  # noqa: ANN401 - YAML is anything, or a freeze
    days = "days" in freeze if isinstance(freeze, dict) else isinstance(freeze, WeeklyFreeze)
    return "weekly" if days else "dated"


#: Weekly where it names days, else dated.
Freeze = Annotated[
    Annotated[WeeklyFreeze, Tag("weekly")] | Annotated[DatedFreeze, Tag("dated")], Discriminator(_kind)
]
