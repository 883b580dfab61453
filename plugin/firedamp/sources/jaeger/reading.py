"""
What one search brought: the traces that are wanted of it, and whether it may have been cut.

Stores differ in where they cut. In memory and in Elasticsearch so many traces are found; Cassandra reads
three rows for each trace asked for, a row being a span that matches, so many matching spans are a cut too.

Source: Jaeger 1.76, internal/storage/v1/cassandra/spanstore/reader.go:60 (limitMultiple).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from firedamp.queries import Operation
from firedamp.sources._reading import Wanted
from firedamp.sources._slicing import SECOND, Slice
from firedamp.sources.jaeger.naming import Search
from firedamp.tracing import Span, Trace, joined

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


def read(spans: Iterable[Span], search: Search, piece: Slice, asked: int, wanted: Wanted) -> Page:
    """
    Join an answer's spans; every trace in it is whole.

    The answer is that to a search within a slice for so many traces.
    """
    matching = 0

    def counted() -> Iterator[Span]:
        nonlocal matching
        for span in spans:
            matching += _matches(span, search, piece)
            yield span

    traces = joined(counted(), wanted.sought)
    cut = len(traces) >= asked or matching >= _ROWS_PER_TRACE * asked
    found = [trace for trace in traces if wanted.has(trace)]
    return Page(
        len(traces), cut, found, astray=bool(search.name) and any(_strays(one, search) for one in found)
    )


def _matches(span: Span, search: Search, piece: Slice) -> bool:
    """Whether it is for this span that a trace was found."""
    if span.service != search.service or (search.name and span.name != search.name):
        return False
    return piece.begin <= span.start * SECOND <= piece.end


def _strays(trace: Trace, search: Search) -> bool:
    flow, root = Operation(search.service, search.name), trace.root
    return root is not None and root.is_of(flow) and root.name != flow.operation
