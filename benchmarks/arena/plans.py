"""
Which cells are played, and how many releases of each: a stated subset of all there could be.

The number given on the command line holds for the healthy cells that carry the promise; others are played
for a part of it, as is enough for what they show.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, inf

from arena.cells import Cell, Fault, Kind, Onset
from arena.noise import BURSTS, COLD, DRIFTING, LATENCY, NONE, PODS, SPELLS, STICKY, UNLIKE_PODS, Noise

#: Part of the releases that a cell without a promise gets, and one with a fault.
QUARTER, FAULTY = 0.25, 0.1
#: The sequential test by itself costs little, and has to use its alpha to a tenth.
ALONE = 10.0
#: A rate of 0.25 % takes more releases than one of 2 %.
MANY = 2.0
#: Checks of a healthy release in the fast run.
FEW = 6
SIZES = (1.25, 2.0, 3.0, 5.0, 10.0, inf)
K1, K10, K100 = 1_000.0, 10_000.0, 100_000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A cell and the part of the releases that it is played for."""

    cell: Cell
    part: float = 1.0

    def releases(self, whole: int) -> int:
        """How many, of so many for a whole cell."""
        return ceil(self.part * whole)


def promised() -> Iterator[Cell]:
    """Healthy, history known, three canary pods or more: here at most alpha is promised."""
    yield from noises()
    yield from variants()


def noises() -> Iterator[Cell]:
    """Every kind of noise, where it is most trying."""
    yield from (Cell(PODS, requests) for requests in (K1, K10, K100))
    for kind in (BURSTS, SPELLS):
        yield from (Cell(kind, requests) for requests in (K10, K100))
        yield Cell(kind, canary_pods=3)
    yield from (Cell(kind) for kind in (NONE, STICKY, DRIFTING, COLD))
    yield Cell(PODS, ramp=True)


def variants() -> Iterator[Cell]:
    """The same with more traffic or pods: played last."""
    yield Cell(DRIFTING, K100)
    yield Cell(PODS, K100, ramp=True)
    yield Cell(BURSTS, canary_pods=10)


def unpromised() -> Iterator[Cell]:
    """Healthy, but without history, with few or uneven pods, with latencies."""
    yield from (Cell(kind, history=False) for kind in (NONE, PODS, BURSTS))
    yield from (Cell(PODS, requests, canary_pods=1) for requests in (K10, K100))
    yield Cell(BURSTS, canary_pods=1)
    yield Cell(PODS, 200.0, pods=6, canary_pods=2)
    yield Cell(PODS, uneven=5.0)
    yield Cell(PODS, pods=6)
    yield Cell(LATENCY, histograms=4)
    yield Cell(LATENCY, histograms=4, ramp=True)


def lone() -> Iterator[Plan]:
    """A single check: bursts without history, and few pods of cv 0.5 at a twentieth of 5 %."""
    for requests in (K1, K10, K100):
        yield Plan(Cell(BURSTS, requests, history=False, checks=1, alpha=0.05))
    for main, canary, pooled in ((10, 1, 0), (10, 2, 0), (2, 1, 0), (2, 1, 20)):
        few = Cell(UNLIKE_PODS, pods=main + canary, canary_pods=canary, pooled=pooled, checks=1, alpha=0.0025)
        for requests in (K10, K100):
            yield Plan(replace(few, requests=requests), MANY)
            yield Plan(replace(few, requests=requests, fault=Fault(Kind.ERRORS, 5.0)), FAULTY)


def harmful() -> Iterator[Cell]:
    """Errors in one check from the start."""
    for kind in (NONE, PODS):
        yield from (_errors(kind, size) for size in SIZES)
        yield from (_errors(kind, size, requests=K1) for size in (5.0, 10.0, inf))
        yield from (_errors(kind, size, requests=K100) for size in (1.25, 2.0, 5.0))
    yield from (_errors(BURSTS, size) for size in (3.0, 5.0, 10.0, inf))
    yield _errors(BURSTS, 5.0, requests=K100)
    for kind in (STICKY, DRIFTING, SPELLS, COLD):
        yield from (_errors(kind, size) for size in (5.0, 10.0))
    yield from (_errors(PODS, size, rate=0.001) for size in (5.0, 10.0))
    yield _errors(PODS, 5.0, rate=0.001, requests=K100)


