"""
Open traces in bounded memory: packed spans by trace id, the oldest forgotten first.

A trace of a root and a visit takes some 250 bytes. There is a most of traces, of spans and of sorts of spans
(names that are different in every request make many); whichever is reached, the traces that came first make
room, and a window that loses some by it is told so. Traces are ordered by when their first span came, in
slots of five seconds: a window is looked for only where it can be.

Exact, in whatever order and however often spans come: roots, visits, calls, links, sampling, and failures
below a visit whose ancestry was sent (`Interest` says what is dropped). A failed span whose ancestry breaks
off before it reaches the visit or the root is approximate (`straying`).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct

from msgspec.structs import replace

from firedamp.tracing.intake.rows import Row
from firedamp.tracing.intake.sorts import Sorts
from firedamp.tracing.intake.straying import strays_below
from firedamp.tracing.intake.tallies import Tally
from firedamp.tracing.joining import joined
from firedamp.tracing.spans import Span
from firedamp.tracing.traces import Sought, Trace

_RECORD = Struct("<8s8sddI")
_MOST_SPANS = 64
_MOST_LINKS = 16
_SLOT_SECONDS = 5.0
#: One entry pod's clock may be wrong: the flows that it loses are of both versions alike.
_MOST_ELSEWHEN = 0.05
#: Within some milliseconds.
_FORGOTTEN_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Keeping:
    """
    How much is remembered, and for how long.

    Attributes:
        traces: at most so many, ≥ 1; with them at most eight times as many spans.
        seconds: a trace is forgotten so long after its first span came, and a root that began longer ago
            is refused.
        ahead_seconds: a root that began more than this after our own clock is refused.
    """

    traces: int = 200_000
    seconds: float = 1800.0
    ahead_seconds: float = 60.0

    @property
    def spans(self) -> int:
        return 8 * self.traces

    @property
    def sorts(self) -> int:
        return max(1000, self.traces // 10)


class Memory:
    """
    Traces that were sent to us.

    Args:
        keeping: how much is remembered.
        since: Unix seconds; what was sent earlier is not known.
    """

    def __init__(self, keeping: Keeping, since: float) -> None:
        self._keeping = keeping
        self._since = since
        self._traces: dict[bytes, bytes] = {}
        self._links: dict[bytes, dict[bytes, tuple[bytes, ...]]] = {}
        self._sorts = Sorts()
        self._slots: deque[tuple[float, deque[bytes]]] = deque()
        self._spans = 0
        self._asked_until = 0.0
        self.forgotten = Tally()
        self.cut = Tally()
        self.elsewhen = Tally()

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def spans(self) -> int:
        """How many are remembered."""
        return self._spans

    def add(self, rows: Iterable[Row], now: float) -> None:
        """Remember spans; those remembered already change nothing."""
        came = self._slot(now)
        for row in rows:
            self._add(row, came)
        self._make_room()

    def expire(self, now: float) -> None:
        """Forget what no release has use for any more; of very much, the rest next time."""
        oldest = now - self._keeping.seconds
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._slots or self._slots[0][0] + _SLOT_SECONDS >= oldest:
                break
            self._forget_oldest()
        for tally in (self.forgotten, self.cut, self.elsewhen):
            tally.forget(oldest - self._keeping.seconds)

    def ids(self, begin: float) -> list[bytes]:
        """Traces that may have begun at `begin` or later."""
        # Where a clock is ahead, spans come before they began.
        first = begin - self._keeping.ahead_seconds - _SLOT_SECONDS
        return [trace_id for came, ids in self._slots if came >= first for trace_id in ids]

    def trace(self, trace_id: bytes, sought: Sought, begin: float, end: float) -> Trace | None:
        """The trace of this id where it is remembered, sought, and began in [begin, end)."""
        packed = self._traces.get(trace_id, b"")
        if not any(begin <= start < end for _, _, start, _, _ in _RECORD.iter_unpack(packed)):
            return None
        spans = list(self._unpacked(trace_id, packed))
        trace = joined(spans, sought)[0]
        if not begin <= trace.start < end or not _is_sought(trace, sought):
            return None
        if not trace.failed_below and strays_below(trace, spans, sought):
            return replace(trace, failed_below=True)
        return trace

    def asked(self, end: float) -> None:
        """Everything that began before `end` has been told to somebody."""
        self._asked_until = max(self._asked_until, end)

    def unsettled(self) -> int:
        """Traces that began after every window asked for: what would be lost with this process."""
        return sum(
            all(start >= self._asked_until for _, _, start, _, _ in _RECORD.iter_unpack(packed))
            for packed in self._traces.values()
        )

    def doubt(self, begin: float, end: float, now: float) -> str:
        """Why the traces of [begin, end) may not be all; empty where they are."""
        return "; ".join(self._doubts(begin, end, now))

    def _doubts(self, begin: float, end: float, now: float) -> Iterator[str]:
        keeping = self._keeping
        if begin < self._since:
            yield f"the intake started {self._since - begin:.0f} s after the window began"
        if begin < now - keeping.seconds:
            yield f"traces are kept for {keeping.seconds:g} s, the window began {now - begin:.0f} s ago"
        if count := self.forgotten.between(begin, end):
            yield f"{count} traces made room for newer ones, {keeping.traces} is the most kept"
        if count := self.cut.between(begin, end):
            yield f"{count} spans were not kept, a trace has room for {_MOST_SPANS}"
        refused = self.elsewhen.between(begin, now + _SLOT_SECONDS)
        if refused and refused > _MOST_ELSEWHEN * len(self.ids(begin)):
            yield f"{refused} roots were refused since, their clocks are wrong"

    def _slot(self, now: float) -> deque[bytes]:
        if not self._slots or now >= self._slots[-1][0] + _SLOT_SECONDS:
            self._slots.append((now // _SLOT_SECONDS * _SLOT_SECONDS, deque()))
        return self._slots[-1][1]

    def _add(self, row: Row, came: deque[bytes]) -> None:
        trace_id = row.trace_id
        packed = self._traces.get(trace_id, b"")
        if not packed:
            came.append(trace_id)
        elif _holds(packed, row.span_id):
            return
        elif len(packed) >= _MOST_SPANS * _RECORD.size:
            self.cut.add(row.start)
            return
        number = self._sorts.used(row.sort)
        record = _RECORD.pack(row.span_id, row.parent_id, row.start, row.seconds, number)
        self._traces[trace_id] = packed + record
        self._spans += 1
        if row.links:
            self._links.setdefault(trace_id, {})[row.span_id] = row.links[:_MOST_LINKS]

    def _make_room(self) -> None:
        most = self._keeping
        while len(self._traces) > most.traces or self._spans > most.spans or len(self._sorts) > most.sorts:
            if (began := self._forget_oldest()) is not None:
                self.forgotten.add(began)

    def _forget_oldest(self) -> float | None:
        """Forget the trace that came first, or its slot where that is empty; returns when it began."""
        ids = self._slots[0][1]
        if ids:
            return self._remove(ids.popleft())
        self._slots.popleft()
        return None

    def _remove(self, trace_id: bytes) -> float:
        """Forget a trace; returns when it began."""
        self._links.pop(trace_id, None)
        began = float("inf")
        for _, _, start, _, number in _RECORD.iter_unpack(self._traces.pop(trace_id)):
            self._sorts.left(number)
            self._spans -= 1
            began = min(began, start)
        return began

    def _unpacked(self, trace_id: bytes, packed: bytes) -> Iterator[Span]:
        links = self._links.get(trace_id, {})
        for span_id, parent_id, start, seconds, number in _RECORD.iter_unpack(packed):
            sort = self._sorts[number]
            yield Row(trace_id, span_id, parent_id, start, seconds, sort, links.get(span_id, ())).span()


def _holds(packed: bytes, span_id: bytes) -> bool:
    at = packed.find(span_id)
    while at > 0 and at % _RECORD.size:
        at = packed.find(span_id, at + 1)
    return at >= 0


def _is_sought(trace: Trace, sought: Sought) -> bool:
    """Of one of the flows; through the service where there are no flows or the root is still to come."""
    if trace.is_elsewhere:
        return False
    if trace.root is not None and sought.roots:
        return any(trace.root.is_of(flow) for flow in sought.roots)
    return bool(trace.visits or trace.calls)
