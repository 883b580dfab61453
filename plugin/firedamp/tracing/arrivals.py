"""
How traces arrive: whether they are whole when they are counted.

A trace is counted once, when it has settled. Whether it had is seen by asking for its block again two minutes
later: traces that are new by then, or tell something else, came late. And a cohort whose traces lose their
roots more often than the other's loses its failures with them. Too much of either, lately, and flows are not
judged: neither what is missing nor what is left can be compared.

Of each block some hundred traces are looked at, chosen by their ids, so that the cost of a look does not grow
with traffic, nor with the age of its release.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from firedamp import words
from firedamp.cohorts import comparison_arm
from firedamp.model import Arm, Block
from firedamp.tracing.arms import Cohorts, addresses
from firedamp.tracing.traces import Trace
from firedamp.units import spoken_duration

#: A block is asked for again so long after it was counted, at the soonest.
AGAIN_SECONDS = 120.0
#: Largest share of an arm's traces that may come late, and number of them that proves nothing.
MOST_LATE, FEW_LATE = 0.05, 5
#: The arms' shares of traces without a root may differ by so much, and by so many standard errors.
MOST_ROOTLESS, BEYOND_CHANCE = 0.05, 4.0
_BLOCKS = 20
_SAMPLE = 400
#: So many blocks wait to be asked for again, where a slow source leaves no time for it.
_WAITING = 20
_SPACING_SECONDS = 15.0
_ID_DIGITS = 6

#: By arm: how many of how many.
Tally = Mapping[Arm, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """
    Traces of a block as they were when it was counted.

    Attributes:
        part: one in so many is remembered.
        known: of those, what each told.
    """

    block: Block
    part: int
    known: frozenset[int]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """
    What was seen of a release's traces lately.

    Attributes:
        counted: blocks that may be asked for again, oldest first.
        late: by block asked for again, the newest last: which traces came late.
        rootless: by block, the newest last: which visits have no root.
        by_seconds: how long after they were counted it was asked again, at the most.
    """

    counted: tuple[Counted, ...] = ()
    late: tuple[Tally, ...] = ()
    rootless: tuple[Tally, ...] = ()
    by_seconds: float = 0.0

    def ripe(self, now: Block) -> Counted | None:
        """The block to ask for again while this one is looked at: the newest that is old enough."""
        old = (one for one in reversed(self.counted) if now.end - one.block.end >= AGAIN_SECONDS)
        return next(old, None)

    def count(self, block: Block, traces: Sequence[Trace], cohorts: Cohorts) -> "Arrivals":
        """After one more block was counted with these traces, which are all of it."""
        part = max(1, len(traces) // _SAMPLE)
        some = _some(traces, part)
        visited = ((cohorts.arm(one.visits[0].resource), one.root is None) for one in some if one.visits)
        rootless = (*self.rootless, _tally(visited))[-_BLOCKS:]
        spaced = not self.counted or block.end - self.counted[-1].block.end >= _SPACING_SECONDS
        now = Counted(block, part, frozenset(map(_told, some)))
        return replace(
            self, counted=(*self.counted, now)[-_WAITING:] if spaced else self.counted, rootless=rootless
        )

    def again(self, asked: Counted, now: Block, traces: Sequence[Trace], cohorts: Cohorts) -> "Arrivals":
        """After a block was asked for again: these are its traces now."""
        pods = addresses(traces)
        placed = ((cohorts.of(one, pods), _told(one) not in asked.known) for one in _some(traces, asked.part))
        late = _tally((place[0] if place else None, is_late) for place, is_late in placed)
        return replace(
            self.passed(asked),
            late=(*self.late, late)[-_BLOCKS:],
            by_seconds=max(self.by_seconds, now.end - asked.block.end),
        )

    def passed(self, asked: Counted) -> "Arrivals":
        """Neither this block nor an older one is asked for again."""
        return replace(self, counted=tuple(one for one in self.counted if one.block.end > asked.block.end))

    def lateness(self, settle_seconds: float) -> str:
        """How many traces came late, and what to do; empty where few did."""
        found = [(late, seen, arm) for arm, (late, seen) in _summed(self.late).items() if late >= FEW_LATE]
        late, seen, arm = max(found, key=lambda one: one[0] / one[1], default=(0, 1, Arm.CANARY))
        if late <= MOST_LATE * seen:
            return ""
        by = spoken_duration(settle_seconds + self.by_seconds)
        return (
            f"{words.percent(late / seen)} of {_whose(arm)} traces were not whole when they were counted, "
            f"{spoken_duration(settle_seconds)} after they began (at most {words.percent(MOST_LATE)} may); "
            f"by {by} they were: set traces.settle to that, or have them sent sooner"
        )

    def losses(self, cohorts: Cohorts) -> str:
        """How unlike the arms lose the roots of their traces, and what to do; empty where they do not."""
        found, against = _summed(self.rootless), comparison_arm(cohorts.own)
        if against is None or not {against, Arm.CANARY} <= found.keys():
            return ""
        (mine, all_mine), (theirs, all_theirs) = found[against], found[Arm.CANARY]
        gap = abs(mine / all_mine - theirs / all_theirs)
        pooled = (mine + theirs) / (all_mine + all_theirs)
        error = math.sqrt(pooled * (1 - pooled) * (1 / all_mine + 1 / all_theirs))
        if gap <= max(MOST_ROOTLESS, BEYOND_CHANCE * error):
            return ""
        return (
            f"{words.percent(mine / all_mine)} of {_whose(against)} visits and "
            f"{words.percent(theirs / all_theirs)} of the canary's belong to traces without a root "
            f"(the shares may differ by {words.points(MOST_ROOTLESS)}); see whether both versions take the "
            "trace context over from their callers"
        )


def _some(traces: Sequence[Trace], part: int) -> list[Trace]:
    return [one for one in traces if part == 1 or not int(one.trace_id[-_ID_DIGITS:], 16) % part]


def _told(trace: Trace) -> int:
    """What is judged of a trace; what comes after its first visit may come when it likes."""
    visit, call = next(iter(trace.visits), None), next(iter(trace.calls), None)
    seen = visit and (visit.start, visit.failed), call and (call.start, call.answered)
    return hash((trace.trace_id, trace.root is None, trace.failed_below, *seen))


def _tally(told: Iterable[tuple[Arm | None, bool]]) -> Tally:
    found: dict[Arm, tuple[int, int]] = {}
    for arm, counts in told:
        if arm is not None:
            some, everything = found.get(arm, (0, 0))
            found[arm] = some + counts, everything + 1
    return found


def _summed(tallies: Sequence[Tally]) -> Tally:
    found: dict[Arm, tuple[int, int]] = {}
    for tally in tallies:
        for arm, (some, everything) in tally.items():
            before = found.get(arm, (0, 0))
            found[arm] = before[0] + some, before[1] + everything
    return found


def _whose(arm: Arm) -> str:
    return "the canary's" if arm is Arm.CANARY else f"{words.arm(arm)}'s"
