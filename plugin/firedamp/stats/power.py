"""
What could have been seen by now.

"No harm found" is honest only with a number: how large a rise would have been noticed. The test itself is
asked what it would say of the counts to come, so tolerance, pods, clumps and budget are what it knows of
them. Decides nothing but an advance.

A test that may stop at any block finds by some time about what one look finds there with two fifths
of the budget spent by then. Pods differ as Gamma variables, clumps thin the counts. *Approximate*:
power to some 0.05, a ratio to a tenth or so; the simulation is `benchmarks/forecast.py`.

Source: tails of a split, as an incomplete beta function: Johnson, Kemp & Kotz (2005), Univariate
Discrete Distributions, section 3.4; counts divided by their dispersion: Rao & Scott (1992),
Biometrics 48, 577-585.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import betainc, gammainc, ndtri

from firedamp.stats import sequential
from firedamp.stats.null import Null, shares, weights

#: No rise larger than this is looked for.
MAX_RATIO = 1e4
#: By some time a test of many looks finds about what one look there finds with this part of its budget.
_ONE_LOOK = 0.4
#: A count must be whole, and what rounding leaves of the budget is not lost altogether.
_ROUNDING = 0.2
#: Roots are found to this, relative.
_PRECISE = 0.005
_LEAST = 1e-300
#: More events than this are taken for so many: an incomplete beta function is not to be relied on beyond.
_COUNTABLE = 1e7
#: A slope is at least this per e-fold.
_FLATTEST = 1e-3


@dataclass(frozen=True, slots=True)
class Trial:
    """
    The sequential test as it will stand at some time.

    Attributes:
        null: what a good release may look like.
        budgets: (hurdles,) alpha that may be used by then (`Grant.allowance`), in (0, 1).
        blocks: blocks with evidence by then, > 0.
    """

    null: Null
    budgets: tuple[float, ...]
    blocks: float


def detection_power(
    baseline_rate: float, trial: Trial, *, baseline_n: float, canary_n: float, ratio: float
) -> float:
    """
    Chance that a canary with `ratio` times the baseline's error rate has failed by then. *Approximate.*

    Args:
        baseline_rate: share of requests that fail, in [0, 1]; 0 gives 0: nothing times five is nothing,
            so pass a rate that the counts still allow.
        trial: the test by then.
        baseline_n: requests of the baseline by then.
        canary_n: requests of the canary by then.
        ratio: the rise asked about, ≥ 1; the canary's rate is capped at 1.

    Returns:
        A probability; 0 without requests in both arms.
    """
    if not (baseline_rate > 0 and baseline_n > 0 and canary_n > 0):
        return 0.0
    baseline_n, canary_n = _countable(baseline_rate, baseline_n, canary_n)
    arms = _Arms(trial, baseline_rate * baseline_n, baseline_n, canary_n)
    return arms.chance(arms.boundary(), min(baseline_rate * ratio, 1.0) * canary_n)


def detectable_ratio(
    baseline_rate: float, trial: Trial, *, baseline_n: float, canary_n: float, power: float = 0.8
) -> float:
    """
    Smallest rise of the error rate that has been seen by then with this power. *Approximate.*

    Arguments as in `detection_power`.

    Returns:
        A ratio > 1; inf where even a canary that fails every request (or 10,000 times
        the baseline's errors) would have gone unseen.
    """
    baseline_n, canary_n = _countable(baseline_rate, baseline_n, canary_n)
    usual = baseline_rate * canary_n
    if not (usual > 0 and baseline_n > 0):
        return math.inf
    arms, wanted = _Arms(trial, baseline_rate * baseline_n, baseline_n, canary_n), float(ndtri(power))
    boundary, most = arms.boundary(), min(MAX_RATIO * usual, canary_n)
    if arms.chance(boundary, most) < power:
        return math.inf
    ahead, slope = _ahead(wanted, arms.variance(boundary, boundary), trial.null.phi)
    guess = boundary - 0.5 + ahead
    events = _root(lambda mean: _z(arms.chance(boundary, mean)) - wanted, guess, slope, most=most)
    return max(events / usual, 1.0)


def detectable_fall(
    canary_rate: float, trial: Trial, *, baseline_n: float, canary_n: float, power: float = 0.8
) -> float:
    """
    The same where the good outcomes are the rarer ones, and a bad canary has fewer. *Approximate.*

    The canary is the reference then and the baseline has more than it should.

    Args:
        canary_rate: share of the canary's requests with the outcome, were it healthy, in [0, 1].
        trial: the test by then.
        baseline_n: requests of the suspect: the baseline's.
        canary_n: requests of the reference: the canary's.
        power: in (0, 1).

    Returns:
        The ratio > 1 by which the canary's rate is divided; inf where even a canary without any such
        outcome would have gone unseen.
    """
    baseline_n, canary_n = _countable(canary_rate, baseline_n, canary_n)
    usual, wanted = canary_rate * canary_n, float(ndtri(power))
    if not (usual > 0 and baseline_n > 0):
        return math.inf

    def missing(ratio: float) -> float:
        arms = _Arms(trial, usual / ratio, canary_n, baseline_n)
        return _z(arms.chance(arms.boundary(), canary_rate * baseline_n)) - wanted

    return math.inf if missing(MAX_RATIO) < 0 else max(_root(missing, 3.0, 1.0, most=MAX_RATIO), 1.0)


def _countable(rate: float, baseline_n: float, canary_n: float) -> tuple[float, float]:
    scale = max(1.0, rate * (baseline_n + canary_n) / _COUNTABLE)
    return baseline_n / scale, canary_n / scale


@dataclass(frozen=True, slots=True)
class _Arms:
    """
    Events that are expected of the reference, and the requests of both arms.

    Attributes:
        events: of the reference, > 0.
        reference_n, suspect_n: requests.
    """

    trial: Trial
    events: float
    reference_n: float
    suspect_n: float

    def boundary(self) -> float:
        """Suspect's events that fail it, for the reference's expected ones; between whole numbers too."""
        null, share = self.trial.null, self.suspect_n / (self.reference_n + self.suspect_n)
        split, chances = shares(null, share), weights(null.shape)
        needed = [-_z(min(_ONE_LOOK * budget, 0.5)) for budget in self.trial.budgets]

        def clear(count: float) -> float:
            clumps = self._clumps(count)
            ours, theirs = (count - 0.5) / clumps + 0.5, (self.events + 0.5) / clumps + 0.5
            tails = (betainc(ours, theirs, split) @ chances).tolist()
            return min(-_z(tail) - least for tail, least in zip(tails, needed, strict=True))

        found = _root(clear, *self._guess(needed[0]), least=0.6)
        return max(found + _ROUNDING, float(sequential.MIN_EVENTS))

    def _guess(self, needed: float) -> tuple[float, float]:
        """About the count that is so many deviations off, and deviations per event there."""
        null = self.trial.null
        odds = null.hurdles[0] * self.suspect_n / self.reference_n
        usual, uneven = odds * self.events, null.spread**2
        variance = null.phi * odds * (usual + self.events) + uneven * usual**2
        ahead, slope = _ahead(needed, variance, null.phi * odds + uneven * usual)
        return usual + ahead + 0.5, slope

    def chance(self, boundary: float, mean: float) -> float:
        """That a suspect with so many events on average reaches the boundary."""
        thin = self.variance(boundary, mean) / mean
        return float(gammainc((boundary - 0.5) / thin + 0.5, mean / thin))

    def variance(self, boundary: float, mean: float) -> float:
        """Of such a suspect's events, relative to the boundary that moves with the reference's."""
        null, usual = self.trial.null, self.events * self.suspect_n / self.reference_n
        # How the boundary moves with the reference's count: its distance from what is usual as a root.
        odds = null.hurdles[0] * usual / self.events
        above, known = max(boundary - odds * self.events, 0.0), max(self.events, 1.0)
        slope = min(odds + above / (2 * known), boundary / known)
        clumps, rest = self._clumps(mean), max(1 - mean / self.suspect_n, 0.0)
        own = clumps * mean * rest + (null.canary_cv * mean) ** 2
        return own + slope**2 * (clumps * self.events + (null.baseline_cv * self.events) ** 2)

    def _clumps(self, count: float) -> float:
        """Dispersion of a block's errors: one without company cannot clump."""
        spread = self.trial.null.phi - 1
        company = (self.events + count) / self.trial.blocks + spread
        return 1 + spread * -math.expm1(-company / max(1.0, spread))


def _ahead(deviations: float, variance: float, growth: float) -> tuple[float, float]:
    """How far off so many deviations are, and deviations per event there: with each the variance grows."""
    half = deviations * growth / 2
    spread = half + math.sqrt(half**2 + variance)
    return deviations * spread, (1 - half / spread) / spread


def _root(
    function: Callable[[float], float],
    guess: float,
    slope: float,
    *,
    least: float = 1.0,
    most: float = math.inf,
) -> float:
    """Where a rising function crosses 0 between two bounds, by secants; else the nearer bound."""
    low, high, precise = least, most, 0.0
    at = min(max(guess, low), high)
    value = function(at)
    # Every step goes on inside the bounds known by then, so there is a last one; nobody asks what is there.
    while True:
        low, high = (at, high) if value < 0 else (low, at)
        beyond = at - value / slope
        inside = min(max(beyond, (at + 3 * low) / 4), 4 * at if high == math.inf else (at + 3 * high) / 4)
        step = inside - at
        if not abs(step) > precise * inside:
            return inside
        found = function(inside)
        # A guessed slope may be far off, so its step is never the last.
        slope, precise = max((found - value) / step, _FLATTEST / inside), _PRECISE
        at, value = inside, found


def _z(chance: float) -> float:
    return float(ndtri(min(max(chance, _LEAST), 1 - 1e-15)))
