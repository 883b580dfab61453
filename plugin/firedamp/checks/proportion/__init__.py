"""
Proportion check: events out of totals, judged by the sequential Fisher test.

Errors, refusals, cache misses, failed sends, conversions: anything that is counted and has a total. The
canary's share of requests is taken inside each block, so nothing is ever pooled over traffic weights.

Harm: the canary served more of the errors than chance, pod differences, bursts and the tolerance
explain, at any block (statistics: `stats.sequential`). No harm: a doubling, or half a percentage point
more, is excluded (`stats.noninferiority`). Anything else: needs more requests, and says how many.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

from firedamp.checks._base import (
    PASS_LEVEL,
    BaseCheck,
    Grant,
    Moment,
    SelectorText,
    arm_rows,
    blank,
    early,
    say,
    set_aside,
    totals,
)
from firedamp.checks._held import Held
from firedamp.checks.proportion import comparison, speech
from firedamp.checks.proportion.comparison import Comparison
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.queries import Counted, Need, selector
from firedamp.stats import noninferiority, power
from firedamp.stats.noise import Learnt
from firedamp.units import Excess, Share, Tolerance

# While caches are cold a tenfold error rate may be harmless; only an all but dead canary is stopped.
_GUARD_TOLERANCE = 9.0
_GUARD_PART = 0.1
# Above this rate in the comparison arm, the events are the rule and their absence is what is counted.
_COMMON = 0.5


# How surely a healthy canary should pass after what is said to be missing; with few pods the lesser must do.
_PASS_CHANCES = (0.8, 0.5)


class Proportion(BaseCheck):
    """Events out of totals; both are selectors of counters."""

    kind: Literal["proportion"]
    #: Selector of the events counted, for example http_requests_total{code=~"5.."}.
    events: SelectorText
    #: Selector of everything that could have been an event.
    total: SelectorText
    #: Which is worse: more events (errors) or fewer (conversions, cache hits).
    harm: Literal["more", "fewer"] = "more"
    #: Largest rise of the odds that is no harm.
    tolerance: Tolerance = 0.25
    #: Smallest absolute rise that can be harm.
    min_excess: Excess = 0.001
    #: Pass when a rise of the rate to this multiple is excluded ...
    pass_ratio: Annotated[float, Field(gt=1, le=100)] = 2.0
    #: ... or a rise by this much; where good outcomes are the rarer, the ratio alone counts.
    pass_excess: Share = 0.005
    #: What an event is called in sentences.
    noun: Annotated[str, Field(min_length=1, max_length=40)] | None = None

    def needs(self) -> Mapping[str, Need]:
        """Two counters per cohort."""
        return {"events": Counted(selector(self.events)), "total": Counted(selector(self.total))}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Rows of (bad events, requests) per pod; a pod with requests and no such event has none."""
        events, total = parts.get("events", {}), parts.get("total", {})
        return {pod: self._row(events.get(pod, (0.0,))[0], row[0]) for pod, row in total.items()}

    def _row(self, events: float, total: float) -> Row:
        bad = events if self.harm == "more" else total - events
        return (min(max(bad, 0.0), total), total)

    def counted(self, *, swapped: bool) -> str:
        """What the outcome that is compared is called: the events, or their absence."""
        if self.harm == "fewer":
            return (self.noun or "event") if swapped else f"missed {self.noun or 'event'}"
        return "good request" if swapped else (self.noun or "error")

    def begin(self, grant: Grant) -> "ProportionRun":
        """An empty run."""
        return ProportionRun(self, grant)


