"""
What a good release may look like: the hypothesis that must be refuted before one is rolled back.

A good canary may have more errors than the baseline for three reasons: its odds may be higher by a
tolerance, its few pods may be worse than theirs by accident, and its errors may come in clumps. Pods
are a factor on the odds, the ratio of two means of Gamma rates (an F variable), integrated on nodes.

Two shapes say how the tolerance and the pods go together:

- `MAX`: the larger of the two. Being worse by accident and by the tolerance at once is not granted,
  which finds harm sooner. Two hurdles keep it honest: at alpha itself a canary within two fifths of
  the tolerance, at ten times alpha one within all of it. How much pods differ must be known.
- `PRODUCT`: both at once, one hurdle. For few pods that are not known well.

Source: the ratio of Gamma means: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate
Distributions 2, chapter 27. *Approximate* where pods are not Gamma; log-normal ones of the same
coefficient of variation differ little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, ndtr

Floats = NDArray[np.float64]

#: Shares are kept within these: each arm has a chance of an error, however little traffic it has.
_HARDLY_ANY, _NEARLY_ALL = 1e-100, 1 - 1e-12
#: A coefficient of variation below this is none.
_EVEN = 1e-3
#: Part of the tolerance that is kept at alpha itself, and the multiple of alpha that keeps all of it.
_INNER, _LOOSE = 0.4, 10.0


class Shape(Enum):
    """How the tolerance and the difference of pods go together."""

    MAX = "max"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Null:
    """
    What a good release may look like.

    Attributes:
        tolerance: the canary's odds of an error may be (1 + tolerance) times the baseline's; > -1.
        phi: variance of the errors of a block relative to independent ones, ≥ 1.
        baseline_cv: coefficient of variation of the baseline's mean rate that its pods make, ≥ 0
            (`dispersion.arm_spread`).
        canary_cv: likewise of the canary's.
        shape: how the tolerance and the pods go together.
    """

    tolerance: float
    phi: float = 1.75
    baseline_cv: float = 0.0
    canary_cv: float = 0.0
    shape: Shape = Shape.PRODUCT

    def __post_init__(self) -> None:
        cvs = 0 <= self.baseline_cv < math.inf and 0 <= self.canary_cv < math.inf
        if not (-1 < self.tolerance < math.inf and 1 <= self.phi < math.inf and cvs):
            raise ValueError(f"{self}: expected tolerance > -1, phi ≥ 1, both cv ≥ 0")

    @property
    def spread(self) -> float:
        """Standard deviation of the odds between the arms that pods alone make."""
        return math.hypot(self.baseline_cv, self.canary_cv)

    @property
    def multiples(self) -> tuple[float, ...]:
        """(hurdles,) multiples of alpha at which each hurdle is kept; all must be cleared."""
        return (1.0, _LOOSE) if self.shape is Shape.MAX else (1.0,)

    @property
    def hurdles(self) -> tuple[float, ...]:
        """(hurdles,) odds of a canary whose pods are as good as the baseline's."""
        inner = 1 + (_INNER * self.tolerance if self.tolerance > 0 else self.tolerance)
        return (inner, 1 + self.tolerance) if self.shape is Shape.MAX else (1 + self.tolerance,)


def shares(null: Null, canary_share: float, *, coarse: bool = True) -> Floats:
    """
    The canary's share of the errors under the null.

    Args:
        null: what a good release may look like.
        canary_share: of the requests, in (0, 1).
        coarse: on the nodes of the exact regime; else on the finer ones of the normal regime.

    Returns:
        (hurdles, nodes) shares in (0, 1).
    """
    return shares_at(odds(null, coarse=coarse), canary_share)


def shares_at(odds: float | Floats, canary_share: float | Floats) -> Floats:
    """(...) shares of the errors for these odds and shares of the requests, each one or (...)."""
    part = canary_share * odds
    return np.asarray(np.maximum(np.minimum(part / (1 - canary_share + part), _NEARLY_ALL), _HARDLY_ANY))


def weights(shape: Shape, *, coarse: bool = True) -> Floats:
    """(nodes,) chances of the pods' factor, adding up to 1."""
    return _nodes(shape, coarse)[1]


def odds(null: Null, *, coarse: bool = True) -> Floats:
    """
    (hurdles, nodes) odds of a canary's error to a baseline's, read-only; nodes as in `shares`.

    Coefficients of variation count to three digits, which is more than is known of them.
    """
    return _odds_of(null, coarse)


@lru_cache(maxsize=1024)
def _odds_of(null: Null, coarse: bool) -> Floats:
    cvs = float(f"{null.baseline_cv:.3g}"), float(f"{null.canary_cv:.3g}")
    return _odds(null.shape, null.hurdles, cvs, coarse)


@lru_cache(maxsize=4096)
def _odds(shape: Shape, hurdles: tuple[float, ...], cvs: tuple[float, float], coarse: bool) -> Floats:
    factors, bare = _factors(shape, cvs, coarse)[None, :], np.array(hurdles)[:, None]
    found = np.maximum(bare, factors) if shape is Shape.MAX else bare * factors
    found.setflags(write=False)
    return np.asarray(found)


def _factors(shape: Shape, cvs: tuple[float, float], coarse: bool) -> Floats:
    """(nodes,) quantiles of the pods' factor on the odds."""
    places, _ = _nodes(shape, coarse)
    if math.hypot(*cvs) < _EVEN:
        return np.ones(places.size)
    baseline, canary = (2 / max(cv, _EVEN) ** 2 for cv in cvs)
    # Both tails from below: quantiles near 1 would lose their digits.
    above = places > 0
    found = np.empty(places.size)
    found[~above] = fdtri(canary, baseline, ndtr(places[~above]))
    found[above] = 1 / fdtri(baseline, canary, ndtr(-places[above]))
    return found


@lru_cache(maxsize=8)
def _nodes(shape: Shape, coarse: bool) -> tuple[Floats, Floats]:
    """Places and weights of a standard normal; the right is longer, for false alarms come from there."""
    places = np.arange(-3.0, 5.25, 0.5) if coarse else np.arange(-5.0, 6.125, 0.25)
    mass = np.exp(-(places**2) / 2)
    mass /= mass.sum()
    if shape is Shape.MAX:
        # Where the pods are no worse than the baseline's the tolerance holds: one node for all of them.
        below = places <= 0
        places, mass = np.append(0.0, places[~below]), np.append(mass[below].sum(), mass[~below])
    return places, mass
