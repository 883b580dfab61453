"""
Traces counted: a row per pod, block and check, as counters make them.

A trace is counted once, in the block in which it has settled: as long after its start as the settings give
it to grow. What arrives later is too late, and belongs to no block any more.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from firedamp.model import Arm, Block, Row, Slice, Trouble, TroubleKind
from firedamp.queries import THINNED, Measure, Traced
from firedamp.tracing.arms import BESIDE, UNANSWERED, Cohorts
from firedamp.tracing.origins import Origins, Placed
from firedamp.tracing.spans import Attributes
from firedamp.tracing.traces import Call, Root, Trace, Visit
from firedamp.tracing.weighing import too_few, weighed

#: Upper bounds of durations in seconds: four to each doubling, from a millisecond to two minutes.
BOUNDS = (*(0.001 * 2 ** (step / 4) for step in range(69)), math.inf)
#: So many failing traces of the canary are kept as evidence.
EXAMPLES = 10
_SECONDS = (Measure.FLOW_SECONDS, Measure.SERVICE_SECONDS, Measure.CALLER_SECONDS)
_COLUMNS = {
    Measure.OUTCOME: 2,
    Measure.BELOW: 2,
    Measure.BESIDE: 2,
    Measure.OPERATIONS: 3,
    **dict.fromkeys(_SECONDS, len(BOUNDS)),
}
_FAILURES = frozenset((Measure.OUTCOME, Measure.BELOW, Measure.BESIDE))
_NO_CALLERS = Trouble(
    TroubleKind.UNTOLD,
    "whoever calls the service emits no client spans, so nothing tells what callers waited",
)
#: Columns that a trace counts in: (failed, all).
_FAILED, _WELL = (0, 1), (1,)


@dataclass(frozen=True, slots=True)
class Carried:
    """
    What counting carries from block to block.

    Attributes:
        units: by check, what its failures stood for when they were last seen (`weighing.Weighed`).
        origins: where traces belong that linked flows may go on from.
    """

    units: Mapping[str, float] = field(default_factory=dict)
    origins: Origins = field(default_factory=Origins)


@dataclass(frozen=True, slots=True)
class Settled:
    """
    Traces of a release, and how they are told apart.

    Attributes:
        traces: each once.
        cohorts: of the release.
        settle_seconds: how long a trace may grow.
        pods: attributes of pods by their addresses (`arms.addresses`).
        carried: from earlier blocks.
    """

    traces: Sequence[Trace]
    cohorts: Cohorts
    settle_seconds: float
    pods: Mapping[str, Attributes] = field(default_factory=dict)
    carried: Carried = field(default_factory=Carried)

    def slices(
        self, wanted: Mapping[str, Traced], blocks: Sequence[Block]
    ) -> tuple[list[dict[str, Slice]], Carried]:
        """What each check asked for, block by block; and what is carried on."""
        units, origins, found = dict(self.carried.units), self.carried.origins, []
        linked = any(one.linked for one in wanted.values())
        for traces in self.by_block(blocks):
            placed = [(trace, self.cohorts.of(trace, self.pods)) for trace in traces]
            origins = origins.met(placed) if linked else origins
            following = origins.following(traces) if linked else []
            pieces = {}
            for name, one in wanted.items():
                flows = following if one.linked else placed
                pieces[name], unit = _slice(flows, one, self.cohorts, units.get(name))
                if unit is not None:
                    units[name] = unit
            found.append(pieces)
        return found, Carried(units, origins)

    def by_block(self, blocks: Sequence[Block]) -> list[list[Trace]]:
        """The traces that settled in each block, open at its start and closed at its end."""
        ends = [block.end for block in blocks]
        found: list[list[Trace]] = [[] for _ in blocks]
        for trace in self.traces:
            settled = trace.start + self.settle_seconds
            at = bisect_left(ends, settled)
            if at < len(blocks) and blocks[at].start < settled:
                found[at].append(trace)
        return found


@dataclass(frozen=True, slots=True)
class _Tally:
    """What one trace counts: in which row, in which columns; nobody knows of which arm where that is None."""

    trace: Trace
    arm: Arm | None
    key: str
    columns: tuple[int, ...]


def _slice(
    placed: Sequence[Placed], wanted: Traced, cohorts: Cohorts, unit: float | None
) -> tuple[Slice, float | None]:
    tallies = list(_tallies(placed, wanted, cohorts))
    if not tallies and _is_untold(placed, wanted):
        return Slice(troubles=(_NO_CALLERS,)), unit
    rests = wanted.measure in _FAILURES
    failed = [rests and one.columns == _FAILED for one in tallies]
    found = weighed([one.trace.probability for one in tallies], failed, unit)
    if isinstance(found, Trouble):
        return Slice(troubles=(found,)), unit
    counts = [
        weight * THINNED if wanted.thinned and one.columns == _WELL else weight
        for one, weight in zip(tallies, found.weights, strict=True)
    ]
    others = [at for at, one in enumerate(tallies) if one.arm is not Arm.CANARY and not wanted.thinned]
    if (trouble := too_few([counts[at] for at in others], [failed[at] for at in others])) is not None:
        return Slice(troubles=(trouble,)), found.unit
    piece = Slice(
        _rows(tallies, counts, _COLUMNS[wanted.measure]),
        BOUNDS if wanted.measure in _SECONDS else (),
        unlabelled=sum(count for one, count in zip(tallies, counts, strict=True) if one.arm is None),
        examples=_examples(tallies, wanted.measure),
        mixed=0
        if wanted.linked or wanted.root is None
        else sum(cohorts.is_mixed(one.trace) for one in tallies),
    )
    return piece, found.unit


def _is_untold(placed: Sequence[Placed], wanted: Traced) -> bool:
    """Flows reached the service, and of none its caller tells."""
    return wanted.measure is Measure.CALLER_SECONDS and any(
        trace.visits and trace.root is not None and (wanted.root is None or trace.root.is_of(wanted.root))
        for trace, _ in placed
    )


def _rows(tallies: Sequence[_Tally], counts: Sequence[float], columns: int) -> dict[Arm, dict[str, Row]]:
    rows: dict[Arm, dict[str, list[float]]] = {}
    for one, count in zip(tallies, counts, strict=True):
        if one.arm is not None:
            row = rows.setdefault(one.arm, {}).setdefault(one.key, [0.0] * columns)
            for column in one.columns:
                row[column] += count
    return {arm: _shared(pods) for arm, pods in rows.items()}


def _shared(pods: dict[str, list[float]]) -> dict[str, Row]:
    """What nobody answered belongs to all pods of the arm alike, or it would look like the fault of one."""
    lost = pods.pop(UNANSWERED, None)
    if lost is not None and not pods:
        return {UNANSWERED: tuple(lost)}
    part = [count / len(pods) for count in lost] if lost else None
    return {
        pod: tuple(map(sum, zip(row, part, strict=True))) if part else tuple(row) for pod, row in pods.items()
    }


def _tallies(placed: Iterable[Placed], wanted: Traced, cohorts: Cohorts) -> Iterator[_Tally]:
    for trace, place in placed:
        if wanted.measure is Measure.OPERATIONS:
            yield from _visited(trace, cohorts)
        elif (columns := _told(trace, wanted)) is None:
            continue
        elif wanted.measure is Measure.BESIDE:
            if cohorts.is_beside(trace, place):
                yield _Tally(trace, *BESIDE, columns)
        elif place is not None:
            yield _Tally(trace, *place, columns)
        elif trace.visits or trace.calls:
            # Some flows do well without the service; this one asked for it.
            yield _Tally(trace, None, "", columns)


def _visited(trace: Trace, cohorts: Cohorts) -> Iterator[_Tally]:
    """Each visit for itself: whoever was asked, was asked for this."""
    root = trace.root
    tainted = trace.failed_below or (root is not None and _breaks(root))
    for visit in trace.visits:
        if (arm := cohorts.arm(visit.resource)) is not None:
            own = _outcome(_breaks(visit))
            yield _Tally(trace, arm, visit.operation, (*own, 2) if tainted or own == _FAILED else own)


def _breaks(span: Root | Visit) -> bool:
    """What any sampler takes for a failure."""
    return span.failed or span.code.startswith("5")


def _examples(tallies: Iterable[_Tally], measure: Measure) -> tuple[str, ...]:
    """Failing traces of whom is judged, or the slowest."""
    judged = BESIDE[0] if measure is Measure.BESIDE else Arm.CANARY
    of_them = (one for one in tallies if one.arm is judged)
    if measure in _SECONDS:
        shown = sorted(of_them, key=lambda one: one.columns, reverse=True)
    else:
        shown = [one for one in of_them if one.columns == _FAILED]
    return tuple(one.trace.trace_id for one in shown[:EXAMPLES])


def _told(trace: Trace, wanted: Traced) -> tuple[int, ...] | None:
    """The columns that a trace counts in; None where it tells nothing of what is wanted."""
    root = trace.root
    if wanted.root is not None and (root is None or not root.is_of(wanted.root)):
        return None
    match wanted.measure:
        case Measure.OUTCOME | Measure.BESIDE:
            return None if root is None else _outcome(fails(root, wanted.failures))
        case Measure.BELOW:
            return _outcome(trace.failed_below)
        case _:
            seconds = _seconds(trace, wanted.measure)
            too_many = wanted.thinned and (root is None or trace.failed_below or _breaks(root))
            return None if seconds is None or too_many else (bisect_left(BOUNDS, seconds),)


def _outcome(failed: bool) -> tuple[int, ...]:
    return _FAILED if failed else _WELL


def _seconds(trace: Trace, measure: Measure) -> float | None:
    timed: Root | Visit | Call | None = trace.root
    if measure is Measure.SERVICE_SECONDS:
        timed = next(iter(trace.visits), None)
    elif measure is Measure.CALLER_SECONDS:
        timed = next(iter(trace.calls), None)
    return None if timed is None else timed.seconds


def fails(root: Root, failures: Iterable[str]) -> bool:
    """Whether a flow's end is a failure: "error" is the span's status, "5xx" a class of codes, "404" one."""
    code = root.code
    family = f"{code[0]}xx" if len(code) == 3 and code.isdecimal() else ""
    known = {code, family, "error"} if root.failed else {code, family}
    return not known.isdisjoint(failures)
