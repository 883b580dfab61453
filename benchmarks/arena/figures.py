"""What many releases of a cell come to, for one method."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from arena.cells import HORIZON, Cell

#: A late fault is asked to be stopped within so many blocks of its onset.
SOON = 10


@dataclass(frozen=True, slots=True)
class Course:
    """
    One release under one method.

    Attributes:
        stop: the block of the rollback; None without one.
        served: failing canary requests from the fault's onset to the stop.
        excluded: the faulty check passed after the onset; for a peer, what is not stopped passes.
        passed: the block in which the whole release passed; None where it did not.
    """

    stop: int | None
    served: int
    excluded: bool
    passed: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One row: a method in a cell. Shares are in percent.

    Attributes:
        releases: how many were played.
        false_rollback: rolled back though healthy, or before the fault began.
        power: rolled back among those that had come as far as the fault; None for healthy ones.
        error: Monte-Carlo standard error of the power, or of the false rollbacks of healthy ones; that of
            one rollback more, of two releases more each way (Agresti and Coull), for 0 is not certain.
        median_block: of the stop, counted from the fault's onset, whose block is 1; None where fewer than
            half are stopped.
        within_ten: stopped within ten blocks of the onset.
        served: failing canary requests until the stop, on average.
        wrong_pass: passed with the fault in it; for firedamp as if the release had the faulty check
            alone. None for healthy ones.
        passed: the whole release passed within the hour; for a peer, was not rolled back.
    """

    cell: str
    method: str
    noise: str
    requests: float
    fault: str
    onset: str
    canary_pods: int
    alpha: float
    releases: int
    false_rollback: float
    power: float | None
    error: float
    median_block: float | None
    within_ten: float | None
    served: float
    wrong_pass: float | None
    passed: float


def figure(cell: Cell, method: str, courses: Sequence[Course]) -> Figure:
    """Sum up the releases of a cell under one method."""
    early = [one for one in courses if _is_false(cell, one)]
    alive = [one for one in courses if not _is_false(cell, one)]
    blocks = [math.inf if one.stop is None else one.stop - cell.onset.block + 1 for one in alive]
    found = sum(block < math.inf for block in blocks)
    passed = sum(_has_passed(one, method) for one in courses)
    rolled_back, of = (len(early), len(courses)) if cell.healthy else (found, len(alive))
    return Figure(
        cell=str(cell),
        method=method,
        noise=cell.noise.name + (", ramp" if cell.ramp else ""),
        requests=cell.requests,
        fault=str(cell.fault),
        onset=str(cell.onset),
        canary_pods=cell.canary_pods,
        alpha=cell.alpha,
        releases=len(courses),
        false_rollback=percent(len(early), len(courses)),
        power=None if cell.healthy else percent(found, len(alive)),
        error=standard_error(rolled_back, of),
        median_block=None if cell.healthy else _median(blocks),
        within_ten=None if cell.healthy else percent(sum(b <= SOON for b in blocks), len(alive)),
        served=round(statistics.fmean(one.served for one in alive), 2) if alive else 0.0,
        wrong_pass=_wrong(cell, courses),
        passed=percent(passed, len(courses)),
    )


def _is_false(cell: Cell, one: Course) -> bool:
    return one.stop is not None and (cell.healthy or one.stop < cell.onset.block)


def _has_passed(one: Course, method: str) -> bool:
    return one.passed is not None if method == "firedamp" else one.stop is None or one.stop >= HORIZON


def _wrong(cell: Cell, courses: Sequence[Course]) -> float | None:
    harmless = cell.fault.kind == "healthy" or cell.onset.block >= HORIZON
    return None if harmless else percent(sum(one.excluded for one in courses), len(courses))


def _median(blocks: Sequence[float]) -> float | None:
    middle = statistics.median(blocks) if blocks else math.inf
    return middle if middle < math.inf else None


def percent(count: int, of: int) -> float:
    """A share in percent, 0 of none."""
    return round(100 * count / of, 2) if of else 0.0


def standard_error(count: int, of: int) -> float:
    """Of a share, in percent points, by Agresti and Coull."""
    rate = (count + 2) / (of + 4)
    return round(100 * math.sqrt(rate * (1 - rate) / (of + 4)), 2)
