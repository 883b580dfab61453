"""
One check over a release's looks: the lines that a chart draws and a table lists.

Three things are told of each block: both arms alone, both since warm-up with the effect and its interval as
the finding of that look had them, and both lately, over the last `LATELY` blocks, in which a fault that began
late shows first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from firedamp.checks import BaseCheck, arm_rows
from firedamp.decision.exhibits.measures import Form, Measure, measure
from firedamp.decision.exhibits.thinning import MOST_POINTS, chosen, kept
from firedamp.model import Arm, Evidence, Finding, Look, Outcome, Row

Line = tuple[float | None, ...]
#: Blocks behind what is called lately.
LATELY = 10


@dataclass(frozen=True, slots=True)
class Lines:
    """
    All lines of one check, each as long as the others; None where nothing is known.

    Attributes:
        ends: Unix seconds at which each block ends.
        blocks: their indices.
        baseline, canary: of each block alone, in the series' unit.
        baseline_lately, canary_lately: of the last blocks up to each.
        baseline_so_far, canary_so_far: since warm-up.
        lowest, highest: the canary's values by the effect's interval over the baseline, in the same unit.
        allowed: the largest (or smallest) canary value that is no harm, in the same unit.
        difference: canary less baseline, lately.
        effect, effect_low, effect_high: canary over baseline, with its interval.
        tolerance: the largest effect that is no harm.
        p_value: of the test that decides.
    """

    ends: Line = ()
    blocks: Line = ()
    baseline: Line = ()
    canary: Line = ()
    baseline_lately: Line = ()
    canary_lately: Line = ()
    baseline_so_far: Line = ()
    canary_so_far: Line = ()
    lowest: Line = ()
    highest: Line = ()
    allowed: Line = ()
    difference: Line = ()
    effect: Line = ()
    effect_low: Line = ()
    effect_high: Line = ()
    tolerance: Line = ()
    p_value: Line = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the canary's traffic: from this block's start on the step and weight are these."""

    at: float
    step: int
    weight: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """
    A check over the looks.

    Attributes:
        unit: of the values of both arms.
        lines: at most `MOST_POINTS` points each.
        outcomes: of the check at each point.
        steps: of the traffic, the first one included.
        thinned: points were left out.
    """

    check: str
    unit: str
    lines: Lines
    outcomes: tuple[Outcome | None, ...]
    steps: tuple[Step, ...]
    thinned: bool


def series(looks: Sequence[Look], name: str, check: BaseCheck | None, *, most: int = MOST_POINTS) -> Series:
    """The lines of the check of this name over looks in order; `check` where its settings can be read."""
    found = [_finding(look, name) for look in looks]
    last = next((one for one in reversed(found) if one is not None), None)
    reading = measure(last, check) if last else Measure(Form.LEVEL)
    lines = _lines(looks, found, reading, name)
    columns = [getattr(lines, one.name) for one in fields(Lines)]
    places = kept(columns[2:8] + columns[11:13], len(looks), most)
    thinner = Lines(*(chosen(column, places) for column in columns))
    outcomes = tuple(one.outcome if (one := found[place]) else None for place in places)
    return Series(name, reading.unit, thinner, outcomes, steps(looks), thinned=len(places) < len(looks))


def steps(looks: Sequence[Look]) -> tuple[Step, ...]:
    """Where the traffic's step or weight changed, the first block included."""
    found: list[Step] = []
    for look in looks:
        told = look.evidence
        weight = told.weight if told.weight is not None or not found else found[-1].weight
        if not found or (found[-1].step, found[-1].weight) != (told.step, weight):
            found.append(Step(told.block.start, told.step, weight))
    return tuple(found)


def _finding(look: Look, name: str) -> Finding | None:
    return next((one for one in look.findings if one.check == name), None)


