"""
Traces from a Jaeger, by searches for the spans they begin with.

A search finds whole traces by one of their spans: its service, its name and when it began. Flows are searched
for by their roots (`naming` says how), and what a search brought beside them is left out here. Without flows,
the spans of the service under release are what is searched for, and those begin later than their roots.
"""

import asyncio
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.sources._client import Answer, Question
from firedamp.sources._closing import Closing
from firedamp.sources._reading import Reader, Wanted
from firedamp.sources._slicing import SECOND, SMALLEST, Paces, Slice, Sweep, swept, together
from firedamp.sources.jaeger.client import client
from firedamp.sources.jaeger.dialects import V1, V3, Dialect
from firedamp.sources.jaeger.naming import Name, Search, searches
from firedamp.sources.jaeger.reading import Haul, Page, read
from firedamp.sources.jaeger.settings import JaegerSettings
from firedamp.tracing import Sought, Traces

_APIS = {"v3": V3, "v1": V1, "auto": None}
#: Span names of a service are asked again after so long.
_NAMES_SECONDS = 300.0
#: Pods' clocks differ: a service may seem to be entered before its trace began.
_SKEW_SECONDS = 1.0


class JaegerSource(Closing):
    """
    A `firedamp.ports.TraceSource` over one Jaeger; also `async with`.

    Args:
        settings: where it is.
        dialect: of what answers in a Jaeger's place; by the settings, where not given.
    """

    def __init__(self, settings: JaegerSettings, dialect: Dialect | None = None) -> None:
        self.settings = settings
        self._chosen = dialect or _APIS[settings.api]
        self._dialect: Dialect | None = self._chosen
        self._client = client(settings, (self._chosen or V3).complaint)
        self._detecting = asyncio.Lock()
        self._reader = Reader()
        self._paces = Paces[Search]()
        self._names: dict[str, tuple[float, tuple[Name, ...]]] = {}
        self._astray: set[Search] = set()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        """
        Every trace sought whose root began in [begin, end), Unix seconds.

        Without flows, a trace is found by the service's own spans, so one that only tried to call it is not.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the search or the permission is wrong, or the answer too large.
        """
        haul = Haul(Wanted(sought, begin, end))
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._fetch(haul)
        except TimeoutError as error:
            raise SourceDownError(self._client.said(f"no answer within {timeout_seconds:.3g} s")) from error
        return Traces(await asyncio.to_thread(haul.traces), self._doubt(haul), haul.bytes_read)

    async def _fetch(self, haul: Haul) -> None:
        sought = haul.wanted.sought
        dialect = await self._spoken(haul)
        await self._sweep(await self._searches(sought, dialect), haul, dialect)
        if haul.astray:
            self._astray |= haul.astray
            await self._sweep({Search(search.service) for search in haul.astray}, haul, dialect)

    # Which language, and which searches.

    async def _spoken(self, haul: Haul) -> Dialect:
        async with self._detecting:
            if self._dialect is None:
                self._dialect = await self._detected(haul)
            return self._dialect

    async def _detected(self, haul: Haul) -> Dialect:
        """The first dialect in which a small search is answered."""
        sought = haul.wanted.sought
        search = Search((*sought.services, *(flow.service for flow in sought.roots))[0])
        for dialect in (V3, V1):
            answer = await self._ask(dialect.search(search, _microseconds(haul.wanted), 1))
            try:
                for _ in dialect.spans(answer):
                    pass
            except ValueError:
                continue
            return dialect
        raise SourceRefusedError(
            self._client.said(
                "neither /api/v3/traces nor /api/traces is known there; "
                "set url to Jaeger's query service, base path included"
            )
        )

    async def _searches(self, sought: Sought, dialect: Dialect) -> set[Search]:
        if not sought.roots:
            return {Search(service) for service in sought.services}
        found: set[Search] = set()
        for service in {flow.service for flow in sought.roots}:
            operations = {flow.operation for flow in sought.roots if flow.service == service}
            found |= searches(service, operations, await self._names_of(service, dialect), self._astray)
        return found

    async def _names_of(self, service: str, dialect: Dialect) -> tuple[Name, ...]:
        now = asyncio.get_running_loop().time()
        asked_at, names = self._names.get(service, (-math.inf, ()))
        if now - asked_at > _NAMES_SECONDS:
            answer = await self._ask(dialect.names(service))
            with self._understood():
                names = dialect.names_in(answer)
            self._names[service] = (now, names)
        return names

    async def _ask(self, question: Question) -> Answer:
        return await self._client.ask(question, seconds=self.settings.timeout)

    # Slice by slice.

    async def _sweep(self, wanted: Collection[Search], haul: Haul, dialect: Dialect) -> None:
        await together(
            self._work(sweep, search, haul, dialect)
            for search in wanted
            for sweep in [self._slices(search, haul.wanted)]
            for _ in range(self.settings.max_concurrent)
        )

    def _slices(self, search: Search, wanted: Wanted) -> Sweep:
        whole, sought = _microseconds(wanted), wanted.sought
        if not sought.roots or (self._dialect is not None and self._dialect.by_end):
            early, late = round(_SKEW_SECONDS * SECOND), round(self.settings.reach * SECOND)
            whole = Slice(whole.begin - early, whole.end + late)
        return Sweep(whole.begin, whole.end, self._paces.of(search))

    async def _work(self, sweep: Sweep, search: Search, haul: Haul, dialect: Dialect) -> None:
        asked = self.settings.max_traces

        async def ask(piece: Slice) -> tuple[Page, int]:
            answer = await self._ask(dialect.search(search, piece, asked))
            size = len(answer.body)
            with self._understood():
                page = await self._reader.read(
                    size, lambda: read(dialect.spans(answer), search, piece, asked, haul.wanted)
                )
            haul.bytes_read += size
            return page, size

        await swept(sweep, ask, lambda page: haul.add(search, page), asked)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            # It may be another Jaeger by now, so its language is found anew.
            self._dialect = self._chosen
            speaker = self._chosen.speaker if self._chosen else "a Jaeger"
            raise SourceDownError(
                self._client.said(f"answered with nothing {speaker} says: {error}")
            ) from error

    def _doubt(self, haul: Haul) -> str:
        if not haul.cut:
            return ""
        limit, width = self.settings.max_traces, 2 * SMALLEST / SECOND
        return self._client.said(
            f"a search of less than {width:g} s brought {limit} traces, as many as it may, {haul.cut} times, "
            "so others may be missing; raise max_traces"
        )


def _microseconds(wanted: Wanted) -> Slice:
    return Slice(math.floor(wanted.begin * SECOND), math.ceil(wanted.end * SECOND))
