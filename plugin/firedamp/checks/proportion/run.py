"""A check of a rate over one release: block by block, and what it says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firedamp.checks._base import arm_rows, blank, early, say, set_aside, totals
from firedamp.checks._flow import latest
from firedamp.checks._flow import shown as shown_by
from firedamp.checks._held import NOTHING, Held
from firedamp.checks._noise import Noise
from firedamp.checks._pods import Witness
from firedamp.checks._run import PASS_LEVEL, Grant, Moment
from firedamp.checks.proportion import comparison, speech
from firedamp.checks.proportion.comparison import Comparison
from firedamp.checks.proportion.outlook import Outlook
from firedamp.checks.proportion.rates import Rates
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.queries import THINNED
from firedamp.stats import fisher
from firedamp.stats.noise import Learnt

# While caches are cold a tenfold error rate may be harmless; only an all but dead canary is stopped.
_GUARD_TOLERANCE = 9.0
# The comparison arm is failing at so many times its usual rate, from so many events on.
_FAR, _FAR_EVENTS = 5.0, 20


@dataclass(frozen=True, slots=True)
class ProportionRun:
    """
    A check of a rate over one release.

    Attributes:
        swapped: the good outcome is the rarer one and is compared; None before the first comparison.
        noise: what is known of the noise of the outcome that is compared.
        cold: the comparison during warm-up, with a tenfold tolerance; None before both arms had requests, and
            after it where nothing was found.
        warm: the comparison after it; likewise.
        seen: requests of both arms since the release's start.
        bad: bad events of the comparison arm since then.
        held: blocks in which an arm was silent.
        last: the slice taken last.
        examples: failing traces of the canary, the newest first.
        mixed: traces that met both versions.
    """

    check: Rates
    grant: Grant
    noise: Noise
    swapped: bool | None = None
    cold: Comparison | None = None
    warm: Comparison | None = None
    seen: tuple[float, float] = (0.0, 0.0)
    bad: float = 0.0
    held: Held = NOTHING
    last: Slice = field(default_factory=Slice)
    examples: tuple[str, ...] = ()
    mixed: int = 0

    @property
    def learnt(self) -> Learnt:
        """What this release's own blocks tell of the check's noise."""
        return self.noise.told

    @property
    def witness(self) -> Comparison | None:
        """Bad events since warm-up; where good ones are compared, more of them is no sickness."""
        return None if self.swapped else self.warm

    def heard(self, witnesses: Sequence[Witness]) -> "ProportionRun":
        """The run with the harm that remains without the pods that the witnesses suspect too."""
        warm = self.warm and self.warm.heard(witnesses)
        return self if warm is self.warm else replace(self, warm=warm)

    def take(self, piece: Slice, moment: Moment) -> "ProportionRun":
        """Add one block; while an arm is silent there is nothing to compare, and the counts are held."""
        baseline, canary = self._sums(piece)
        held = self.held.add(piece, moment)
        sums = (baseline, canary) if held.blocks == 1 else self._sums(held.piece)
        heard = all(requests for _, requests in sums)
        bad, seen = self.bad + baseline[0], (self.seen[0] + baseline[1], self.seen[1] + canary[1])
        examples, mixed = latest(self.examples, piece.examples), self.mixed + piece.mixed
        if not heard:
            return replace(self, last=piece, seen=seen, bad=bad, held=held, examples=examples, mixed=mixed)
        swapped = comparison.swaps(bad, seen[0]) if self.swapped is None else self.swapped
        noise, cold, warm = self._compared(held.piece, sums, moment, swapped=swapped)
        compared = (noise, swapped, cold, warm, seen, bad)
        return ProportionRun(self.check, self.grant, *compared, NOTHING, piece, examples, mixed)

    def _sums(self, piece: Slice) -> tuple[Row, Row]:
        """(Bad events, requests) of both arms."""
        baseline, canary = self._arms(piece)
        return totals(baseline, 2), totals(canary, 2)

    def _arms(self, piece: Slice) -> tuple[Mapping[str, Row], Mapping[str, Row]]:
        return arm_rows(piece, self.grant.against), arm_rows(piece, Arm.CANARY)

    def _compared(
        self, piece: Slice, sums: tuple[Row, Row], moment: Moment, *, swapped: bool
    ) -> tuple[Noise, Comparison | None, Comparison | None]:
        """The noise and the comparisons after counts of both arms, which are worth these sums."""
        baseline, canary = self._arms(piece)
        if swapped:
            baseline, canary = comparison.rarer(baseline), comparison.rarer(canary)
            sums = totals(baseline, 2), totals(canary, 2)
        noise = self.noise.add(baseline, canary)
        cold, warm = self.cold, self.warm
        if moment.warm:
            warm = warm or comparison.lasting(noise, self.check.tolerance, swapped=swapped)
            warm = warm.add(sums, canary, noise, self.grant, moment)
            cold = cold if cold is not None and cold.crossed else None
        else:
            cold = cold or comparison.outright(noise, _GUARD_TOLERANCE, swapped=swapped)
            cold = cold.add(sums, canary, noise, self.grant, moment)
        return noise, cold, warm

    def finding(self, moment: Moment) -> Finding:
        """What is found, with the traces that show it."""
        found = shown_by(self._found(moment), self.examples, self.check, self.mixed)
        return self._without_rates(found) if self.check.odds_only else found

    def _without_rates(self, found: Finding) -> Finding:
        """What was kept of good outcomes stands for an unknown number of them."""
        if (seen := self.warm or self.cold) is None:
            return found
        kept = self._kept(seen.baseline), self._kept(seen.canary)
        shown = replace(found, baseline=None, canary=None, baseline_n=kept[0], canary_n=kept[1])
        if found.effect is None or seen.swapped:
            return shown
        one = fisher.fisher_exact(seen.baseline[0], kept[0], seen.canary[0], kept[1])
        return replace(shown, effect=one.odds_ratio, interval=one.interval, one_look_p=one.p_value)

    def _kept(self, row: Row) -> float:
        """What was counted, of (events, all)."""
        return row[0] + (row[1] - row[0]) / self._thinned

    @property
    def _thinned(self) -> float:
        return THINNED if self.check.odds_only else 1.0

    def _found(self, moment: Moment) -> Finding:
        """Harm first, then trouble with the data, then exclusion of harm, then what is missing."""
        if not (moment.read or self._suspect):
            return blank(self.check, self.grant.against)
        bare = blank(
            self.check,
            self.grant.against,
            unit="share",
            tolerance=1 + self.check.tolerance,
            alpha=self.grant.alpha,
        )
        if (harm := self._harm(bare)) is not None:
            return harm
        if (trouble := set_aside(bare, self.last)) is not None:
            return trouble
        if self.warm is None:
            return self._early(bare, moment)
        return self._few_pods(bare, self.warm) or self._undecided(bare, self.warm, moment)

    def _few_pods(self, bare: Finding, warm: Comparison) -> Finding | None:
        """Harm is proven, since warm-up or lately, but not without the worst of the pods."""
        least = self._least
        if warm.test.crossed and warm.excess >= least:
            return say(comparison.shown(bare, warm), speech.few_pods(self._facts(warm), *warm.worst_pods))
        if warm.alarmed and warm.recent_excess >= least:
            said = speech.few_pods(self._lately(warm), *warm.worst_pods_lately, self._seconds(warm))
            return say(comparison.shown_late(bare, warm), said)
        return None

    @property
    def _least(self) -> float:
        """Smallest rise of the rate that is harm; any, where there are no rates."""
        return 0.0 if self.check.odds_only else self.check.min_excess

    def _seconds(self, warm: Comparison) -> float:
        """How long the last minutes are."""
        return warm.recent.pods.blocks * self.grant.look_seconds

    @property
    def _suspect(self) -> bool:
        """A test has crossed its boundary, be it that of one pod or too little to matter."""
        return any(found is not None and found.crossed for found in (self.cold, self.warm))

    def _harm(self, bare: Finding) -> Finding | None:
        """Proven, beyond what is too small to matter, and not that of single pods."""
        least = self._least
        if (warm := self.warm) is not None:
            if warm.lasting and warm.excess >= least:
                return say(comparison.shown(bare, warm), speech.harm(self._facts(warm)), Outcome.FAIL)
            if warm.beginning and warm.recent_excess >= least:
                shown = comparison.shown_late(bare, warm)
                return say(shown, speech.late(self._lately(warm), self._seconds(warm)), Outcome.FAIL)
        if (cold := self.cold) is not None and cold.lasting:
            shown = replace(comparison.shown(bare, warm or cold), p_value=cold.test.p_value)
            return say(shown, speech.dead(self._facts(cold)), Outcome.FAIL)
        return None

    def _early(self, bare: Finding, moment: Moment) -> Finding:
        found = early(bare, self.seen, warm=moment.warm)
        if found is not None:
            return found
        return say(replace(bare, situation=Situation.NO_TRAFFIC), speech.apart(self.grant.against))

    def _undecided(self, bare: Finding, warm: Comparison, moment: Moment) -> Finding:
        level = moment.pass_level or PASS_LEVEL
        ahead = Outlook(warm, self.check.pass_ratio, self.check.pass_excess, self.check.odds_only)
        seen = ahead.detectable(self.grant, moment) if moment.planning else None
        shown = comparison.shown(bare, warm, detectable=seen)
        if (rates := self._both_failing(warm)) is not None:
            limit = min(self.grant.ceiling, self._far_above_usual)
            return say(shown, speech.both_failing(rates, self.grant.against, limit, self._usual_rate))
        safety = ahead.safety(level)
        if safety.passed:
            return say(shown, speech.safe(self._facts(warm), safety), Outcome.PASS)
        needs = ahead.needs(level) if moment.planning else None
        needs = needs and math.ceil(needs / self._thinned)
        pace = self.seen[1] / self._thinned / (moment.lived * self.grant.look_seconds)
        sentence = speech.waiting(self._facts(warm), safety.upper_rate, needs, pace, seen)
        return say(shown, sentence, needs=needs or None)

    def _both_failing(self, warm: Comparison) -> tuple[float, float] | None:
        """Rates of bad events where the comparison arm itself is failing; missed good ones know no limit."""
        bad = tuple(1 - rate for rate in warm.rates) if warm.swapped else warm.rates
        far = bad[0] > self._far_above_usual and warm.baseline[0] >= _FAR_EVENTS
        failing = not self.check.misses and (far or bad[0] > self.grant.ceiling)
        return (bad[0], bad[1]) if failing else None

    @property
    def _far_above_usual(self) -> float:
        """The rate above which the comparison arm is not itself; 1 where nothing is known of its past."""
        usual = self._usual_rate
        return 1.0 if usual is None else max(_FAR * usual, usual + self.check.pass_excess)

    @property
    def _usual_rate(self) -> float | None:
        return self.grant.known.usual_rate

    def _facts(self, found: Comparison) -> speech.Facts:
        test, part = found.test, found.expected_share or 0.0
        baseline_rate, canary_rate = found.rates
        return speech.Facts(
            noun=self.check.counted(swapped=found.swapped),
            fewer=found.swapped,
            against=self.grant.against,
            baseline_rate=baseline_rate,
            canary_rate=canary_rate,
            canary_n=self._kept(found.canary),
            canary_pods=len(found.pods.served.names),
            canary_events=test.baseline_events if found.swapped else test.canary_events,
            events=test.events,
            share=1 - part if found.swapped else part,
            tolerance=self.check.tolerance,
            limit=test.events - test.boundary if found.swapped else test.boundary,
            p_value=test.p_value,
            margin=self.check.pass_ratio,
            excess=self.check.pass_excess,
            odds=_odds(found.baseline, found.canary) if self.check.odds_only else None,
            each=self.check.each,
        )

    def _lately(self, found: Comparison) -> speech.Facts:
        """The facts of the last minutes alone."""
        recent = found.recent.pods
        (baseline, baseline_n), (canary, canary_n) = recent.baseline, recent.canary
        return replace(
            self._facts(found),
            baseline_rate=baseline / baseline_n,
            canary_rate=canary / canary_n,
            canary_n=self._kept(recent.canary),
            canary_events=round(canary),
            events=round(baseline + canary),
            share=canary_n / (baseline_n + canary_n),
            p_value=found.late_p,
            odds=_odds(recent.baseline, recent.canary) if self.check.odds_only else None,
        )


def _odds(baseline: Row, canary: Row) -> float:
    """Of an event in the canary over the comparison arm's, half an event added to both."""
    return (
        (canary[0] + 0.5)
        / (baseline[0] + 0.5)
        * (baseline[1] - baseline[0])
        / max(canary[1] - canary[0], 1.0)
    )
