"""
Traces out of the spans that several searches found.

A trace is known by what was searched for alone: its root, its entries into the service, calls to it, failures
below it. What lies between is not there, so a failure whose parent is unknown is put below the last entry
that began before it; and a parent that is unknown makes no root, where Tempo knows another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from firedamp.queries import Operation
from firedamp.sources._reading import Wanted
from firedamp.sources.tempo.reading import Page
from firedamp.sources.tempo.traceql import Role
from firedamp.tracing import Span, Trace, joined


@dataclass(slots=True)
class Haul:
    """What all searches of one question brought together, each span once."""

    wanted: Wanted
    cut: int = 0
    crowded: int = 0
    bytes_read: int = 0
    named: dict[str, Operation] = field(default_factory=dict)
    _found: dict[Role, dict[str, dict[str, Span]]] = field(
        default_factory=lambda: {role: {} for role in Role}
    )

    def add(self, role: Role, page: Page) -> None:
        self.cut += page.cut
        # Of very many entries the first may be missing; of the others, some are as good as all.
        self.crowded += page.crowded if role is Role.ENTRY else 0
        self.named |= page.named
        found = self._found[role]
        for span in page.spans:
            found.setdefault(span.trace_id, {})[span.span_id] = span

    def traces(self) -> list[Trace]:
        """Those that are wanted, by their starts."""
        sought = self.wanted.sought
        rooted: list[Span] = []
        begun_elsewhere: list[Span] = []
        for trace_id in self._ids():
            spans = self._spans(trace_id)
            known = trace_id in self.named or not all(span.parent_id for span in spans)
            (rooted if known else begun_elsewhere).extend(spans)
        traces = (*joined(rooted, replace(sought, roots=())), *joined(begun_elsewhere, sought))
        found = (trace for trace in traces if self.wanted.has(trace))
        return sorted(found, key=lambda trace: (trace.start, trace.trace_id))

    def _ids(self) -> dict[str, None]:
        """Flows by their roots; without flows, all that the service was in or called by."""
        roles = (Role.ROOT,) if self.wanted.sought.roots else (Role.ENTRY, Role.CALL)
        return {trace_id: None for role in roles for trace_id in self._found[role]}

    def _spans(self, trace_id: str) -> list[Span]:
        of = {role: self._found[role].get(trace_id, {}) for role in Role}
        entries, failures = of[Role.ENTRY], of[Role.FAILURE]
        below = {span.span_id: span for span in _below(failures, entries)}
        return list((below | of[Role.CALL] | of[Role.ROOT] | entries).values())


def _below(failures: Mapping[str, Span], entries: Mapping[str, Span]) -> Iterator[Span]:
    """Failures where the service was entered, each with a parent that is known."""
    ordered = sorted(entries.values(), key=lambda span: (span.start, span.span_id))
    for span in failures.values() if ordered else ():
        if span.parent_id in failures or span.parent_id in entries:
            yield span
        else:
            yield replace(span, parent_id=_entry_before(span, ordered).span_id)


def _entry_before(span: Span, ordered: Sequence[Span]) -> Span:
    return next((entry for entry in reversed(ordered) if entry.start <= span.start), ordered[0])
