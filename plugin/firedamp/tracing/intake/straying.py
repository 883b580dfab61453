"""
Failures whose way up to the visit was not sent.

A collector that forwards roots, entry spans and errors leaves out the spans between. A failed span whose
parents break off before a visit or the root counts as below the first visit, when it began no earlier than
that visit, is no visit itself and does not belong to a service where flows begin. This may take in a failure
in a sibling's branch, and may miss one on a node whose clock is behind; in both cohorts alike.
"""

from collections.abc import Mapping, Sequence

from firedamp.tracing.spans import Span
from firedamp.tracing.traces import Sought, Trace


def strays_below(trace: Trace, spans: Sequence[Span], sought: Sought) -> bool:
    """Whether a failed span of unknown ancestry is taken for one below the first visit."""
    if not trace.visits:
        return False
    held = {span.span_id: span for span in spans}
    visit = min(
        (span for span in spans if _visits(span, sought)), key=lambda span: (span.start, span.span_id)
    )
    above = {root.service for root in sought.roots} | ({trace.root.service} if trace.root else set())
    around = set(_way_up(visit, held))
    return any(
        span.start >= visit.start
        and span.service not in above
        and around.isdisjoint(_way_up(span, held))
        and _breaks_off(span, held)
        for span in spans
        if span.failed and not _visits(span, sought)
    )


def _visits(span: Span, sought: Sought) -> bool:
    return span.enters and span.service in sought.services


def _breaks_off(span: Span, held: Mapping[str, Span]) -> bool:
    top = held[_way_up(span, held)[-1]]
    return bool(top.parent_id) and top.parent_id not in held


def _way_up(span: Span, held: Mapping[str, Span]) -> list[str]:
    """Ids from a span to the last ancestor that is held, each once."""
    ids = {span.span_id: None}
    while (span := held.get(span.parent_id, span)).span_id not in ids:
        ids[span.span_id] = None
    return list(ids)
