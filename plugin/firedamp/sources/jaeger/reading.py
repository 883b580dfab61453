"""
What one search brought: the traces that are wanted of it, and whether it may have been cut.

Stores differ in where they cut. In memory and in Elasticsearch so many traces are found; Cassandra reads
three rows for each trace asked for, a row being a span that matches, so many matching spans are a cut too.

Source: Jaeger 1.76, internal/storage/v1/cassandra/spanstore/reader.go:60 (limitMultiple).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from firedamp.queries import Operation
from firedamp.sources._reading import Wanted
from firedamp.sources._slicing import SECOND, Slice
from firedamp.sources.jaeger.naming import Search
from firedamp.tracing import AnySpan, Trace, joined

_ROWS_PER_TRACE = 3


@dataclass(frozen=True, slots=True)
class Page:
    """
    An answer, read.

    Attributes:
        traces: how many it has.
        cut: there may be more.
        found: those that are wanted.
        astray: some were found by another span than their root, so others may not be.
    """

    traces: int
    cut: bool
    found: Sequence[Trace]
    astray: bool


@dataclass(slots=True)
class Haul:
    """What all searches of one question brought together, each trace once."""

    wanted: Wanted
    cut: int = 0
    bytes_read: int = 0
    found: dict[str, Trace] = field(default_factory=dict)
    astray: set[Search] = field(default_factory=set)

    def add(self, search: Search, page: Page) -> None:
        self.cut += page.cut
        if page.astray:
            self.astray.add(search)
        for trace in page.found:
            known = self.found.get(trace.trace_id)
            if known is None or _told(known) <= _told(trace):
                self.found[trace.trace_id] = trace

    def traces(self) -> list[Trace]:
        return sorted(self.found.values(), key=lambda trace: (trace.start, trace.trace_id))


def _told(trace: Trace) -> tuple[bool, int]:
    """A trace may grow between two searches."""
    return trace.root is not None, len(trace.visits) + len(trace.calls)


def read(spans: Iterable[AnySpan], search: Search, piece: Slice, asked: int, wanted: Wanted) -> Page:
    """
    Join an answer's spans; every trace in it is whole.

    The answer is that to a search within a slice for so many traces.
    """
    every = list(spans)
    traces = joined(every, wanted.sought)
    rows = _ROWS_PER_TRACE * asked
    cut = len(traces) >= asked or (len(every) >= rows and _matching(every, search, piece) >= rows)
    found = [trace for trace in traces if wanted.has(trace)]
    return Page(
        len(traces), cut, found, astray=bool(search.name) and any(_strays(one, search) for one in found)
    )


def _matching(spans: Iterable[AnySpan], search: Search, piece: Slice) -> int:
    """For how many of these spans their traces were found."""
    service, name = search.service, search.name
    named = (span.start for span in spans if span.service == service and name in ("", span.name))
    return sum(piece.begin <= start * SECOND <= piece.end for start in named)


def _strays(trace: Trace, search: Search) -> bool:
    flow, root = Operation(search.service, search.name), trace.root
    return root is not None and root.is_of(flow) and root.name != flow.operation
