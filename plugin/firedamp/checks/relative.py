"""
Relative check: a level (memory, queue length, a percentile) against the comparison arm's.

Each pod is one sample, its mean since warm-up; see `stats.levels`. Needs a PromQL expression with one
value per pod; an expression without a pod label counts as a single pod, and the sentence says so.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import model_validator

from firedamp import words
from firedamp.checks._base import arm_rows, blank, early, say, set_aside, warming
from firedamp.checks._levels import LevelCheck
from firedamp.checks._run import PASS_LEVEL, CountsNothing, Grant, Moment
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.stats.levels import LevelTest, compare_levels
from firedamp.units import Share, Tolerance

Means = Mapping[str, tuple[float, int]]
_LARGEST = 1e30


class Relative(LevelCheck):
    """A level that must not rise (or fall) by more than a share."""

    kind: Literal["relative"]
    #: Largest rise that is no harm, for example 15%.
    max_increase: Tolerance | None = None
    #: Largest fall that is no harm, for what should not go down.
    max_decrease: Share | None = None

    @model_validator(mode="after")
    def _one_side(self) -> "Relative":
        if (self.max_increase is None) == (self.max_decrease is None):
            raise ValueError("needs either max_increase or max_decrease")
        return self

    @property
    def margin(self) -> float:
        """Largest canary level that is no harm (smallest, where a fall is harm), over the baseline's; > 0."""
        return 1 + self.max_increase if self.max_increase is not None else 1 - (self.max_decrease or 0.0)

    def begin(self, grant: Grant) -> "RelativeRun":
        """An empty run."""
        return RelativeRun(self, grant)


@dataclass(frozen=True, slots=True)
class RelativeRun(CountsNothing):
    """
    A relative check over one release.

    Attributes:
        baseline, canary: mean level and number of blocks of each pod, since warm-up.
        failed: harm was proven, at this block or an earlier one.
        last: the slice taken last.
    """

    check: Relative
    grant: Grant
    baseline: Means = field(default_factory=dict)
    canary: Means = field(default_factory=dict)
    failed: bool = False
    last: Slice = field(default_factory=Slice)

    def take(self, piece: Slice, moment: Moment) -> "RelativeRun":
        """Add one block's levels."""
        if not moment.warm:
            return replace(self, last=piece)
        run = replace(
            self,
            last=piece,
            baseline=_averaged(self.baseline, arm_rows(piece, self.grant.against)),
            canary=_averaged(self.canary, arm_rows(piece, Arm.CANARY)),
        )
        test = run._test()
        crossed = test is not None and test.p_value <= self.grant.level(moment)
        return replace(run, failed=self.failed or crossed)

    def _test(self) -> LevelTest | None:
        baseline, canary = _levels(self.baseline), _levels(self.canary)
        if self.check.max_increase is not None:
            return compare_levels(baseline, canary, tolerance=self.check.max_increase)
        # A fall below a share of the baseline is a rise of the inverse.
        return compare_levels(_inverse(baseline), _inverse(canary), tolerance=1 / self.check.margin - 1)

    def finding(self, moment: Moment) -> Finding:
        """Harm, else trouble, else its exclusion or what is missing."""
        bare = replace(
            blank(self.check, self.grant.against, unit=self.check.unit),
            baseline_n=sum(blocks for _, blocks in self.baseline.values()),
            canary_n=sum(blocks for _, blocks in self.canary.values()),
            tolerance=self.check.margin,
            alpha=self.grant.alpha,
        )
        test = self._test()
        trouble = set_aside(blank(self.check, self.grant.against, unit=self.check.unit), self.last)
        if trouble is not None and not self.failed:
            return trouble
        if test is None:
            return self._incomparable(bare, moment)
        return self._compared(bare, test, moment)

    def _compared(self, bare: Finding, test: LevelTest, moment: Moment) -> Finding:
        shown = self._shown(bare, test)
        if self.failed:
            return say(shown, f"{self._levels_said(shown)} is not allowed", Outcome.FAIL)
        if test.lower_p <= (moment.pass_level or PASS_LEVEL):
            return say(shown, f"{self._levels_said(shown)} is ruled out", Outcome.PASS)
        return say(shown, f"{self._levels_said(shown)} is neither proven nor ruled out yet")

    def _shown(self, bare: Finding, test: LevelTest) -> Finding:
        ratio, (low, high) = test.ratio, test.interval
        baseline, canary = test.baseline, test.canary
        if self.check.max_increase is None:
            ratio, low, high = _over(ratio), _over(high), _over(low)
            baseline, canary = _over(baseline), _over(canary)
        return replace(
            bare, baseline=baseline, canary=canary, effect=ratio, interval=(low, high), p_value=test.p_value
        )

    def _levels_said(self, shown: Finding) -> str:
        baseline, canary, effect, low, high = (
            shown.baseline or 0.0,
            shown.canary or 0.0,
            shown.effect or 0.0,
            *(shown.interval or (0.0, 0.0)),
        )
        beyond = "more" if self.check.max_increase is not None else "less"
        between = f"{words.times(low)} to {words.times(high)}"
        return (
            f"{words.quantity(canary, self.check.unit)} in the canary, "
            f"{words.quantity(baseline, self.check.unit)} in {words.arm(self.grant.against)}: "
            f"{words.times(effect)} ({between}, {words.plural(len(self.canary), 'canary pod')}); "
            f"{beyond} than {words.times(self.check.margin)}"
        )

    def _incomparable(self, bare: Finding, moment: Moment) -> Finding:
        if self.failed:
            beyond = f"{words.times(self.check.margin)} {words.arm(self.grant.against)}'s was proven before"
            return say(bare, f"a level beyond {beyond}; the levels since have no ratio", Outcome.FAIL)
        if not moment.warm:
            return warming(bare)
        seen = float(len(self.baseline)), float(len(self.canary))
        silent = early(bare, seen, warm=True, what="values", situation=Situation.NO_DATA)
        if silent is not None:
            return silent
        arm = words.arm(self.grant.against)
        if self.check.max_increase is not None and not any(_levels(self.canary)):
            return say(bare, f"0 in the canary, so it is not higher than {arm}", Outcome.PASS)
        sentence = f"a level of 0 or less has no ratio to {arm}'s; a threshold check can judge it"
        return say(replace(bare, situation=Situation.NO_DATA), sentence)


def _levels(means: Means) -> list[float]:
    # In the order of names: a sum's last digit must not depend on which pod came first.
    return [means[pod][0] for pod in sorted(means)]


def _sane(level: float) -> float:
    """Nothing real is smaller or larger than this, and beyond it ratios leave the range of a float."""
    return 0.0 if abs(level) < 1 / _LARGEST else min(max(level, -_LARGEST), _LARGEST)


def _averaged(means: Means, rows: Mapping[str, Row]) -> Means:
    result = dict(means)
    for pod, row in rows.items():
        mean, blocks = result.get(pod, (0.0, 0))
        result[pod] = (mean + (_sane(row[0]) - mean) / (blocks + 1), blocks + 1)
    return result


def _inverse(levels: list[float]) -> list[float]:
    return [1 / level for level in levels if level > 0]


def _over(number: float) -> float:
    return 1 / number if number else math.inf
