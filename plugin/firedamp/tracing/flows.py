"""
Traces counted: a row per pod, block and check, as counters make them.

A trace is counted once, in the block in which it has settled: as long after its start as the settings give
it to grow. What arrives later is too late, and belongs to no block any more.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from firedamp.model import Arm, Block, Slice
from firedamp.queries import Measure, Traced
from firedamp.tracing.arms import Cohorts, Place, addresses
from firedamp.tracing.spans import Attributes
from firedamp.tracing.traces import Call, Root, Trace, Visit

#: Upper bounds of durations in seconds: four to each doubling, from a millisecond to two minutes.
BOUNDS = (*(0.001 * 2 ** (step / 4) for step in range(69)), math.inf)
#: So many failing traces of the canary are kept as evidence.
EXAMPLES = 10
_SECONDS = (Measure.FLOW_SECONDS, Measure.SERVICE_SECONDS, Measure.CALLER_SECONDS)
_COLUMNS = {
    Measure.OUTCOME: 2,
    Measure.BELOW: 2,
    Measure.OPERATIONS: 1,
    **dict.fromkeys(_SECONDS, len(BOUNDS)),
}
#: Columns that a trace counts in: (failed, all).
_FAILED, _WELL = (0, 1), (1,)


@dataclass(frozen=True, slots=True)
class Settled:
    """
    Traces of a release, and how they are told apart.

    Attributes:
        traces: each once.
        cohorts: of the release.
        settle_seconds: how long a trace may grow.
        pods: attributes of pods by their addresses, where the traces themselves do not tell.
    """

    traces: Sequence[Trace]
    cohorts: Cohorts
    settle_seconds: float
    pods: Mapping[str, Attributes] = field(default_factory=dict)

    def slices(self, wanted: Mapping[str, Traced], blocks: Sequence[Block]) -> list[dict[str, Slice]]:
        """What each check asked for, block by block."""
        pods = {**addresses(self.traces), **self.pods}
        placed = [(trace, self.cohorts.of(trace, pods)) for trace in self.traces]
        sorted_in: list[list[tuple[Trace, Place | None]]] = [[] for _ in blocks]
        for trace, place in placed:
            if (at := _block(blocks, trace.start + self.settle_seconds)) is not None:
                sorted_in[at].append((trace, place))
        return [{name: _slice(each, one) for name, one in wanted.items()} for each in sorted_in]


def _block(blocks: Sequence[Block], settled: float) -> int | None:
    at = bisect_left([block.end for block in blocks], settled)
    return at if at < len(blocks) and blocks[at].start < settled else None


def _slice(placed: Iterable[tuple[Trace, Place | None]], wanted: Traced) -> Slice:
    rows: dict[Arm, dict[str, list[float]]] = {}
    canaries: list[tuple[tuple[int, ...], Trace]] = []
    unattributed = 0
    for trace, place in placed:
        if (told := _told(trace, wanted)) is None:
            continue
        if place is None:
            # Some flows do well without the service; these asked for it.
            unattributed += bool(trace.visits or trace.calls)
            continue
        arm, pod = place
        key = trace.visits[0].operation if wanted.measure is Measure.OPERATIONS else pod
        row = rows.setdefault(arm, {}).setdefault(key, [0.0] * _COLUMNS[wanted.measure])
        for column in told:
            row[column] += 1
        if arm is Arm.CANARY:
            canaries.append((told, trace))
    return Slice(
        {arm: {pod: tuple(row) for pod, row in pods.items()} for arm, pods in rows.items()},
        BOUNDS if wanted.measure in _SECONDS else (),
        unlabelled=float(unattributed),
        examples=_examples(canaries, wanted.measure),
    )


def _examples(canaries: Sequence[tuple[tuple[int, ...], Trace]], measure: Measure) -> tuple[str, ...]:
    """The canary's failing traces, or its slowest."""
    if measure in _SECONDS:
        shown = sorted(canaries, key=lambda one: one[0], reverse=True)
    else:
        shown = [one for one in canaries if one[0] == _FAILED]
    return tuple(trace.trace_id for _, trace in shown[:EXAMPLES])


def _told(trace: Trace, wanted: Traced) -> tuple[int, ...] | None:
    """The columns that a trace counts in; None where it tells nothing of what is wanted."""
    root = trace.root
    if wanted.root is not None and (root is None or not root.is_of(wanted.root)):
        return None
    match wanted.measure:
        case Measure.OUTCOME:
            return None if root is None else _outcome(fails(root, wanted.failures))
        case Measure.BELOW:
            return _outcome(trace.failed_below)
        case Measure.OPERATIONS:
            return (0,) if trace.visits else None
        case _:
            seconds = _seconds(trace, wanted.measure)
            return None if seconds is None else (bisect_left(BOUNDS, seconds),)


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
