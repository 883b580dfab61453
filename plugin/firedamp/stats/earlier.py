"""
A rate against what it was before: windows of an earlier time instead of a control group.

Nothing runs beside what is judged here, so whatever else changed with time is mistaken for harm, unless it
has changed as much before. How much a rate wanders from one window to the next is read from the windows
themselves, and what is judged counts as one more of them, however long it lasts: a drift of half an hour
does not average out within that half hour.

Failures of both times are compared like those of two arms (given their sum, those of now are binomial). That
tail's normal score, and the logarithm of the ratio that it belongs to, tell the variance of counting; the
wandering's is added to it. How much a rate wanders is known by few windows, so the tail is averaged over all
that their chi-square leaves possible (Fisher's fiducial distribution): where nothing but wandering is left,
that is Student's t; where there is none, the binomial.

*Approximate*. Where the rate judged wanders like those of at least six windows before it, by a coefficient of
variation of one half at most, a `p_value` is at or below a level of 0.1 to 5 % with at most 1.5 times that
chance, and a `lower_p` at or below 5 % with at most 10 %; without wandering with a fifth of it or less.

Source: binomial test of two Poisson rates: Przyborowski & Wilenski (1940), Biometrika 31, 313-323; variance
between windows by moments: DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188; fiducial
averaging: Fisher (1935), Annals of Eugenics 6, 391-398; effective number: Kish (1965), Survey Sampling, 8.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrc, chdtri, ndtr, ndtri

from firedamp.stats.noise import Learnt

#: No tail is looked at further out: beyond, a normal score is not finite.
_SMALLEST = 1e-300
#: Chances at which a chi-square is asked: close to 0 and 1, where the tails are.
_CHANCES = 1 / (1 + np.exp(-np.linspace(-12, 12, 97)))
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rise:
    """
    A rate compared with an earlier one.

    Attributes:
        p_value: one-sided, H0: its odds are (1 + tolerance) times the earlier ones at most, in (0, 1].
        lower_p: one-sided, H0: they are `margin` times those at least; small means such a rise is excluded.
        ratio: of the rates, 1/2 added to both counts of failures, > 0.
    """

    p_value: float
    lower_p: float
    ratio: float


def learnt(failed: ArrayLike, total: ArrayLike) -> Learnt:
    """
    What earlier windows tell: how often there were failures, and how much their rate wandered.

    Args:
        failed: (windows,) failures of each, ≥ 0.
        total: (windows,) of how many, ≥ failed.

    Returns:
        `events` and `requests` over all windows; `phi_sum` Pearson's X² of the windows, and `phi_weight` its
        degrees of freedom, where windows differ in size those of as many equal ones.

    Raises:
        ValueError: counts are not finite, or not failures out of a total.
    """
    k, n = np.asarray(failed, float), np.asarray(total, float)
    if k.shape != n.shape or not np.all((k >= 0) & (k <= n) & np.isfinite(n)):
        raise ValueError(f"failures {k.tolist()} of {n.tolist()}: expected finite counts, 0 ≤ failures ≤ all")
    k, n = k[n > 0], n[n > 0]
    events, requests = float(k.sum()), float(n.sum())
    if n.size < 2:
        return Learnt(events=events, requests=requests)
    freedom = requests**2 / float(np.sum(n**2)) - 1
    return Learnt(_phi(k, n) * freedom, freedom, events=events, requests=requests)


def _phi(failed: Floats, total: Floats) -> float:
    """Pearson's X² of two or more windows over its degrees of freedom; 1 where there is nothing to wander."""
    rate = float(failed.sum() / total.sum())
    if not 0 < rate < 1:
        return 1.0
    expected = total * rate
    return float(np.sum((failed - expected) ** 2 / expected)) / (1 - rate) / (total.size - 1)


def compare(earlier: Learnt, failed: float, total: float, *, tolerance: float, margin: float) -> Rise | None:
    """
    Judge a rate by what it was before. *Approximate*, see above.

    Args:
        earlier: what windows of an earlier time told (`learnt`).
        failed: failures now, ≥ 0; fractions are rounded.
        total: of how many, ≥ failed.
        tolerance: rise of the odds that is no harm, ≥ 0.
        margin: rise of the odds to exclude, as a multiple, > 1.

    Returns:
        None where there is nothing to judge, or fewer than two windows of the earlier time.
    """
    if not (earlier.phi_weight > 0 and total > 0):
        return None
    k, before = math.floor(failed + 0.5), math.floor(earlier.events + 0.5)
    odds = total / earlier.requests
    wandering = _wandering(earlier)
    return Rise(
        p_value=_tail(k, before, odds * (1 + tolerance), wandering, upper=True),
        lower_p=_tail(k, before, odds * margin, wandering, upper=False),
        ratio=(k + 0.5) / (before + 0.5) / odds,
    )


def _tail(now: int, before: int, odds: float, wandering: Floats, *, upper: bool) -> float:
    """Chance of as many failures now, or as few, where they fall to now with these odds."""
    both, share = now + before, odds / (1 + odds)
    chance = float((bdtrc(now - 1, both, share) if now else 1.0) if upper else bdtr(now, both, share))
    score, ratio = -float(ndtri(max(chance, _SMALLEST))), math.log((now + 0.5) / (before + 0.5) / odds)
    distance = ratio if upper else -ratio
    if score <= 0 or distance <= 0:
        return max(chance, 0.5)
    # Of rates that wander most are below their mean: nothing that speaks against a rise.
    beyond = distance if upper else distance - wandering / 2
    tails = ndtr(-beyond / np.sqrt((distance / score) ** 2 + wandering))
    return float(np.clip(_weights() @ tails, chance, 0.5))


def _wandering(earlier: Learnt) -> Floats:
    """(chances,) variance of the logarithm of two windows' ratio, as far as it is not that of counts."""
    phi = earlier.phi_sum / _squares(earlier.phi_weight)
    mean = max(earlier.events, 0.5) / (1 + earlier.phi_weight)
    return np.log1p(np.maximum(phi - 1, 0) / mean) * (1 + 1 / (1 + earlier.phi_weight))


@lru_cache(maxsize=64)
def _squares(freedom: float) -> Floats:
    """(chances,) quantiles of a chi-square."""
    return np.asarray(chdtri(freedom, 1 - _CHANCES), float)


@lru_cache(maxsize=1)
def _weights() -> Floats:
    """(chances,) how likely each is, 1 in all."""
    steps = _CHANCES * (1 - _CHANCES)
    return np.asarray(steps / steps.sum(), float)
