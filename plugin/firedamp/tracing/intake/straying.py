"""
Failures whose way up to the visit was not sent.

A collector that forwards roots, entry spans and errors leaves out the spans between. A failed span whose
parents break off before the visit or the root counts as below the first visit, when it began no earlier than
that visit, and its way up, itself included, meets no visit and no service where flows begin. This may take in
a failure in a sibling's branch, and may miss one on a node whose clock is behind; in both cohorts alike.
"""

from collections.abc import Mapping, Sequence

from firedamp.tracing.spans import Span
from firedamp.tracing.traces import Sought, Trace


def strays_below(trace: Trace, spans: Sequence[Span], sought: Sought) -> bool:
    """Whether a failed span of unknown ancestry is taken for one below the first visit."""
    visits = [span for span in spans if span.enters and sought.has_entered(span.service, span.resource)]
    if not visits:
        return False
    held = {span.span_id: span for span in spans}
    first = min(visits, key=lambda span: (span.start, span.span_id))
    tops = {root.service for root in sought.roots} | ({trace.root.service} if trace.root else set())
    known = {span.span_id for span in spans if span.service in tops}
    known |= {span.span_id for span in (*visits, *_way_up(first, held))}
    return any(
        span.failed and span.start >= first.start and _strays(_way_up(span, held), held, known)
        for span in spans
    )


def _strays(way: Sequence[Span], held: Mapping[str, Span], known: set[str]) -> bool:
    """Whether a way up breaks off before it meets a span whose place is known."""
    top = way[-1].parent_id
    return bool(top) and top not in held and known.isdisjoint(span.span_id for span in way)


def _way_up(span: Span, held: Mapping[str, Span]) -> list[Span]:
    """From a span to the last ancestor that is held, each once."""
    way = {span.span_id: span}
    while (span := held.get(span.parent_id, span)).span_id not in way:
        way[span.span_id] = span
    return list(way.values())
