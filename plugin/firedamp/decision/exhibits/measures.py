"""
What the rows of a kind of check come to: one number for some pods over some blocks.

Rows are counts or levels by pod, and each kind says what its columns mean. What a release was judged by may
be unreadable to this version; then the kind alone, which stands in every finding, has to tell.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from firedamp.checks import BaseCheck, Threshold
from firedamp.model import Finding, Row
from firedamp.stats.quantiles import quantile


class Form(Enum):
    """What the columns of a row are."""

    RATE = auto()  # (bad events, all)
    BUCKETS = auto()  # requests per bucket
    LEVEL = auto()  # a value at the block's end
    COUNT = auto()  # an increase
    OPERATIONS = auto()  # (failed, all, of failing traces), by operation instead of pod


_FORMS = {
    "proportion": Form.RATE,
    "flow-failures": Form.RATE,
    "flow-collateral": Form.RATE,
    "distribution": Form.BUCKETS,
    "flow-duration": Form.BUCKETS,
    "operations": Form.OPERATIONS,
}


@dataclass(frozen=True, slots=True)
class Measure:
    """
    How rows of one check are read.

    Attributes:
        form: of the columns.
        unit: of the numbers that come out.
        inverted: the good outcome is compared, and shown, for it is the rarer one.
        rated: rates are known; of thinned traces only odds between versions are.
        worst: of levels the one that counts: "max", "min", or "mean" of all.
    """

    form: Form
    unit: str = ""
    inverted: bool = False
    rated: bool = True
    worst: str = "mean"

    def value(self, rows: Iterable[Row], bounds: Sequence[float] = ()) -> float | None:
        """The rows in one number: a rate, a median, a level, a count; None where they do not tell."""
        rows = list(rows)
        match self.form:
            case Form.RATE:
                return self._rate(rows)
            case Form.BUCKETS:
                return quantile(added(rows), bounds, 0.5) if bounds else None
            case Form.LEVEL:
                return self._level([row[0] for row in rows if row])
            case Form.COUNT:
                return math.fsum(row[0] for row in rows) if rows else None
            case Form.OPERATIONS:
                return None

    def together(self, rows: list[Row]) -> list[Row]:
        """Rows with the same value, a single one where rows add up: a block is asked for again and again."""
        return [added(rows)] if rows and self.form in (Form.RATE, Form.BUCKETS) else rows

    def size(self, rows: Iterable[Row]) -> float:
        """Requests behind the rows; of levels, how many there are."""
        match self.form:
            case Form.RATE | Form.OPERATIONS:
                return math.fsum(row[1] for row in rows)
            case Form.BUCKETS:
                return math.fsum(count for row in rows for count in row)
            case Form.LEVEL | Form.COUNT:
                return float(len(list(rows)))

    def _rate(self, rows: list[Row]) -> float | None:
        total = math.fsum(row[1] for row in rows)
        if not (self.rated and total > 0):
            return None
        bad = math.fsum(row[0] for row in rows) / total
        return 1 - bad if self.inverted else bad

    def _level(self, levels: list[float]) -> float | None:
        if not levels:
            return None
        match self.worst:
            case "max":
                return max(levels)
            case "min":
                return min(levels)
            case _:
                return math.fsum(levels) / len(levels)


def added(rows: Sequence[Row]) -> Row:
    """Column sums of rows that are alike; those of another length are left out."""
    if not rows:
        return ()
    width = len(rows[0])
    return tuple(map(math.fsum, zip(*(row for row in rows if len(row) == width), strict=True)))


def measure(finding: Finding, check: BaseCheck | None = None) -> Measure:
    """How the rows of a finding's check are read; without the check as its kind says."""
    form = _FORMS.get(finding.kind, Form.LEVEL)
    match form:
        case Form.RATE:
            swapped = finding.kind != "flow-collateral" and (finding.tolerance or 1.0) < 1
            return Measure(form, "share", inverted=swapped, rated=_is_rated(finding, check))
        case Form.BUCKETS:
            return Measure(form, finding.unit or getattr(check, "unit", "seconds"))
        case Form.OPERATIONS:
            return Measure(form, "requests")
        case _:
            return _of_levels(finding, check)


def _of_levels(finding: Finding, check: BaseCheck | None) -> Measure:
    # The finding of a trend is about growth, its rows are levels.
    unit = getattr(check, "unit", "") if finding.kind == "trend" else finding.unit
    if finding.kind != "threshold":
        return Measure(Form.LEVEL, unit)
    if isinstance(check, Threshold):
        worst = "max" if check.max is not None else "min"
        return Measure(Form.COUNT if check.counts else Form.LEVEL, unit, worst=worst)
    counted = "counted since the release began" in finding.sentence
    return Measure(Form.COUNT if counted else Form.LEVEL, unit, worst="max")


def _is_rated(finding: Finding, check: BaseCheck | None) -> bool:
    if check is not None:
        return not getattr(check, "odds_only", False)
    return finding.baseline is not None or finding.effect is None
