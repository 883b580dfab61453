"""
Distribution check: is the canary slower? Mann-Whitney U on histogram buckets, and the tail.

Two tests share the alpha: the body (every request ranked by its bucket, against the comparison arm
stretched by the tolerance) and the tail (Fisher on requests above the edge nearest the 99th
percentile). Either alone misses something: a shift of the whole, or two requests in a hundred that
wait a second.

Nothing is pooled over traffic weights: each block of the comparison arm counts with the weight of the
canary's requests in that block, so both histograms describe the same minutes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from firedamp import words
from firedamp.checks import _buckets as buckets
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
from firedamp.checks._noise import Noise, looked
from firedamp.checks._spread import Spread
from firedamp.model import Arm, Finding, Outcome, Row, Slice, Trouble, TroubleKind
from firedamp.queries import Counted, Need, Selector, selector
from firedamp.stats import ranks, sequential
from firedamp.stats.noise import Learnt
from firedamp.units import Tolerance

Counts = NDArray[np.float64]
Rows = Mapping[str, Row]

# Half of the alpha for the body, half for the tail.
_HALF = 0.5
# Fewer requests than this in an arm are no distribution.
_MIN_REQUESTS = 20
# The tail's edge is chosen once, for later blocks, from so many requests of the comparison arm alone.
_EDGE_REQUESTS = 200


class Distribution(BaseCheck):
    """A classic histogram, by its base name (without `_bucket`)."""

    kind: Literal["distribution"]
    #: Histogram's base name, with matchers where needed: http_request_duration_seconds{route!="/healthz"}.
    histogram: SelectorText
    #: How much slower is no harm.
    tolerance: Tolerance = 0.2
    #: Unit of the buckets, for sentences.
    unit: Annotated[str, Field(min_length=1, max_length=20)] = "seconds"

    def needs(self) -> Mapping[str, Need]:
        """The buckets of each cohort."""
        base = selector(self.histogram)
        return {"buckets": Counted(Selector(f"{base.metric}_bucket", base.matchers), keep_le=True)}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Requests per bucket and pod."""
        return parts.get("buckets", {})

    def begin(self, grant: Grant) -> "DistributionRun":
        """An empty run."""
        return DistributionRun(self, grant, noise=Noise(grant.known))


