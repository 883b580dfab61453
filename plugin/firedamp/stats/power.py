"""
What could have been seen, and what is still needed.

"Not enough evidence yet" is honest only with a number: how many more requests until the canary
can pass, and how large a rise would have been noticed by now. Planning formulae, *approximate*:
they say about how long, to within a third, and decide nothing but an advance.

Source: sample size for the log of a rate ratio, e.g. Zhu & Lakkis (2014), Statistics in Medicine
33(3), 376-387; "rule of three": Hanley & Lippman-Hand (1983), JAMA 249(13), 1743-1745.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from scipy.special import ndtri

from firedamp.stats import betabinomial

#: A test over many looks finds at its end about what one look at this share of alpha finds.
SEQUENTIAL_SHARE = 0.45
#: Fewer errors of the canary than this never fail it (`sequential.MIN_EVENTS`).
MIN_EVENTS = 3
#: No rise larger than this is looked for.
MAX_RATIO = 1e4
#: The total number of errors is random too: power is averaged over the middles of its fifths.
_QUINTILES = (-1.2816, -0.5244, 0.0, 0.5244, 1.2816)


@dataclass(frozen=True, slots=True)
class RequestsNeeded:
    """
    How many canary requests a healthy canary needs to pass.

    Attributes:
        ratio: to exclude the ratio margin; inf where the baseline has no errors.
        absolute: to exclude the absolute margin.
        missing: the smaller of the two less what was seen, rounded up, ≥ 0.
    """

    ratio: float
    absolute: float
    missing: int


def requests_needed(  # noqa: PLR0913 - two samples, two margins, three rates of error
    baseline_rate: float,
    *,
    baseline_n: float,
    canary_n: float,
    margin_ratio: float = 2.0,
    margin_absolute: float = 0.005,
    level: float = 0.05,
    power: float = 0.8,
    dispersion: float = 1.0,
) -> RequestsNeeded:
    """
    Canary requests for a pass by `noninferiority.proportion_pass`, and how many are missing.

    Args:
        baseline_rate: share of requests that fail, in [0, 1].
        baseline_n: requests of the baseline so far, for the split of traffic.
        canary_n: requests of the canary so far.
        margin_ratio: ratio to exclude, > 1.
        margin_absolute: rise to exclude, as a share of requests, > 0.
        level: of the pass, in (0, 1).
        power: chance of a healthy canary to pass, in (0, 1).
        dispersion: variance of the counts relative to independent errors, ≥ 1.
    """
    reach = dispersion * float(ndtri(power) - ndtri(level)) ** 2
    split = canary_n / baseline_n if baseline_n > 0 else math.inf
    errors = reach * (1 + split) / math.log(margin_ratio) ** 2
    ratio = errors / baseline_rate if baseline_rate > 0 else math.inf
    # With no errors at all ln(1/level) of them must be excluded; errors that do occur add their noise.
    silence = -dispersion * math.log(level) / margin_absolute
    known = baseline_n > 0 and baseline_rate > 0
    doubt = 1 + split * baseline_rate / (baseline_rate + margin_absolute) if known else 1.0
    absolute = doubt * (silence + reach * baseline_rate / margin_absolute**2)
    return RequestsNeeded(ratio, absolute, max(0, math.ceil(min(ratio, absolute) - canary_n)))


def detection_power(
    baseline_rate: float,
    *,
    baseline_n: float,
    canary_n: float,
    ratio: float,
    alpha: float,
    dispersion: float = 1.0,
    tolerance: float = 0.25,
) -> float:
    """
    Chance that a canary with `ratio` times the baseline's error rate would have failed by now.

    Args:
        baseline_rate: share of requests that fail, in [0, 1]; 0 gives 0: nothing times
            five is nothing, so pass a rate that the counts still allow.
        baseline_n: requests of the baseline so far.
        canary_n: requests of the canary so far.
        ratio: the rise asked about, ≥ 1; the canary's rate is capped at 1.
        alpha: budget of the check over the whole window.
        dispersion: variance of the counts relative to independent errors, ≥ 1.
        tolerance: what the null allows on the odds.

    Returns:
        A probability, averaged over the number of errors; 0 without requests in both arms.
    """
    expected = baseline_rate * baseline_n, min(baseline_rate * ratio, 1.0) * canary_n
    if min(expected) <= 0:
        return 0.0
    share = canary_n / (canary_n + baseline_n)
    allowed = share * (1 + tolerance) / (1 + share * tolerance)
    spread = math.sqrt(dispersion * sum(expected))
    totals = [max(0, round(sum(expected) + spread * z)) for z in _QUINTILES]
    chances = [
        _power(total, allowed, expected[1] / sum(expected), alpha=alpha, dispersion=dispersion)
        for total in totals
    ]
    return sum(chances) / len(chances)


def detectable_ratio(
    baseline_rate: float,
    *,
    baseline_n: float,
    canary_n: float,
    alpha: float,
    power: float = 0.8,
    dispersion: float = 1.0,
    tolerance: float = 0.25,
) -> float:
    """
    Smallest rise of the error rate that would have been seen by now with this power.

    Arguments as in `detection_power`.

    Returns:
        A ratio > 1, to 1 %; inf where even a canary that fails every request (or 10,000 times
        the baseline's errors) would have gone unseen.
    """
    chance = partial(
        detection_power,
        baseline_rate,
        baseline_n=baseline_n,
        canary_n=canary_n,
        alpha=alpha,
        dispersion=dispersion,
        tolerance=tolerance,
    )
    low, high = 1.0, min(MAX_RATIO, 1 / max(baseline_rate, 1 / MAX_RATIO))
    if chance(ratio=high) < power:
        return math.inf
    while high > low * 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if chance(ratio=middle) >= power else (middle, high)
    return high


def _power(total: int, allowed: float, true: float, *, alpha: float, dispersion: float) -> float:
    boundary = betabinomial.critical(total, allowed, SEQUENTIAL_SHARE * alpha, dispersion)
    if boundary > total:
        return 0.0
    return betabinomial.upper_tail(max(boundary, MIN_EVENTS), total, true, dispersion)
