"""
Spans in, traces out.

Spans are told apart by their resource alone, never by name or route: the request that a canary no longer
knows has no route. What a source delivers twice counts once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from firedamp.tracing.sampling import probability
from firedamp.tracing.spans import Kind, Span
from firedamp.tracing.traces import Call, Root, Sought, Trace, Visit

_CALLS = (Kind.CLIENT, Kind.PRODUCER)


def joined(spans: Iterable[Span], sought: Sought) -> list[Trace]:
    """
    The traces that spans make, in the order of their starts.

    Args:
        spans: of any number of traces, in any order.
        sought: the service under release, and the roots of its flows.
    """
    found: dict[str, dict[str, Span]] = {}
    for span in spans:
        found.setdefault(span.trace_id, {})[span.span_id] = span
    traces = (_trace(each, sought) for each in found.values())
    return sorted(traces, key=lambda trace: (trace.start, trace.trace_id))


def _trace(spans: Mapping[str, Span], sought: Sought) -> Trace:
    ordered = sorted(spans.values(), key=lambda span: (span.start, span.span_id))
    root = _root(ordered, spans, sought)
    visits = _visits(ordered, spans, sought)
    return Trace(
        ordered[0].trace_id,
        root.start if root else ordered[0].start,
        Root(root.service, root.operation, root.name, root.seconds, root.failed, root.code) if root else None,
        tuple(_visit(span) for span in visits),
        tuple(_calls(ordered, visits, sought)),
        bool(visits) and _fails_below(visits[0], ordered),
        tuple(dict.fromkeys(link for span in ordered for link in span.links)),
        _probability(ordered),
    )


def _probability(ordered: Sequence[Span]) -> float | None:
    """Of the first span that tells; most of them have no state at all."""
    told = (probability(span.state) for span in ordered if span.state)
    return next((chance for chance in told if chance is not None), None)


def _fails_below(visit: Span, ordered: Sequence[Span]) -> bool:
    failed = any(span.failed and span is not visit for span in ordered)
    return failed and any(span.failed for span in _below(visit, ordered))


def _root(ordered: Sequence[Span], spans: Mapping[str, Span], sought: Sought) -> Span | None:
    """
    The span without a parent.

    Where somebody outside began the trace, a browser or another company, its parent is not known here: then
    the first span by which a flow's service was entered stands for it.
    """
    if whole := next((span for span in ordered if not span.parent_id), None):
        return whole
    services = {root.service for root in sought.roots}
    foreign = (span for span in ordered if span.enters and span.parent_id not in spans)
    return next((span for span in foreign if span.service in services), None)


def _visits(ordered: Sequence[Span], spans: Mapping[str, Span], sought: Sought) -> list[Span]:
    """In the order in which they were asked for, by their callers' clocks where those are known."""
    found = [span for span in ordered if span.enters and span.service in sought.services]
    return found if len(found) < 2 else sorted(found, key=lambda span: _asked(span, spans))


def _asked(visit: Span, spans: Mapping[str, Span]) -> float:
    call = spans.get(visit.parent_id)
    return call.start if call is not None and call.kind in _CALLS else visit.start


def _visit(span: Span) -> Visit:
    return Visit(span.start, span.seconds, span.operation, span.resource, span.failed, span.code)


def _calls(ordered: Sequence[Span], visits: Sequence[Span], sought: Sought) -> Iterator[Call]:
    made = [span for span in ordered if span.kind in _CALLS]
    answered = {visit.parent_id for visit in visits}
    heard = {span.parent_id for span in ordered if span.enters}
    for span in made:
        came = span.span_id in answered
        if came or (span.span_id not in heard and calls(span, sought.services)):
            yield Call(span.start, span.seconds, came, span.targets, span.address, span.failed, span.code)


def calls(span: Span, services: Sequence[str]) -> bool:
    """Whether a call is made to one of these services, by what the caller knows of its peer."""
    return any(_names(target, service) for target in span.targets for service in services)


def _names(target: str, service: str) -> bool:
    # A mesh writes outbound|80|v2|orders-canary.shop.svc.cluster.local, a program orders.shop or orders.
    host = target.rsplit("|", 1)[-1].split(".", 1)[0]
    return host in (service, f"{service}-canary", f"{service}-primary", f"{service}-stable")


def _below(visit: Span, ordered: Sequence[Span]) -> Iterator[Span]:
    """Every span that came of a visit; clocks of pods differ, so their order tells nothing."""
    children: dict[str, list[Span]] = {}
    for span in ordered:
        children.setdefault(span.parent_id, []).append(span)
    waiting, seen = [visit.span_id], {visit.span_id}
    while waiting:
        for span in children.get(waiting.pop(), ()):
            if span.span_id not in seen:
                seen.add(span.span_id)
                waiting.append(span.span_id)
                yield span
