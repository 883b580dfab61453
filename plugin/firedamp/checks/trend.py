"""
Trend check: does a level (memory, a queue, open connections) grow faster in the canary? A leak.

Each pod is one sample, its slope since warm-up; see `stats.trend`. A leak needs time to show, and a start
looks like one, so it is judged at the end only, with the pass rule, and what was found then is kept. A third
of the check's alpha goes to each of the three judgements. Needs a PromQL expression with one value per pod,
two pods at least in the comparison arm, and only warns unless told otherwise: most leaks can wait.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firedamp import words
from firedamp.checks._base import arm_rows, blank, early, say, set_aside
from firedamp.checks._levels import LevelCheck
from firedamp.checks._run import PASS_LEVEL, CountsNothing, Grant, Moment
from firedamp.model import Arm, Finding, Outcome, Situation, Slice, Tier
from firedamp.stats.thinning import Thinned
from firedamp.stats.trend import TrendTest, compare_trends, has_trend
from firedamp.units import Seconds, Tolerance, spoken_duration

_JUDGEMENTS = 3
_LEAST_PODS = 2
# Nothing real is larger, and beyond it slopes leave the range of a float.
_LARGEST = 1e30
# Less is no growth that a person would speak of.
_STILL = 0.0005


class Trend(LevelCheck):
    """A level that must not grow faster than the comparison arm's."""

    kind: Literal["trend"]
    #: Largest growth beyond the comparison arm's that is no harm, as a share of the level, within `over`.
    tolerance: Tolerance = 0.1
    #: Growth is projected over this time.
    over: Seconds = 1800.0
    tier: Tier = Tier.WARN

    def begin(self, grant: Grant) -> "TrendRun":
        """An empty run."""
        return TrendRun(self, grant)


