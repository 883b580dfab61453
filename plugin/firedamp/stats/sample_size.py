"""
How many requests are still needed.

"Not enough evidence yet" is honest only with a number. The test behind a pass is asked what it would say
of more and more requests, were both arms alike from now on. *Approximate*: a healthy canary's own luck makes
it need half or twice as many; the simulation is `benchmarks/forecast.py`.

Source: lower tails of a split, as an incomplete beta function: Johnson, Kemp & Kotz (2005), Univariate
Discrete Distributions, section 3.4; counts divided by their dispersion: Rao & Scott (1992), Biometrics 48,
577-585; "rule of three": Hanley & Lippman-Hand (1983), JAMA 249(13), 1743-1745.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincc, ndtri

Floats = NDArray[np.float64]

#: Requests to come, relative to those seen, for which a pass is looked for.
_STEPS = np.concatenate([[0.0], np.geomspace(0.01, 1e5, 111)])
_LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What a comparison counted so far; nothing before a release.

    Attributes:
        baseline_events, baseline_n: events and requests of the baseline, ≥ 0.
        canary_events, canary_n: likewise of the canary.
    """

    baseline_events: float = 0.0
    baseline_n: float = 0.0
    canary_events: float = 0.0
    canary_n: float = 0.0


@dataclass(frozen=True, slots=True)
class RequestsNeeded:
    """
    How many canary requests a canary like the baseline needs to pass, in all.

    Attributes:
        ratio: to exclude the ratio margin; inf where no number will do.
        absolute: to exclude the absolute margin; likewise.
    """

    ratio: float
    absolute: float


def requests_needed(  # noqa: PLR0913 - rate and split, two margins, and how noisy it is
    rate: float,
    split: float,
    seen: Seen = Seen(),
    *,
    margin_ratio: float = 2.0,
    margin_absolute: float = 0.005,
    level: float = 0.05,
    power: float = 0.5,
    dispersion: float = 1.0,
    pods: tuple[float, float] = (0.0, 0.0),
) -> RequestsNeeded:
    """
    Canary requests for a pass by `noninferiority.proportion_pass`. *Approximate.*

    What was seen counts as it is, the bad luck of a canary included; what is to come is taken to be like
    the baseline.

    Args:
        rate: share of both arms' requests that will fail, in [0, 1].
        split: the canary's requests for each of the baseline's, > 0.
        seen: so far.
        margin_ratio: odds ratio to exclude, > 1.
        margin_absolute: rise to exclude, as a share of requests, > 0.
        level: of the pass, in (0, 1).
        power: chance of a healthy canary to pass with so many, in (0, 1); a half for the usual one.
        dispersion: variance of the counts relative to independent errors, ≥ 1.
        pods: coefficients of variation of the arms' mean rates, as for `proportion_pass`.
    """
    more = _STEPS * max(seen.canary_n, 1 / (rate + margin_absolute))
    n, events = seen.canary_n + more, rate * more
    baseline = seen.baseline_events + events / split
    uneven = pods[0] ** 2 + pods[1] ** 2
    asked = float(ndtri(power))
    # That its pods are better by accident is nothing a canary may be promised.
    differing = uneven * events**2 if asked > 0 else 0.0
    luck = asked * np.sqrt(dispersion * events * (1 + split) + differing)
    canary = np.maximum(seen.canary_events + events + luck, 0.0)
    ratio = _ratio_p(baseline, canary, split * margin_ratio, dispersion, pods)
    share = split / (1 + split)
    whole = dispersion + (baseline + canary) * share * (1 - share) * uneven
    ceiling = baseline / np.maximum(seen.baseline_n + more / split, _LEAST) + margin_absolute
    doubt = whole * (1 + split * (1 - margin_absolute / ceiling))
    absolute = gammaincc(canary / doubt + 1, n * ceiling / doubt)
    return RequestsNeeded(_first(n, ratio, level), _first(n, absolute, level))


def _ratio_p(
    baseline: Floats, canary: Floats, odds: float, dispersion: float, pods: tuple[float, float]
) -> Floats:
    """(steps,) chances of so few canary errors at these odds of an error to be the canary's."""
    counts = (baseline - 0.5) / dispersion + 0.5, (canary + 0.5) / dispersion + 0.5
    # A Gamma factor on a Poisson mean: the inverse shapes add, and the mean stays.
    thinned = [1 + np.maximum(count, _LEAST) * cv**2 for count, cv in zip(counts, pods, strict=True)]
    theirs, ours = (np.maximum(count, _LEAST) / less for count, less in zip(counts, thinned, strict=True))
    return np.asarray(betainc(theirs, ours, 1 / (1 + odds * thinned[0] / thinned[1])))


def _first(n: Floats, chances: Floats, level: float) -> float:
    """Where the chances fall to the level, between the steps too; inf where they do not."""
    low = chances <= level
    if not low.any():
        return math.inf
    at = int(low.argmax())
    if at == 0:
        return float(n[0])
    after, before = np.log(np.maximum(chances[at - 1 : at + 1], _LEAST))[::-1]
    return float(n[at] - (n[at] - n[at - 1]) * (math.log(level) - after) / (before - after))
