"""
Two arms of a proportion check, block by block.

Counts tell most where they are rare, so the rarer of the two outcomes is compared: errors where most
requests succeed, conversions where most do not. The arm feared to have more of it is the suspect, the
other the reference: for errors that is the canary against the comparison arm, for conversions the
comparison arm against the canary, since a bad canary leaves most of them to it.

Two tests watch them. One weighs everything since warm-up, which finds harm that was there from the start
soonest; the other bets at every block anew that harm begins now. Either proves harm only where it remains
without the worst of the canary's pods.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firedamp.checks._noise import Noise, looked
from firedamp.checks._pods import Pods, Recent, Witness
from firedamp.checks._run import Grant, Moment
from firedamp.model import Finding, Row
from firedamp.stats import fisher, late, sequential
from firedamp.stats.null import Shape

#: Parts of a check's alpha: a canary failing outright in warm-up, harm since then, harm that began late.
OUTRIGHT_PART, LASTING_PART, LATE_PART = 0.05, 0.7, 0.25

_TOLD_FOR_THE_NULL = 1.25
# Above this rate in the comparison arm, the events are the rule and their absence is what is counted.
_COMMON = 0.5

Rows = Mapping[str, Row]


def swaps(bad: float, requests: float) -> bool:
    """So many bad events of the comparison arm's requests make the good outcome the rarer one."""
    return bad > _COMMON * requests