@dataclass(frozen=True, slots=True)
class TrendRun(CountsNothing):
    """
    A trend check over one release.

    Attributes:
        since: start of the block in which each pod was seen first, by (arm, pod); it warms up from then on.
        levels: each pod's level since its warm-up, at most 64 points.
        asked: it was judged.
        judged: what the last judgement found; None where it had too little.
        failed: what was found when a leak was proven.
        last: the slice taken last.
    """

    check: Trend
    grant: Grant
    since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    levels: Thinned = field(default_factory=Thinned)
    asked: bool = False
    judged: TrendTest | None = None
    failed: TrendTest | None = None
    last: Slice = field(default_factory=Slice)

    def take(self, piece: Slice, moment: Moment) -> "TrendRun":
        """Add one block's levels, and judge where the pass rule is judged."""
        seen = _by_name(piece, self.grant.against)
        since = {**dict.fromkeys(seen, moment.block.start), **self.since}
        warm = {
            name: value
            for name, value in seen.items()
            if moment.warm and moment.block.start >= since[name] + self.grant.warm_up_seconds
        }
        run = replace(self, last=piece, since=since, levels=self.levels.added(moment.block.index, warm))
        return run if moment.pass_level is None else run._judge()

    def _judge(self) -> "TrendRun":
        test = compare_trends(
            self._times,
            self._arm(self.grant.against),
            self._arm(Arm.CANARY),
            window_seconds=self.check.over,
            tolerance=self.check.tolerance,
        )
        leaks = test is not None and self._leaks(test)
        return replace(self, asked=True, judged=test, failed=self.failed or (test if leaks else None))

    def _leaks(self, test: TrendTest) -> bool:
        proven = test.p_value <= self.grant.alpha / _JUDGEMENTS
        return proven and test.projected >= self.check.tolerance

    @property
    def _times(self) -> NDArray[np.float64]:
        """(points,) seconds."""
        return self.levels.places * self.grant.look_seconds

    def _arm(self, arm: Arm | None) -> NDArray[np.float64]:
        """(pods, points) of an arm."""
        return self.levels.group(arm.value if arm else "")

    def finding(self, moment: Moment) -> Finding:
        """A leak proven, else trouble, else what the last judgement found or why it is still to come."""
        bare = blank(
            self.check,
            self.grant.against,
            unit="share",
            tolerance=1 + self.check.tolerance,
            alpha=self.grant.alpha,
        )
        if self.failed is not None:
            return self._said(bare, self.failed, "is not allowed", Outcome.FAIL)
        if (trouble := set_aside(blank(self.check, self.grant.against, unit="share"), self.last)) is not None:
            return trouble
        if self.judged is None:
            return self._incomparable(bare, moment)
        if self.judged.lower_p <= PASS_LEVEL:
            return self._said(bare, self.judged, "is ruled out", Outcome.PASS)
        return self._said(bare, self.judged, self._doubt(self.judged), Outcome.INCONCLUSIVE)

    def _doubt(self, test: TrendTest) -> str:
        late = test.late_excess
        if test.p_value <= self.grant.alpha / _JUDGEMENTS and late < self.check.tolerance <= test.excess:
            slower = f"only {words.percent(late)}" if late > _STILL else "none of it"
            return f"is doubtful, for {slower} is left in the later half, as after a start"
        return "is neither proven nor ruled out"

    def _said(self, bare: Finding, test: TrendTest, ending: str, outcome: Outcome) -> Finding:
        low, high = test.interval
        shown = replace(
            bare,
            baseline=test.baseline,
            canary=test.canary,
            baseline_n=test.pods[0],
            canary_n=test.pods[1],
            effect=1 + test.excess,
            interval=(1 + low, 1 + high),
            p_value=test.p_value,
        )
        faster = f"more than {words.percent(self.check.tolerance)} beyond {words.arm(self.grant.against)}'s"
        return say(
            shown, f"{self._growth_said(test)}; {self._rate_said(test, outcome)}{faster} {ending}", outcome
        )

    def _growth_said(self, test: TrendTest) -> str:
        level, main = words.quantity(test.levels[1], self.check.unit), words.arm(self.grant.against)
        own, other = _moved(test.canary), _moved(test.baseline)
        # Said once where it holds for both: "grew by 20 % ... in the canary, by 1.0 % in main".
        verb = own.partition(" by ")[0]
        return (
            f"{own} over {spoken_duration(self.check.over)} in the canary "
            f"(from {level}, {words.plural(test.pods[1], 'pod')}), "
            f"{other.removeprefix(verb).strip() or 'and'} in {main}"
        )

    def _rate_said(self, test: TrendTest, outcome: Outcome) -> str:
        if outcome is not Outcome.FAIL or test.canary <= _STILL:
            return ""
        return f"at this rate it doubles in {spoken_duration(self.check.over / test.canary)}; "

    def _incomparable(self, bare: Finding, moment: Moment) -> Finding:
        arms = [arm for arm, _ in self.since]
        seen = float(arms.count(self.grant.against or "")), float(arms.count(Arm.CANARY))
        silent = early(bare, seen, warm=moment.warm, what="values", situation=Situation.NO_DATA)
        if silent is not None:
            return silent
        if not self.asked:
            pods = words.plural(seen[1], "canary pod")
            return say(bare, f"growth is judged at the end of the window; {pods} watched so far")
        return self._lacking(bare)

    def _lacking(self, bare: Finding) -> Finding:
        """Why the last judgement had nothing to compare."""
        main = words.arm(self.grant.against)
        long = [int(has_trend(self._times, self._arm(arm)).sum()) for arm in (self.grant.against, Arm.CANARY)]
        if not long[1]:
            return say(bare, "no pod of the canary was there long enough to have a trend")
        if long[0] < _LEAST_PODS:
            pods = words.plural(long[0], "pod")
            return say(
                bare, f"{pods} in {main} with a trend, and two are needed to know how much pods differ"
            )
        nothing = "a level of 0 or less has no growth; a threshold check can judge it"
        return say(replace(bare, situation=Situation.NO_DATA), nothing)


def _by_name(piece: Slice, against: Arm | None) -> Mapping[tuple[str, str], float]:
    """Levels by (arm, pod)."""
    return {
        (arm.value, pod): min(max(row[0], -_LARGEST), _LARGEST)
        for arm in (against, Arm.CANARY)
        if arm is not None
        for pod, row in arm_rows(piece, arm).items()
        if math.isfinite(row[0])
    }


def _moved(growth: float) -> str:
    if abs(growth) < _STILL:
        return "stayed level"
    return f"{'grew' if growth > 0 else 'fell'} by {words.percent(abs(growth))}"
