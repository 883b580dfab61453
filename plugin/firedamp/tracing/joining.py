"""
Spans in, traces out.

Spans are told apart by their resource alone, never by name or route: the request that a canary no longer
knows has no route. What a source delivers twice counts once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from firedamp.tracing.sampling import probability
from firedamp.tracing.spans import CALLING, ENTERING, AnySpan
from firedamp.tracing.traces import Call, Root, Sought, Trace, Visit

#: Spans of one trace by their ids.
_Spans = Mapping[str, AnySpan]


def joined(spans: Iterable[AnySpan], sought: Sought) -> list[Trace]:
    """
    The traces that spans make, in the order of their starts.

    Args:
        spans: of any number of traces, in any order.
        sought: the service under release, and the roots of its flows.
    """
    found: dict[str, dict[str, AnySpan]] = {}
    for span in spans:
        found.setdefault(span.trace_id, {})[span.span_id] = span
    traces = [_trace(trace_id, each, sought) for trace_id, each in found.items()]
    traces.sort(key=lambda trace: (trace.start, trace.trace_id))
    return traces


def _trace(trace_id: str, spans: _Spans, sought: Sought) -> Trace:
    every = spans.values()
    entries = [span for span in every if span.kind in ENTERING]
    root = _root(spans, entries, sought)
    visits = _visits(entries, spans, sought)
    return Trace(
        trace_id,
        root.start if root else min([span.start for span in every]),
        Root(root.service, root.operation, root.name, root.seconds, root.failed, root.code) if root else None,
        tuple([_visit(span) for span in visits]),
        tuple(_calls(spans, entries, visits, sought)),
        bool(visits) and _fails_below(visits[0], every),
        _links(every),
        _probability(every),
        not visits and any(span.service in sought.services for span in entries),
    )


def _in_order(spans: Sequence[AnySpan]) -> Sequence[AnySpan]:
    """By their starts; most are alone."""
    return spans if len(spans) < 2 else sorted(spans, key=lambda span: (span.start, span.span_id))


def _links(every: Collection[AnySpan]) -> tuple[str, ...]:
    linking = _in_order([span for span in every if span.links])
    return tuple(dict.fromkeys([link for span in linking for link in span.links]))


def _probability(every: Collection[AnySpan]) -> float | None:
    """Of the first span that tells; most of them have no state at all."""
    told = (probability(span.state) for span in _in_order([span for span in every if span.state]))
    return next((chance for chance in told if chance is not None), None)


def _fails_below(visit: AnySpan, every: Collection[AnySpan]) -> bool:
    failed = [span for span in every if span.failed and span is not visit]
    return bool(failed) and any(span.failed for span in _below(visit, every))


def _root(spans: _Spans, entries: Sequence[AnySpan], sought: Sought) -> AnySpan | None:
    """
    The span without a parent.

    Where somebody outside began the trace, a browser or another company, its parent is not known here: then
    the first span by which a flow's service was entered stands for it.
    """
    found = [span for span in spans.values() if not span.parent_id]
    if not found:
        services = {root.service for root in sought.roots}
        found = [span for span in entries if span.service in services and span.parent_id not in spans]
    return next(iter(_in_order(found)), None)


def _visits(entries: Sequence[AnySpan], spans: _Spans, sought: Sought) -> Sequence[AnySpan]:
    """In the order in which they were asked for, by their callers' clocks where those are known."""
    found = _in_order([span for span in entries if sought.has_entered(span.service, span.resource)])
    return found if len(found) < 2 else sorted(found, key=lambda span: _asked(span, spans))


def _asked(visit: AnySpan, spans: _Spans) -> float:
    call = spans.get(visit.parent_id)
    return call.start if call is not None and call.kind in CALLING else visit.start


def _visit(span: AnySpan) -> Visit:
    return Visit(span.start, span.seconds, span.operation, span.resource, span.failed, span.code)


def _calls(
    spans: _Spans, entries: Sequence[AnySpan], visits: Sequence[AnySpan], sought: Sought
) -> Iterator[Call]:
    answered, heard = {visit.parent_id for visit in visits}, {span.parent_id for span in entries}
    made = [
        span
        for span_id, span in spans.items()
        if span.kind in CALLING
        and (span_id in answered or (span_id not in heard and calls(span, sought.services)))
    ]
    for span in _in_order(made):
        came = span.span_id in answered
        yield Call(span.start, span.seconds, came, span.targets, span.address, span.failed, span.code)


def calls(span: AnySpan, services: Collection[str]) -> bool:
    """Whether a call is made to one of these services, by what the caller knows of its peer."""
    return any(_names(target, service) for target in span.targets for service in services)


def _names(target: str, service: str) -> bool:
    # A mesh writes outbound|80|v2|orders-canary.shop.svc.cluster.local, a program orders.shop or orders.
    host = target.rsplit("|", 1)[-1].split(".", 1)[0]
    return host in (service, f"{service}-canary", f"{service}-primary", f"{service}-stable")


def _below(visit: AnySpan, every: Collection[AnySpan]) -> Iterator[AnySpan]:
    """Every span that came of a visit; clocks of pods differ, so their order tells nothing."""
    children: dict[str, list[AnySpan]] = {}
    for span in every:
        children.setdefault(span.parent_id, []).append(span)
    waiting, seen = [visit.span_id], {visit.span_id}
    while waiting:
        for span in children.get(waiting.pop(), ()):
            if span.span_id not in seen:
                seen.add(span.span_id)
                waiting.append(span.span_id)
                yield span