def _lines(looks: Sequence[Look], found: Sequence[Finding | None], reading: Measure, name: str) -> Lines:
    against = next((one.against for one in reversed(found) if one and one.against), None)
    arms = [tuple(map(reading.together, _arms(look.evidence, name, against))) for look in looks]
    bounds = next((piece.bounds for look in looks if (piece := look.evidence.slices.get(name))), ())
    baseline, canary = (_alone([both[arm] for both in arms], reading, bounds) for arm in (0, 1))
    lately = tuple(_lately([both[arm] for both in arms], reading, bounds) for arm in (0, 1))
    said = [_Said.of(one) for one in found]
    return Lines(
        ends=tuple(look.evidence.block.end for look in looks),
        blocks=tuple(float(look.evidence.block.index) for look in looks),
        baseline=baseline,
        canary=canary,
        baseline_lately=lately[0],
        canary_lately=lately[1],
        difference=tuple(map(_difference, *lately)),
        **{column: tuple(getattr(one, column) for one in said) for column in _Said.__dataclass_fields__},
    )


def _arms(evidence: Evidence, name: str, against: Arm | None) -> tuple[list[Row], list[Row]]:
    """Rows of both arms; of flows beside the canary, which stand in main, as if they were the canary's."""
    piece = evidence.slices.get(name)
    if piece is None:
        return [], []
    canary = arm_rows(piece, Arm.CANARY) or (arm_rows(piece, Arm.MAIN) if against is None else {})
    return list(arm_rows(piece, against).values()), list(canary.values())


def _alone(blocks: Sequence[list[Row]], reading: Measure, bounds: Sequence[float]) -> Line:
    values = [reading.value(rows, bounds) for rows in blocks]
    if reading.form is not Form.COUNT:
        return tuple(values)
    total, counted = 0.0, []
    for value in values:
        total += value or 0.0
        counted.append(total)
    return tuple(counted)


def _lately(blocks: Sequence[list[Row]], reading: Measure, bounds: Sequence[float]) -> Line:
    if reading.form is Form.COUNT:
        return (None,) * len(blocks)
    return tuple(
        reading.value([row for rows in blocks[max(0, at - LATELY + 1) : at + 1] for row in rows], bounds)
        for at in range(len(blocks))
    )


def _difference(baseline: float | None, canary: float | None) -> float | None:
    return None if baseline is None or canary is None else canary - baseline


@dataclass(frozen=True, slots=True)
class _Said:
    """What one finding says, as points of the lines."""

    baseline_so_far: float | None = None
    canary_so_far: float | None = None
    lowest: float | None = None
    highest: float | None = None
    allowed: float | None = None
    effect: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None
    tolerance: float | None = None
    p_value: float | None = None

    @classmethod
    def of(cls, finding: Finding | None) -> "_Said":
        if finding is None:
            return cls()
        low, high = finding.interval or (None, None)
        ratios = (finding.effect, low, high, _ratio(finding), finding.p_value)
        if finding.kind == "trend":
            # Its rows are levels, and what it says is of their growth.
            return cls(None, None, None, None, None, *ratios)
        band = carried(finding, low), carried(finding, high)
        limit = finding.tolerance if finding.kind == "threshold" else carried(finding, finding.tolerance)
        return cls(finding.baseline, finding.canary, *band, limit, *ratios)


def _ratio(finding: Finding) -> float | None:
    return finding.tolerance if finding.effect is not None or finding.against else None


def carried(finding: Finding, effect: float | None) -> float | None:
    """
    The canary's value that stands to the baseline's as an effect says.

    Effects on rates are odds ratios; growth is compared by its difference; all others are ratios.
    """
    if effect is None or (base := finding.baseline) is None:
        return None
    match finding.kind:
        case "proportion" | "flow-failures" | "flow-collateral":
            odds = effect * base / (1 - base) if base < 1 else math.inf
            return 1.0 if math.isinf(odds) else odds / (1 + odds)
        case "trend":
            return base + effect - 1
        case _:
            return base * effect