@dataclass(frozen=True, slots=True, eq=False)
class DistributionRun:
    """
    A distribution check over one release.

    Attributes:
        bounds: (buckets,) upper bounds, fixed by the first block that has some.
        baseline: (buckets,) comparison arm, each block weighted to the canary's requests in it.
        canary: (buckets,) canary's requests in the same blocks.
        weighting: Σ n_c² / n_b over blocks, for the effective size of the weighted arm.
        pods: comparison arm's requests per pod and bucket, as they came.
        canary_pods: canary's requests per pod in the same blocks.
        spread: how much the comparison arm's pods differ.
        noise: what is known of the noise of requests above the tail's edge.
        edge: index of the tail's edge; None before enough was seen.
        tail_tolerance: rise of the odds above the edge that is no harm.
        tail: sequential Fisher test above the edge; None before.
        seen: requests of both arms since the start.
        body: the rank test over everything so far; None while there is too little.
        failed: the body crossed its level, at this block or an earlier one.
        held: blocks in which an arm was silent.
        last: the slice taken last.
    """

    check: Distribution
    grant: Grant
    bounds: tuple[float, ...] = ()
    baseline: Counts = field(default_factory=lambda: np.zeros(0))
    canary: Counts = field(default_factory=lambda: np.zeros(0))
    weighting: float = 0.0
    pods: Mapping[str, Counts] = field(default_factory=dict)
    canary_pods: Mapping[str, float] = field(default_factory=dict)
    spread: Spread = field(default_factory=Spread)
    noise: Noise = field(default_factory=lambda: Noise(Learnt()))
    edge: int | None = None
    tail_tolerance: float = 0.0
    tail: sequential.SequentialFisher | None = None
    seen: tuple[float, float] = (0.0, 0.0)
    body: ranks.RankTest | None = None
    failed: bool = False
    held: Held = field(default_factory=Held)
    last: Slice = field(default_factory=Slice)

    @property
    def requests(self) -> tuple[float, float]:
        """Requests seen in the comparison arm and the canary since the start."""
        return self.seen

    @property
    def learnt(self) -> Learnt:
        """What this release's own blocks tell of the noise of its tail."""
        return self.noise.run

    def take(self, piece: Slice, moment: Moment) -> "DistributionRun":
        """Add one block; while an arm is silent the counts are held, changed bounds compare nothing."""
        pods, canary_pods = self._pods(piece)
        seen = self.seen[0] + _requests(pods), self.seen[1] + _requests(canary_pods)
        held = self.held.add(piece, moment)
        run = replace(self, last=self._checked(piece), seen=seen, held=held)
        pods, canary_pods = self._pods(held.piece)
        usable = _requests(pods) and _requests(canary_pods) and moment.warm
        if not usable or (run.bounds and run.bounds != piece.bounds):
            return run
        arms = buckets.summed(pods, piece.bounds), buckets.summed(canary_pods, piece.bounds)
        run = replace(run, bounds=piece.bounds, held=Held())
        return run._with_pods(pods, canary_pods)._add(*arms)._test(pods, canary_pods, moment)

    def _pods(self, piece: Slice) -> tuple[Mapping[str, Row], Mapping[str, Row]]:
        arms = arm_rows(piece, self.grant.against), arm_rows(piece, Arm.CANARY)
        return buckets.fitting(arms[0], piece.bounds), buckets.fitting(arms[1], piece.bounds)

    def _checked(self, piece: Slice) -> Slice:
        if not (self.bounds and piece.bounds) or self.bounds == piece.bounds:
            return piece
        changed = Trouble(TroubleKind.REFUSED, "the histogram's buckets changed during the release")
        return replace(piece, troubles=(*piece.troubles, changed))

    def _with_pods(self, pods: Mapping[str, Row], canary: Mapping[str, Row]) -> "DistributionRun":
        added = {
            pod: buckets.plus(self.pods.get(pod, np.zeros(0)), np.array(pods.get(pod, ()), dtype=float))
            for pod in sorted({**self.pods, **pods})
        }
        grown = {
            pod: self.canary_pods.get(pod, 0.0) + math.fsum(canary.get(pod, ()))
            for pod in sorted({**self.canary_pods, **canary})
        }
        return replace(self, pods=added, canary_pods=grown)

    def _add(self, baseline: Counts, canary: Counts) -> "DistributionRun":
        n_b, n_c = float(baseline.sum()), float(canary.sum())
        return replace(
            self,
            baseline=buckets.plus(self.baseline, baseline * (n_c / n_b)),
            canary=buckets.plus(self.canary, canary),
            weighting=self.weighting + n_c**2 / n_b,
        )

    def _test(self, pods: Rows, canary_pods: Rows, moment: Moment) -> "DistributionRun":
        # The edge is chosen after the tail is counted: requests that chose it must not be judged by it.
        run = self._with_tail(pods, canary_pods, moment)._with_edge()
        run = replace(run, spread=self.spread.learnt(self.pods, self.bounds))
        body = run._ranked()
        crossed = body is not None and body.p_value <= self.grant.level(moment, _HALF)
        return replace(run, body=body, failed=self.failed or crossed)

    def _traffic(self) -> tuple[list[float], list[float]]:
        """Requests of each pod of the comparison arm and of the canary."""
        return [float(pod.sum()) for pod in self.pods.values()], list(self.canary_pods.values())

    def _with_edge(self) -> "DistributionRun":
        whole = sum(self.pods.values(), np.zeros(len(self.bounds)))
        if self.edge is not None or whole.sum() < _EDGE_REQUESTS:
            return self
        edge = ranks.tail_edge(whole, self.bounds)
        if edge is None:
            return self
        tolerance = ranks.implied_tail_tolerance(whole, self.bounds, edge, self.check.tolerance)
        return replace(self, edge=edge, tail_tolerance=tolerance)

    def _with_tail(self, pods: Rows, canary_pods: Rows, moment: Moment) -> "DistributionRun":
        if self.edge is None:
            return self
        baseline, canary = buckets.above(pods, self.edge), buckets.above(canary_pods, self.edge)
        noise = self.noise.add(baseline, canary)
        (slow_b, n_b), (slow_c, n_c) = totals(baseline, 2), totals(canary, 2)
        tail = self.tail or sequential.start(noise.null(self.tail_tolerance, noise.shape))
        share = n_c / (n_b + n_c)
        tail = looked(noise.renewed(tail), (slow_b, slow_c), share, self.grant, moment, part=_HALF)
        return replace(self, noise=noise, tail=tail)

    def _ranked(self) -> ranks.RankTest | None:
        worth = self._effective()
        if min(float(self.canary.sum()), worth) < _MIN_REQUESTS:
            return None
        return ranks.compare_histograms(
            self.baseline * (worth / self.baseline.sum()),
            self.canary,
            self.bounds,
            tolerance=self.check.tolerance,
            dispersion=self.spread.dispersion(*self._traffic(), worth=worth),
        )

    def _effective(self) -> float:
        """Requests that the weighted comparison arm is worth: all of them while the share stands still."""
        return float(self.canary.sum()) ** 2 / self.weighting if self.weighting else 0.0

    def finding(self, moment: Moment) -> Finding:
        """Harm in the body or the tail first, then trouble with the data, then the pass."""
        bare = replace(
            blank(self.check, self.grant.against, unit=self.check.unit),
            tolerance=1 + self.check.tolerance,
            alpha=self.grant.alpha,
        )
        if self.body is not None and self.failed:
            return self._slower(self._shown(bare, self.body), self.body)
        if self.body is not None and self.tail is not None and self.tail.crossed:
            return self._long_tail(self._shown(bare, self.body), self.tail)
        if (trouble := set_aside(bare, self.last)) is not None:
            return trouble
        if self.body is None:
            return early(bare, self.seen, warm=moment.warm) or self._too_few(bare)
        return self._unharmed(self._shown(bare, self.body), self.body, moment)

    def _shown(self, bare: Finding, body: ranks.RankTest) -> Finding:
        return replace(
            bare,
            baseline=buckets.median(self.baseline, self.bounds),
            canary=buckets.median(self.canary, self.bounds),
            baseline_n=self._effective(),
            canary_n=float(self.canary.sum()),
            effect=body.scale,
            interval=body.interval,
            p_value=body.p_value,
            one_look_p=body.plain_p,
        )

    def _slower(self, shown: Finding, body: ranks.RankTest) -> Finding:
        requests = words.plural(self.canary.sum(), "canary request")
        allowed = f"allowed is {words.times(1 + self.check.tolerance)}"
        return say(shown, f"{self._pace(body)}, {requests}); {allowed}", Outcome.FAIL)

    def _pace(self, body: ranks.RankTest) -> str:
        low, high = (words.times(bound) for bound in body.interval)
        pace = f"{words.times(body.scale)} as long as {words.arm(self.grant.against)}"
        return f"the canary takes {pace} ({low} to {high}"

    def _long_tail(self, shown: Finding, tail: sequential.SequentialFisher) -> Finding:
        assert self.edge is not None
        edge = words.quantity(self.bounds[self.edge], self.check.unit)
        usual, share = (float(arm[self.edge + 1 :].sum() / arm.sum()) for arm in (self.baseline, self.canary))
        sentence = (
            f"{words.percent(share)} of the canary's requests take longer than {edge}, "
            f"{words.percent(usual)} in {words.arm(self.grant.against)}; the canary has "
            f"{words.count(tail.canary_events)} of these {words.count(tail.events)}, chance, pod differences "
            f"and the tolerance explain fewer than {words.count(tail.boundary)}"
        )
        return say(replace(shown, p_value=tail.p_value), sentence, Outcome.FAIL)

    def _too_few(self, bare: Finding) -> Finding:
        seen = min(float(self.canary.sum()), self._effective())
        needs = max(1, math.ceil(_MIN_REQUESTS - seen))
        sentence = f"too few requests to compare; about {words.about(needs)} more are needed in each version"
        return say(replace(bare, needs=needs), sentence)

    def _unharmed(self, shown: Finding, body: ranks.RankTest, moment: Moment) -> Finding:
        slower = f"slower than {words.times(1 + self.check.tolerance)}"
        if body.faster_p <= (moment.pass_level or PASS_LEVEL):
            return say(shown, f"{self._pace(body)}); {slower} is ruled out", Outcome.PASS)
        return say(shown, f"{self._pace(body)}); {slower} is neither proven nor ruled out yet")


def _requests(pods: Mapping[str, Row]) -> float:
    return math.fsum(count for row in pods.values() for count in row)
