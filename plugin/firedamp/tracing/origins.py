"""
Flows that go on from others: one writes a message, and whoever reads it begins a trace of its own.

All that such a trace tells of the service under release is a link to the trace in which the message was
written. It belongs to the version that wrote it, so its place is that of the first link that is known: which
message of a batch comes first does not depend on how many there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from firedamp.tracing.arms import Place
from firedamp.tracing.traces import Trace

#: So many traces are remembered, those met last.
MOST = 10_000

#: A trace, and where it belongs; None where nothing tells.
Placed = tuple[Trace, Place | None]


@dataclass(frozen=True, slots=True)
class Origins:
    """
    Where traces belong that others may go on from.

    Attributes:
        known: by trace id, those met last at the end.
    """

    known: Mapping[str, Place] = field(default_factory=dict)

    def met(self, placed: Iterable[Placed]) -> "Origins":
        """With more traces, placed by whom they met."""
        known = dict(self.known)
        known.update((trace.trace_id, place) for trace, place in placed if place is not None)
        return Origins(dict(islice(known.items(), max(0, len(known) - MOST), None)))

    def following(self, traces: Iterable[Trace]) -> list[Placed]:
        """Those of these traces that go on from one that is known, and where they belong by that."""
        return [(trace, place) for trace in traces if (place := self._of(trace)) is not None]

    def _of(self, trace: Trace) -> Place | None:
        return next((self.known[link] for link in trace.links if link in self.known), None)
