"""
Traces from a Tempo, by searches for the spans they are judged by.

A search brings the traces that overlap its time, so many at most, and never says that there are more; so one
that brings as many is not taken for whole, and is asked again in halves of whole seconds. Roots are searched
for in the time asked for, everything else until `reach` later.
"""

import asyncio
import math
from collections.abc import Iterable, Iterator

from firedamp.errors import SourceDownError
from firedamp.sources._client import HttpClient, Manners, Question, plain
from firedamp.sources._closing import Closing
from firedamp.sources._reading import Reader, Wanted
from firedamp.sources._slicing import SECOND, Paces, Slice, Sweep, swept, together
from firedamp.sources.tempo import traceql
from firedamp.sources.tempo.reading import Page, read
from firedamp.sources.tempo.settings import TempoSettings
from firedamp.sources.tempo.traceql import Role, Search
from firedamp.sources.tempo.weaving import Haul
from firedamp.tracing import Sought, Traces

#: Pods' clocks differ: a service may seem to be entered before its trace began.
_SKEW_SECONDS = 1.0
#: Of one trace and set; what Tempo gives without being told otherwise by its settings.
_SPANS = 100


class TempoSource(Closing):
    """A `firedamp.ports.TraceSource` over one Tempo; also `async with`."""

    def __init__(self, settings: TempoSettings) -> None:
        self.settings = settings
        self._client = HttpClient(settings, Manners(plain, remedy=_remedy))
        self._reader = Reader()
        self._resource = frozenset((*traceql.RESOURCE, *settings.attributes))
        # Tempo takes times in whole seconds.
        self._paces = Paces[Search](smallest=SECOND, grain=SECOND)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def traces(self, sought: Sought, begin: float, end: float, timeout_seconds: float) -> Traces:
        """
        Every trace sought whose root began in [begin, end), Unix seconds.

        Raises:
            SourceDownError: unreachable, overloaded or out of time.
            SourceRefusedError: the search or the permission is wrong, or the answer too large.
        """
        haul = Haul(Wanted(sought, begin, end))
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._sweep(self._searches(sought), haul)
                if not sought.roots:
                    await self._sweep(traceql.roots_named(set(haul.named.values())), haul)
        except TimeoutError as error:
            raise SourceDownError(self._client.said(f"no answer within {timeout_seconds:.3g} s")) from error
        found = await self._reader.read(haul.bytes_read, haul.traces)
        return Traces(found, self._doubt(haul), haul.bytes_read)

    def _searches(self, sought: Sought) -> Iterator[Search]:
        yield from traceql.roots(sought.roots)
        yield from traceql.entries(sought.services, self.settings.attributes)
        yield from traceql.calls(sought.services, self.settings.peers)
        yield from traceql.failures(sought.services)

    async def _sweep(self, searches: Iterable[Search], haul: Haul) -> None:
        await together(
            self._work(sweep, search, haul)
            for search in dict.fromkeys(searches)
            for sweep in [self._slices(search, haul.wanted)]
            for _ in range(self.settings.max_concurrent)
        )

    def _slices(self, search: Search, wanted: Wanted) -> Sweep:
        early, late = (0.0, 0.0) if search.role is Role.ROOT else (_SKEW_SECONDS, self.settings.reach)
        begin, end = math.floor(wanted.begin - early), math.ceil(wanted.end + late)
        return Sweep(begin * SECOND, end * SECOND, self._paces.of(search))

    async def _work(self, sweep: Sweep, search: Search, haul: Haul) -> None:
        async def ask(piece: Slice) -> tuple[Page, int]:
            page, size = await self._page(search, piece)
            haul.bytes_read += size
            return page, size

        await swept(sweep, ask, lambda page: haul.add(search.role, page), self.settings.max_traces)

    async def _page(self, search: Search, piece: Slice) -> tuple[Page, int]:
        asked = self.settings.max_traces
        answer = await self._client.ask(_question(search, piece, asked), seconds=self.settings.timeout)
        size = len(answer.body)
        try:
            return await self._reader.read(size, lambda: read(answer.body, asked, self._resource)), size
        except ValueError as error:
            said = self._client.said(f"answered with nothing a Tempo says: {error}")
            raise SourceDownError(said) from error

    def _doubt(self, haul: Haul) -> str:
        if haul.cut:
            return self._client.said(
                f"a search of less than 2 s brought {self.settings.max_traces} traces, as many as it may, "
                f"{haul.cut} times, so others may be missing; raise max_traces"
            )
        if haul.crowded:
            return self._client.said(
                f"{haul.crowded} traces have more entries into the service than Tempo tells of, so their "
                "first may be missing; raise its query_frontend.search.max_spans_per_span_set"
            )
        return ""


def _question(search: Search, piece: Slice, traces: int) -> Question:
    told = {
        "q": search.query,
        "limit": str(traces),
        "spss": str(_SPANS),
        "start": str(piece.begin // SECOND),
        "end": str(piece.end // SECOND),
    }
    return Question("/api/search", told)


def _remedy(said: str) -> str:
    if "page not found" in said:
        return "set url to Tempo's address, its http_api_prefix included"
    return ""