def elsewhere() -> Iterator[Cell]:
    """Errors in one check: later, on a ramp, without history, with few or many canary pods."""
    for kind in (NONE, PODS, BURSTS):
        for onset in (Onset.MINUTE_20, Onset.AFTER):
            yield from (replace(_errors(kind, size), onset=onset) for size in (5.0, 10.0))
    for onset in (Onset.LAST_STEP, Onset.START):
        yield from (replace(_errors(PODS, size), onset=onset, ramp=True) for size in (5.0, 10.0))
    yield from (replace(_errors(kind, 5.0), history=False) for kind in (NONE, PODS, BURSTS))
    yield from (replace(_errors(PODS, 5.0), canary_pods=pods) for pods in (1, 3, 10))


def slow() -> Iterator[Cell]:
    """Latency in one of four histograms."""
    for requests, sizes in ((K1, (1.5, 2.0)), (K10, (1.05, 1.2, 1.5, 2.0)), (K100, (1.2, 1.5))):
        for size in sizes:
            yield Cell(LATENCY, requests, Fault(Kind.SLOWER, size), histograms=4)
    yield from (Cell(LATENCY, n, Fault(Kind.WAITING, 0.02), histograms=4) for n in (K1, K10, K100))
    for onset in (Onset.MINUTE_20, Onset.AFTER):
        for fault in (Fault(Kind.SLOWER, 2.0), Fault(Kind.WAITING, 0.1)):
            yield Cell(LATENCY, K10, fault, onset, histograms=4)


def dead() -> Iterator[Cell]:
    """What must never pass: no canary traffic, both versions failing."""
    lost = Cell(PODS, fault=Fault(Kind.LOST))
    yield from (lost, replace(lost, onset=Onset.MINUTE_20))
    yield Cell(PODS, fault=Fault(Kind.BOTH, 0.25))


def accepted(alpha: float) -> Iterator[Plan]:
    """Cells of the acceptance table at one alpha."""
    yield Plan(Cell(PODS, K100, alpha=alpha))
    yield Plan(Cell(BURSTS, alpha=alpha))
    yield Plan(Cell(NONE, 30_000.0, ramp=True, alpha=alpha, checks=1))
    latency = Cell(LATENCY, alpha=alpha, checks=1, histograms=1, warm_up=False)
    yield Plan(replace(latency, requests=K100, fault=Fault(Kind.SLOWER, 1.05)))
    yield Plan(replace(latency, fault=Fault(Kind.WAITING, 0.02)), FAULTY)
    for kind, size, requests in ((PODS, inf, K1), (PODS, 5.0, K10), (BURSTS, 10.0, K10), (PODS, 5.0, K1)):
        found = _errors(kind, size, requests=requests, alpha=alpha)
        yield Plan(replace(found, warm_up=False), FAULTY)
    yield Plan(Cell(alpha=alpha, checks=1, bare=True), ALONE)


def full() -> list[Plan]:
    """Every cell of the full run, each once; what the table and the plots need most comes first."""
    plans = [Plan(cell) for cell in noises()]
    plans += [Plan(cell, FAULTY) for part in (harmful(), elsewhere(), slow(), dead()) for cell in part]
    plans += [plan for alpha in (0.05, 0.02) for plan in accepted(alpha)]
    plans += [Plan(cell, QUARTER) for cell in unpromised()] + list(lone())
    plans += [Plan(cell) for cell in variants()]
    once: dict[str, Plan] = {}
    for plan in plans:
        once.setdefault(str(plan.cell), plan)
    return list(once.values())


def fast() -> list[Plan]:
    """A minute's worth, for the gates. Fewer checks share the same alpha, so the promise is the same."""
    well = [Cell(PODS), Cell(BURSTS), Cell(SPELLS), Cell(PODS, ramp=True)]
    sick = [_errors(NONE, 5.0), _errors(PODS, 10.0), _errors(BURSTS, 10.0)]
    sick += [
        replace(_errors(PODS, 10.0), onset=Onset.MINUTE_20),
        Cell(PODS, fault=Fault(Kind.BOTH, 0.25), checks=FEW),
    ]
    return [Plan(replace(cell, checks=FEW)) for cell in well] + [Plan(cell, 0.5) for cell in sick]


def _errors(
    kind: Noise, size: float, *, rate: float = 0.01, requests: float = K10, alpha: float = 0.02
) -> Cell:
    return Cell(kind, requests, Fault(Kind.ERRORS, size, rate), alpha=alpha)