def rarer(rows: Rows) -> Rows:
    """Pods' (good events, requests), from their (bad events, requests)."""
    return {pod: (row[1] - row[0], row[1]) for pod, row in rows.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    The sequential tests, with the sums that a pass and a sentence need beside them.

    Attributes:
        test: sequential Fisher test of the blocks in which both arms had requests.
        part: of the check's alpha, for the sequential test.
        watch: bets on harm that begins late; None in warm-up.
        alarmed: the bets have come out at this block.
        lasting: harm since warm-up was proven once, also without the worst of the canary's pods.
        beginning: harm that began late was.
        swapped: the rarer outcome is the good one: the canary is the reference.
        reference, suspect: (events, requests) of those blocks.
        standardised: events of the reference, expected at the suspect's own traffic: Σ n_s k_r / n_r.
        expected: Σ K π: events the suspect would have had at equal rates.
        pods: the canary's pods in those blocks.
        recent: the same, lately.
    """

    test: sequential.SequentialFisher
    part: float
    watch: late.Watch | None = None
    alarmed: bool = False
    lasting: bool = False
    beginning: bool = False
    swapped: bool = False
    reference: Row = (0.0, 0.0)
    suspect: Row = (0.0, 0.0)
    standardised: float = 0.0
    expected: float = 0.0
    pods: Pods = field(default_factory=Pods)
    recent: Recent = field(default_factory=Recent)

    def add(
        self, sums: tuple[Row, Row], canary: Rows, noise: Noise, grant: Grant, moment: Moment
    ) -> "Comparison":
        """
        Take one block.

        Args:
            sums: (compared events, requests) of the comparison arm and of the canary, some requests.
            canary: likewise of each pod of the canary.
            noise: what is known of it, this block included.
            grant: what the check may spend.
            moment: the block's.
        """
        reference, suspect = reversed(sums) if self.swapped else sums
        share = suspect[1] / (reference[1] + suspect[1])
        renewed = noise.renewed(self.test, swapped=self.swapped)
        test = looked(renewed, (reference[0], suspect[0]), share, grant, moment, part=self.part)
        watch = self._watched(test, share, noise, late.start_weight(self.pods.blocks, grant.looks))
        block = Pods.of(sums[0], canary)
        alarmed = watch is not None and watch.p_value <= LATE_PART * grant.alpha
        return Comparison(
            test,
            self.part,
            watch,
            alarmed,
            self.lasting,
            self.beginning,
            self.swapped,
            (self.reference[0] + reference[0], self.reference[1] + reference[1]),
            (self.suspect[0] + suspect[0], self.suspect[1] + suspect[1]),
            self.standardised + suspect[1] * reference[0] / reference[1],
            self.expected + (reference[0] + suspect[0]) * share,
            self.pods + block,
            self.recent.add(block),
        )._weighed()

    def heard(self, witnesses: Sequence[Witness]) -> "Comparison":
        """The same, once all checks have told what they saw of the canary's pods."""
        return self._weighed([each for each in witnesses if each is not self]) if self.of_few_pods else self

    def _weighed(self, others: Sequence[Witness] = ()) -> "Comparison":
        """With the harm that remains without the worst of the pods."""
        lasting, beginning = self.lasting, self.beginning
        if self.test.crossed and not lasting:
            lasting = self.pods.spread_over(fewer=self.swapped, others=[each.pods for each in others])
        if self.alarmed and not beginning:
            lately = [each.recent.pods for each in others]
            beginning = self.recent.pods.spread_over(fewer=self.swapped, others=lately)
        if (lasting, beginning) == (self.lasting, self.beginning):
            return self
        return replace(self, lasting=lasting, beginning=beginning)

    def _watched(
        self, test: sequential.SequentialFisher, share: float, noise: Noise, weight: float
    ) -> late.Watch | None:
        """The bets after the events that the test has just taken."""
        if self.watch is None:
            return None
        return late.advance(
            self.watch.under(noise.null(self.watch.null.tolerance, Shape.PRODUCT, swapped=self.swapped)),
            baseline_events=test.baseline_events - self.test.baseline_events,
            canary_events=test.canary_events - self.test.canary_events,
            canary_share=share,
            weight=weight,
        )

    @property
    def late_p(self) -> float:
        """Of the bets, over their part of alpha: held against alpha, in [0, 1]."""
        return 1.0 if self.watch is None else min(1.0, self.watch.p_value / LATE_PART)

    @property
    def crossed(self) -> bool:
        """One of the tests has proven harm, be it of one pod."""
        return self.test.crossed or self.alarmed or self.beginning

    @property
    def of_few_pods(self) -> bool:
        """Harm is proven, but not without the worst of the pods."""
        return (self.test.crossed or self.alarmed) and not (self.lasting or self.beginning)

    @property
    def excess(self) -> float:
        """By how much the canary's rate is worse since warm-up."""
        return self.pods.excess(fewer=self.swapped)

    @property
    def recent_excess(self) -> float:
        """By how much it is worse lately."""
        return self.recent.pods.excess(fewer=self.swapped)

    @property
    def worst_pods(self) -> tuple[int, str, int]:
        """How many of the canary's pods are left out, the worst of them, and its events."""
        return _worst(self.pods, fewer=self.swapped)

    @property
    def worst_pods_lately(self) -> tuple[int, str, int]:
        """The same, in the last minutes."""
        return _worst(self.recent.pods, fewer=self.swapped)

    @property
    def baseline(self) -> Row:
        """(Events, requests) of the comparison arm."""
        return self.suspect if self.swapped else self.reference

    @property
    def canary(self) -> Row:
        """(Events, requests) of the canary."""
        return self.reference if self.swapped else self.suspect

    @property
    def reference_rate(self) -> float:
        """The reference's rate at the suspect's own traffic, in [0, 1]."""
        return self.standardised / self.suspect[1]

    @property
    def suspect_rate(self) -> float:
        """In [0, 1]."""
        return self.suspect[0] / self.suspect[1]

    @property
    def rates(self) -> tuple[float, float]:
        """Rates of the comparison arm and the canary, at the same traffic."""
        rates = self.reference_rate, self.suspect_rate
        return (rates[1], rates[0]) if self.swapped else rates

    @property
    def expected_share(self) -> float | None:
        """The suspect's share of the traffic, weighted by events; None without events."""
        events = self.reference[0] + self.suspect[0]
        return self.expected / events if events else None

    @property
    def dispersion(self) -> float:
        """Variance of the suspect's count relative to independent events: clumps, and pods that differ."""
        share, null = self.expected_share or 0.0, self.test.null
        return null.phi + (self.reference[0] + self.suspect[0]) * share * (1 - share) * null.spread**2


def _worst(pods: Pods, *, fewer: bool) -> tuple[int, str, int]:
    worst = pods.worst(fewer=fewer)
    return len(worst), worst[0], round(pods.rows[worst[0]][0])


def outright(noise: Noise, tolerance: float, *, swapped: bool) -> Comparison:
    """Nothing compared yet, in warm-up: for a canary far beyond a large tolerance."""
    null = noise.null(tolerance, Shape.PRODUCT, swapped=swapped)
    return Comparison(sequential.start(null), OUTRIGHT_PART, swapped=swapped)


def lasting(noise: Noise, tolerance: float, *, swapped: bool) -> Comparison:
    """Nothing compared yet, after warm-up."""
    test = sequential.start(noise.null(tolerance, noise.shape, swapped=swapped))
    watch = late.start(noise.null(_borne(tolerance), Shape.PRODUCT, swapped=swapped))
    return Comparison(test, LASTING_PART, watch, swapped=swapped)


def _borne(tolerance: float) -> float:
    """
    The tolerance that late bets grant: so much less that a canary at the whole of it loses them.

    The least harm bet on is 2.5 times as bad; between it and the null a canary 1.25 times as bad as the null
    is told for the null.
    """
    return max(0.0, (1 + tolerance) / _TOLD_FOR_THE_NULL - 1)


def shown(bare: Finding, found: Comparison, *, detectable: float | None = None) -> Finding:
    """The numbers of a comparison, the canary's over the baseline's."""
    one_look = fisher.fisher_exact(*found.reference, *found.suspect)
    effect, (low, high) = one_look.odds_ratio, one_look.interval
    tolerance = bare.tolerance or 1.0
    if found.swapped:
        effect, low, high, tolerance = 1 / effect, 1 / high, 1 / low, 1 / tolerance
    baseline_rate, canary_rate = found.rates
    return replace(
        bare,
        baseline=baseline_rate,
        canary=canary_rate,
        baseline_n=found.baseline[1],
        canary_n=found.canary[1],
        effect=effect,
        interval=(low, high),
        tolerance=tolerance,
        one_look_p=one_look.p_value,
        p_value=found.test.p_value,
        detectable=detectable,
    )


def shown_late(bare: Finding, found: Comparison) -> Finding:
    """The numbers of the last minutes, which proved the harm."""
    recent = found.recent.pods
    effect = fisher.fisher_exact(*recent.baseline, *recent.canary)
    return replace(
        shown(bare, found),
        baseline=recent.baseline[0] / recent.baseline[1],
        canary=recent.canary[0] / recent.canary[1],
        baseline_n=recent.baseline[1],
        canary_n=recent.canary[1],
        effect=effect.odds_ratio,
        interval=effect.interval,
        p_value=found.late_p,
    )
