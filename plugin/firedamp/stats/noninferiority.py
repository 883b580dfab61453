"""
Harm is excluded: the test behind a pass.

That nothing was found is no proof of health, so a pass asks the opposite question, once, when
the window is over: could a canary this quiet still be worse by the margin? A proportion passes
when a rise by the ratio margin is ruled out, or when its rate is surely less than the absolute
margin above the baseline's, whichever comes first.

Source: Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, ch. 6;
upper bound of a Poisson rate: Garwood (1936), Biometrika 28, 437-442; bounds of a share:
Clopper & Pearson (1934), Biometrika 26, 404-413.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import betaincinv, gammaincc, gammainccinv

from firedamp.stats import betabinomial
from firedamp.stats.null import Null, shares, weights


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """
    Whether harm beyond the margin is excluded, and what the canary may still be.

    Attributes:
        passed: a margin is excluded at the level; never so without requests in both arms.
        p_value: the smaller of the two below, in [0, 1].
        ratio_p: chance of so few canary errors, were its odds `margin_ratio` times the
            baseline's. *Exact* without clumps for Gamma pods, up to 1,000 errors.
        absolute_p: chance of so few, were its rate `margin_absolute` above the baseline's
            observed one. *Approximate*: doubt about the baseline's rate counts as dispersion.
        upper_rate: largest rate of the canary that is not excluded, in [0, 1].
        ratio: canary's rate over the baseline's, 1/2 added to both counts, in (0, inf).
        ratio_interval: bounds of that ratio, each end one-sided at the level; the upper one is
            inf where nothing is excluded. *Exact* (Clopper-Pearson) without dispersion.
    """

    passed: bool
    p_value: float
    ratio_p: float
    absolute_p: float
    upper_rate: float
    ratio: float
    ratio_interval: tuple[float, float]


_NOTHING_SEEN = NonInferiority(False, 1.0, 1.0, 1.0, 1.0, 1.0, (0.0, math.inf))


def proportion_pass(  # noqa: PLR0913 - two samples, two margins, and how to read them
    baseline_events: float,
    baseline_n: float,
    canary_events: float,
    canary_n: float,
    *,
    margin_ratio: float = 2.0,
    margin_absolute: float = 0.005,
    level: float = 0.05,
    dispersion: float = 1.0,
    pods: tuple[float, float] = (0.0, 0.0),
    expected_share: float | None = None,
    baseline_rate: float | None = None,
) -> NonInferiority:
    """
    Judge whether the canary's errors exclude a rise beyond either margin.

    Args:
        baseline_events: errors of the baseline, ≥ 0; fractions are rounded.
        baseline_n: requests of the baseline; 0 never passes.
        canary_events: errors of the canary, ≥ 0; fractions are rounded.
        canary_n: requests of the canary; 0 never passes.
        margin_ratio: odds ratio to exclude, > 1.
        margin_absolute: rise of the rate to exclude, as a share of requests, > 0.
        level: of this judgement, in (0, 1).
        dispersion: variance of the counts relative to independent errors, ≥ 1.
        pods: coefficients of variation of the baseline's and the canary's mean rates that their pods
            make (`dispersion.arm_spread`), ≥ 0.
        expected_share: the canary's share of all errors, were both arms alike: the mean of
            the blocks' shares weighted by their errors. Without it the share of requests,
            which holds only while the traffic weight stood still.
        baseline_rate: the baseline's error rate at the times when the canary had its traffic: the
            mean of the blocks' rates weighted by the canary's requests. Without it events / n,
            with the same restriction. Only the absolute margin refers to it.

    Raises:
        ValueError: a count is negative or not finite.
    """
    counts = (baseline_events, baseline_n, canary_events, canary_n)
    if not all(0 <= count < math.inf for count in counts):
        raise ValueError(f"counts are {counts}, expected finite numbers ≥ 0")
    if not (baseline_n > 0 and canary_n > 0):
        return _NOTHING_SEEN
    b, c = math.floor(baseline_events + 0.5), math.floor(canary_events + 0.5)
    share = canary_n / (baseline_n + canary_n) if expected_share is None else expected_share
    ceiling = (b / baseline_n if baseline_rate is None else baseline_rate) + margin_absolute
    ratio_p = _ratio_p(b, c, share, Null(margin_ratio - 1, dispersion, *pods))
    whole = dispersion + (b + c) * share * (1 - share) * (pods[0] ** 2 + pods[1] ** 2)
    # The baseline's rate is an estimate too: at the margin a difference of rates has so much more variance.
    doubt = whole * (1 + canary_n / baseline_n * (1 - margin_absolute / ceiling))
    absolute_p = float(gammaincc(c / doubt + 1, canary_n * ceiling / doubt))
    p_value = min(ratio_p, absolute_p)
    return NonInferiority(
        passed=p_value <= level,
        p_value=p_value,
        ratio_p=ratio_p,
        absolute_p=absolute_p,
        upper_rate=upper_rate(c, canary_n, level=level, dispersion=whole),
        ratio=_odds(c + 0.5, b + 0.5, share),
        ratio_interval=_ratio_interval(b / whole, c / whole, share, level),
    )


def upper_rate(events: float, n: float, *, level: float = 0.05, dispersion: float = 1.0) -> float:
    """
    Largest error rate that these counts do not exclude, in [0, 1]; *exact* for Poisson errors.

    Args:
        events: errors seen, ≥ 0.
        n: requests seen; 0 excludes nothing and gives 1.
        level: one-sided, in (0, 1).
        dispersion: variance of the counts relative to independent errors, ≥ 1.

    Source: Garwood (1936), with counts divided by the dispersion.
    """
    if not n > 0:
        return 1.0
    return min(1.0, dispersion * float(gammainccinv(events / dispersion + 1, level)) / n)


def _ratio_p(b: int, c: int, share: float, margin: Null) -> float:
    """Chance of so few errors for a canary at the margin, whose pods may be better by accident."""
    if not 0 < share < 1:
        return 1.0
    worse = shares(margin, share)[0]
    return betabinomial.mixed_lower_tail(c, b + c, worse, weights(margin.shape), margin.phi)


def _ratio_interval(b: float, c: float, share: float, level: float) -> tuple[float, float]:
    low = float(betaincinv(c, b + 1, level)) if c > 0 else 0.0
    high = float(betaincinv(c + 1, b, 1 - level)) if b > 0 else 1.0
    return _odds(low, 1 - low, share), _odds(high, 1 - high, share)


def _odds(canary: float, baseline: float, share: float) -> float:
    expected = share * baseline
    return canary * (1 - share) / expected if expected > 0 else math.inf
