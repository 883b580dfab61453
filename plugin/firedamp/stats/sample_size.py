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
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaincc, ndtri

#: Requests to come, relative to those seen, for which a pass is looked for.
_STEPS: list[float] = [0.0, *np.geomspace(0.01, 1e5, 111).tolist()]
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
    course = _Course(rate, split, seen, float(ndtri(power)), dispersion, pods)
    unit = max(seen.canary_n, 1 / (rate + margin_absolute))
    return RequestsNeeded(
        seen.canary_n + _first(lambda more: course.ratio_p(more, margin_ratio), unit, level),
        seen.canary_n + _first(lambda more: course.absolute_p(more, margin_absolute), unit, level),
    )


@dataclass(frozen=True, slots=True)
class _Course:
    """
    How a comparison goes on: arguments as of `requests_needed`.

    Attributes:
        asked: how many standard deviations of bad luck a canary has, its pods' good luck aside.
    """

    rate: float
    split: float
    seen: Seen
    asked: float
    dispersion: float
    pods: tuple[float, float]

    def ratio_p(self, more: float, margin: float) -> float:
        """Chance of so few canary errors at these odds of an error to be the canary's."""
        events, (baseline_cv, canary_cv) = self._events(more), self.pods
        baseline = max((events[0] - 0.5) / self.dispersion + 0.5, _LEAST)
        canary = max((events[1] + 0.5) / self.dispersion + 0.5, _LEAST)
        # A Gamma factor on a Poisson mean: the inverse shapes add, and the mean stays.
        theirs, ours = 1 + baseline * baseline_cv**2, 1 + canary * canary_cv**2
        odds = self.split * margin * theirs / ours
        return float(betainc(baseline / theirs, canary / ours, 1 / (1 + odds)))

    def absolute_p(self, more: float, margin: float) -> float:
        """Chance of so few canary errors, were its rate above the baseline's by the margin."""
        (baseline, canary), split = self._events(more), self.split
        share = split / (1 + split)
        whole = self.dispersion + (baseline + canary) * share * (1 - share) * self._uneven
        ceiling = baseline / max(self.seen.baseline_n + more / split, _LEAST) + margin
        doubt = whole * (1 + split * (1 - margin / ceiling))
        return float(gammaincc(canary / doubt + 1, (self.seen.canary_n + more) * ceiling / doubt))

    def _events(self, more: float) -> tuple[float, float]:
        """Of both arms, after so many more canary requests."""
        events = self.rate * more
        # That its pods are better by accident is nothing a canary may be promised.
        differing = self._uneven * events**2 if self.asked > 0 else 0.0
        luck = self.asked * math.sqrt(self.dispersion * events * (1 + self.split) + differing)
        canary = max(self.seen.canary_events + events + luck, 0.0)
        return self.seen.baseline_events + events / self.split, canary

    @property
    def _uneven(self) -> float:
        return self.pods[0] ** 2 + self.pods[1] ** 2


def _first(chance: Callable[[float], float], unit: float, level: float) -> float:
    """Where a chance that falls comes down to the level, between the steps too; inf where it does not."""
    if chance(0.0) <= level:
        return 0.0
    # Only a lucky canary's chance rises again, and that lucky it passes already: bisecting finds the first.
    at = bisect_left(_STEPS, True, lo=1, key=lambda step: chance(step * unit) <= level)
    if at == len(_STEPS):
        return math.inf
    low, high = _STEPS[at - 1] * unit, _STEPS[at] * unit
    before, after = (math.log(max(chance(more), _LEAST)) for more in (low, high))
    return high - (high - low) * (math.log(level) - after) / (before - after)