@dataclass(frozen=True, slots=True)
class ProportionRun:
    """
    A proportion check over one release.

    Attributes:
        cold: the comparison during warm-up, with a tenfold tolerance; None before both arms had requests.
        warm: the comparison after it; likewise.
        seen: requests of both arms since the release's start.
        bad: bad events of the comparison arm since then.
        pods: requests per arm and pod since then, for the spread between pods.
        held: blocks in which an arm was silent.
        last: the slice taken last.
    """

    check: Proportion
    grant: Grant
    cold: Comparison | None = None
    warm: Comparison | None = None
    seen: tuple[float, float] = (0.0, 0.0)
    bad: float = 0.0
    pods: Mapping[Arm, Mapping[str, float]] = field(default_factory=dict)
    held: Held = field(default_factory=Held)
    last: Slice = field(default_factory=Slice)

    @property
    def requests(self) -> tuple[float, float]:
        """Requests seen in the comparison arm and the canary since the start."""
        return self.seen

    @property
    def learnt(self) -> Learnt:
        """What this release's own blocks tell of the check's noise."""
        return Learnt()

    def take(self, piece: Slice, moment: Moment) -> "ProportionRun":
        """Add one block; while an arm is silent there is nothing to compare, and the counts are held."""
        baseline, canary = self._totals(piece)
        held = self.held.add(piece, moment)
        run = replace(
            self,
            last=piece,
            seen=(self.seen[0] + baseline[1], self.seen[1] + canary[1]),
            bad=self.bad + baseline[0],
            pods=_with_pods(self.pods, piece),
            held=held,
        )
        baseline, canary = self._totals(held.piece)
        if not (baseline[1] and canary[1]):
            return run
        return replace(run, held=Held())._compare(baseline, canary, moment)

    def _totals(self, piece: Slice) -> tuple[Row, Row]:
        return totals(arm_rows(piece, self.grant.against), 2), totals(arm_rows(piece, Arm.CANARY), 2)

    def _compare(self, baseline: Row, canary: Row, moment: Moment) -> "ProportionRun":
        if moment.warm:
            warm = self.warm or self._begin(self.check.tolerance)
            return replace(self, warm=warm.add(baseline, canary, self.grant, moment, part=1 - _GUARD_PART))
        cold = self.cold or self._begin(_GUARD_TOLERANCE)
        return replace(self, cold=cold.add(baseline, canary, self.grant, moment, part=_GUARD_PART))

    def _begin(self, tolerance: float) -> Comparison:
        baseline, canary = (
            [requests for _, requests in sorted(self.pods.get(arm, {}).items())]
            for arm in (self.grant.against or Arm.MAIN, Arm.CANARY)
        )
        return comparison.begin(tolerance, baseline, canary, swapped=self.bad > _COMMON * self.seen[0])

    def finding(self, moment: Moment) -> Finding:
        """Harm first, then trouble with the data, then exclusion of harm, then what is missing."""
        bare = replace(
            blank(self.check, self.grant.against, unit="share"),
            tolerance=1 + self.check.tolerance,
            alpha=self.grant.alpha,
        )
        if self.warm is not None and self._harmed(self.warm):
            shown = comparison.shown(bare, self.warm)
            return say(shown, speech.harm(self._facts(self.warm)), Outcome.FAIL)
        if self.cold is not None and self.cold.test.crossed:
            shown = comparison.shown(bare, self.warm or self.cold)
            shown = replace(shown, p_value=self.cold.test.p_value)
            return say(shown, speech.dead(self._facts(self.cold)), Outcome.FAIL)
        if (trouble := set_aside(bare, self.last)) is not None:
            return trouble
        if self.warm is None:
            return self._early(bare, moment)
        return self._undecided(comparison.shown(bare, self.warm), self.warm, moment)

    def _harmed(self, warm: Comparison) -> bool:
        return warm.test.crossed and warm.suspect_rate - warm.reference_rate >= self.check.min_excess

    def _early(self, bare: Finding, moment: Moment) -> Finding:
        found = early(bare, self.seen, warm=moment.warm)
        if found is not None:
            return found
        return say(replace(bare, situation=Situation.NO_TRAFFIC), speech.apart(self.grant.against))

    def _undecided(self, shown: Finding, warm: Comparison, moment: Moment) -> Finding:
        level = moment.pass_level or PASS_LEVEL
        shown = replace(shown, detectable=self._detectable(warm) if moment.planning else None)
        if (rates := self._both_failing(warm)) is not None:
            return say(shown, speech.both_failing(rates, self.grant.against, self.grant.ceiling))
        safety = self._safety(warm, level)
        if safety.passed:
            return say(shown, speech.safe(self._facts(warm), safety), Outcome.PASS)
        needs = self._needs(warm, level) if moment.planning else None
        pace = self.seen[1] / (moment.lived * self.grant.look_seconds)
        sentence = speech.waiting(self._facts(warm), safety.upper_rate, needs, pace)
        return say(replace(shown, needs=needs or None), sentence)

    def _safety(self, warm: Comparison, level: float) -> noninferiority.NonInferiority:
        found = noninferiority.proportion_pass(
            *warm.reference,
            *warm.suspect,
            margin_ratio=self.check.pass_ratio,
            margin_absolute=self.check.pass_excess,
            level=level,
            dispersion=warm.dispersion,
            expected_share=warm.expected_share,
            baseline_rate=warm.reference_rate,
        )
        if not warm.swapped:
            return found
        # The absolute margin takes the reference's rate as known. Here that is the canary's own, known least,
        # and a rare good outcome could vanish within the margin.
        return replace(found, absolute_p=1.0, p_value=found.ratio_p, passed=found.ratio_p <= level)

    def _both_failing(self, warm: Comparison) -> tuple[float, float] | None:
        """Rates of bad events where the comparison arm is above the ceiling; missed good ones know none."""
        bad = tuple(1 - rate for rate in warm.rates) if warm.swapped else warm.rates
        above = self.check.harm == "more" and bad[0] > self.grant.ceiling
        return (bad[0], bad[1]) if above else None

    def _needs(self, warm: Comparison, level: float) -> int | None:
        """Canary requests still missing; None where no number will do, because its few pods may differ."""
        for chance in _PASS_CHANCES:
            if wanted := self._wanted(warm, level, chance):
                # What is missing of the suspect, the canary brings in the measure of its own traffic.
                seen = warm.suspect[1]
                return math.ceil(max(0.0, min(wanted) - seen) * warm.canary[1] / seen)
        return None

    def _wanted(self, warm: Comparison, level: float, chance: float) -> list[float]:
        """Requests of the suspect with which a healthy canary passes with this chance, by each margin."""
        phi, (_, seen) = warm.test.null.phi, warm.suspect
        needed = power.requests_needed(
            warm.reference_rate,
            baseline_n=warm.reference[1],
            canary_n=seen,
            margin_ratio=self.check.pass_ratio,
            margin_absolute=self.check.pass_excess,
            level=level,
            power=chance,
            dispersion=phi,
        )
        # What pods add to the dispersion grows with the requests, and what is wanted grows with it.
        growth = (warm.dispersion / phi - 1) / seen
        margins = (needed.ratio,) if warm.swapped else (needed.ratio, needed.absolute)
        finite = [n for n in margins if n < math.inf and n * growth < 1]
        return [n / (1 - n * growth) for n in finite]

    def _detectable(self, warm: Comparison) -> float:
        # With few events, or none, the rate that the counts still allow stands for the unknown one.
        rate = max(warm.reference_rate, 1 / (warm.reference[1] + warm.suspect[1]))
        return power.detectable_ratio(
            rate,
            baseline_n=warm.reference[1],
            canary_n=warm.suspect[1],
            alpha=self.grant.alpha,
            dispersion=warm.dispersion,
            tolerance=self.check.tolerance,
        )

    def _facts(self, found: Comparison) -> speech.Facts:
        test, part = found.test, found.expected_share or 0.0
        baseline_rate, canary_rate = found.rates
        return speech.Facts(
            noun=self.check.counted(swapped=found.swapped),
            fewer=found.swapped,
            against=self.grant.against,
            baseline_rate=baseline_rate,
            canary_rate=canary_rate,
            canary_n=found.canary[1],
            canary_pods=len(self.pods.get(Arm.CANARY, {})),
            canary_events=test.baseline_events if found.swapped else test.canary_events,
            events=test.events,
            share=1 - part if found.swapped else part,
            tolerance=self.check.tolerance,
            limit=test.events - test.boundary if found.swapped else test.boundary,
            p_value=test.p_value,
            margin=self.check.pass_ratio,
            excess=self.check.pass_excess,
        )


def _with_pods(pods: Mapping[Arm, Mapping[str, float]], piece: Slice) -> Mapping[Arm, Mapping[str, float]]:
    result = {arm: dict(known) for arm, known in pods.items()}
    for arm, rows in piece.rows.items():
        known = result.setdefault(arm, {})
        for pod, row in rows.items():
            known[pod] = known.get(pod, 0.0) + row[1]
    return result
