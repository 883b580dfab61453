"""
Whom a look waited for when its time was over.

A look asks several at once, and none of them knows of the time of all. So whoever is still waited for then
says so when it is given up, to the look that it belongs to.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from firedamp.cohorts import Matchers
from firedamp.counting import Samples
from firedamp.errors import SourceDownError
from firedamp.ports import Source, Span, TraceSource
from firedamp.queries import Increase, Need
from firedamp.tracing import Sought, Traces

#: Tasks that a look begins have its list, and no other look's.
_GIVEN_UP: ContextVar[list[str]] = ContextVar("given_up")


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """
    What is done within is a look, which has so many seconds.

    Raises:
        SourceDownError: they were not enough; says whom it waited for at the end.
    """
    given_up: list[str] = []
    token = _GIVEN_UP.set(given_up)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SourceDownError(_said(seconds, given_up)) from error
    finally:
        _GIVEN_UP.reset(token)


@contextmanager
def waiting(whom: str) -> Iterator[None]:
    """What is awaited within is theirs."""
    try:
        yield
    except asyncio.CancelledError:
        _GIVEN_UP.get([]).append(whom)
        raise


def _said(seconds: float, given_up: list[str]) -> str:
    whom = " and ".join(sorted(set(given_up)))
    return f"a look took longer than {seconds:g} s" + (f", at last waiting for {whom}" if whom else "")


@dataclass(frozen=True, slots=True)
class _Metrics:
    name: str
    source: Source

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        with waiting(f"the metric source {self.name!r}"):
            return await self.source.samples(need, cohort, span)

    async def close(self) -> None:
        await self.source.close()


@dataclass(frozen=True, slots=True)
class _Traces:
    name: str
    source: TraceSource

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        with waiting(f"the source of traces {self.name!r}"):
            return await self.source.traces(sought, begin, end, timeout_seconds)

    async def close(self) -> None:
        await self.source.close()


def named_sources(sources: Mapping[str, Source]) -> dict[str, Source]:
    """The same, each known by its name where it is waited for."""
    return {name: _Metrics(name, source) for name, source in sources.items()}


def named_tracers(tracers: Mapping[str, TraceSource]) -> dict[str, TraceSource]:
    """The same, each known by its name where it is waited for."""
    return {name: _Traces(name, source) for name, source in tracers.items()}
