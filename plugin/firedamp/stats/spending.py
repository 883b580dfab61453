"""
How much of alpha may be used by when.

A guard that looks every half minute must spread its chance of a false alarm over all looks.
A spending function says how much may be gone by a fraction of the window (Lan and DeMets),
and a reserve is kept for the time after the window, released ever more slowly, so that a
guard may be asked for ever. For Gaussian statistics with independent increments the nominal
level of each look follows by integrating the paths that have not crossed yet (Armitage,
McPherson and Rowe).

Source: Lan & DeMets (1983), Biometrika 70(3), 659-663; Armitage, McPherson & Rowe (1969),
JRSS A 132(2), 235-244; spending by a power of time: Kim & DeMets (1987), Biometrika 74(1), 149-154.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

#: Looks closer than this, relative to the time elapsed, share one integration.
_MIN_STEP = 0.015
#: Paths are followed between these multiples of their standard deviation.
_REACH = 8.0
_ZERO = 1e-15
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
_ROOT_2PI = math.sqrt(2 * math.pi)


class Spending(Enum):
    """How alpha is spread over the window, by its elapsed share t."""

    ROOT = "root"  # √t: a large fault is found early
    POCOCK = "pocock"  # ln(1 + (e - 1) t): about as much at each of many looks

    def spent(self, fraction: float) -> float:
        """Share of alpha spent by this fraction of the window, which is clipped to [0, 1]."""
        time = min(max(fraction, 0.0), 1.0)
        return math.sqrt(time) if self is Spending.ROOT else math.log1p((math.e - 1) * time)


@dataclass(frozen=True, slots=True)
class Budget:
    """
    The probability of a false alarm that may be used up, over all time.

    Attributes:
        alpha: in (0, 1).
        reserve: share of alpha kept for looks after the window, in [0, 1).
        spending: how the rest is spread over the window.
    """

    alpha: float
    reserve: float = 0.1
    spending: Spending = Spending.ROOT

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 1 and 0 <= self.reserve < 1):
            raise ValueError(f"alpha is {self.alpha}, reserve {self.reserve}: expected (0, 1) and [0, 1)")

    def spent_by(self, fraction: float) -> float:
        """
        Alpha that may be used by `fraction` of the window: rising, below alpha for ever.

        Args:
            fraction: elapsed time over the maximum window, ≥ 0; beyond 1 the reserve is
                released as 1 - 1/t, half of it by twice the window.
        """
        kept = self.reserve * self.alpha
        late = 1.0 - 1.0 / max(fraction, 1.0)
        return (self.alpha - kept) * self.spending.spent(fraction) + kept * late


def nominal_levels(budget: Budget, fractions: Sequence[float] | Floats) -> Floats:
    """
    One-sided level of each look that spends the budget, for a Gaussian test statistic.

    *Approximate* for counts, exact (to 1e-6) for Brownian motion; conservative where looks
    crowd: a look within 1.5 % of the elapsed time after the last one integrated gets half
    of what the budget grew by since the look before (a union bound), and the other half
    goes to the next one integrated. The level of a look depends on earlier looks only, so
    the levels of a longer plan begin with those of a shorter one: ask once for the longest.

    Args:
        budget: what may be spent by when.
        fractions: (looks,) elapsed fractions of the window, rising, > 0.

    Returns:
        (looks,) levels in [0, 1), read-only, cached.

    Raises:
        ValueError: fractions do not rise from above 0.
    """
    return _levels(budget, tuple(float(fraction) for fraction in fractions))


def informed_levels(allowances: Sequence[float], information: Sequence[float]) -> Floats:
    """
    One-sided level of each look, where what a look knows does not grow evenly with time.

    *Approximate* as `nominal_levels`, with which it agrees where information is the elapsed fraction. A look
    that knows hardly more than the one before may use half of its allowance (a union bound) and leaves the
    other half to the next that does. Traffic that grows, pauses, or brings nothing new because few pods
    differ loses none of the budget so.

    Args:
        allowances: (looks,) what the budget has grown by at each look, ≥ 0.
        information: (looks,) 1 / variance of the estimate at each look, in any unit, > 0; where it falls,
            as by a better estimate of noise, nothing new is known.

    Returns:
        (looks,) levels in [0, 1).
    """
    levels = np.zeros(len(allowances))
    walk, carried = _begin(), 0.0
    for look, (allowance, known) in enumerate(zip(allowances, information, strict=True)):
        if known < walk.time * (1 + _MIN_STEP):
            levels[look] = allowance / 2
            carried += allowance / 2
        else:
            levels[look], walk = _spend(walk, allowance + carried, known)
            carried = 0.0
    return levels


@dataclass(frozen=True, slots=True)
class _Walk:
    """Brownian paths that have not crossed: where they are at `time`, and how probably."""

    time: float
    place: Floats
    mass: Floats


def _begin() -> _Walk:
    return _Walk(0.0, np.zeros(1), np.ones(1))


def _stop(walk: _Walk, bound: float, time: float) -> _Walk:
    """Let the paths run on to `time` and keep those below the bound."""
    scale, floor = math.sqrt(time - walk.time), -_REACH * math.sqrt(time)
    half = (bound - floor) / 2
    place = floor + half * (_NODES + 1)
    moves = (place[:, None] - walk.place[None, :]) / scale
    density = np.exp(-0.5 * moves * moves) @ walk.mass / (scale * _ROOT_2PI)
    return _Walk(time, place, density * _WEIGHTS * half)


def _rising(fractions: tuple[float, ...]) -> tuple[float, ...]:
    if any(not late > early for early, late in zip((0.0, *fractions), fractions, strict=False)):
        raise ValueError(f"fractions are {fractions[:5]}..., expected numbers that rise from above 0")
    return fractions


@lru_cache(maxsize=64)
def _levels(budget: Budget, fractions: tuple[float, ...]) -> Floats:
    levels = np.zeros(len(fractions))
    walk, spent, before = _begin(), 0.0, 0.0
    for look, time in enumerate(_rising(fractions)):
        allowed = budget.spent_by(time)
        if time < walk.time * (1 + _MIN_STEP):
            levels[look] = (allowed - before) / 2
            spent += levels[look]
        else:
            levels[look], walk = _spend(walk, allowed - spent, time)
            spent = allowed
        before = allowed
    levels.setflags(write=False)
    return levels


def _spend(walk: _Walk, allowance: float, time: float) -> tuple[float, _Walk]:
    """The level at `time` that lets just `allowance` of the living paths cross."""
    top = _REACH * math.sqrt(time)
    if allowance < _ZERO:
        return 0.0, _stop(walk, top, time)
    bound = min(_bound(walk, allowance, time), top)
    return float(ndtr(-bound / math.sqrt(time))), _stop(walk, bound, time)


def _bound(walk: _Walk, allowance: float, time: float) -> float:
    # The log of the tail is concave and falling: Newton's steps arrive from the right, without overshoot.
    # The first guess is below 8 standard deviations off, each step at most one: twelve always do.
    root, scale = math.sqrt(time), math.sqrt(time - walk.time)
    bound = -float(ndtri(allowance)) * root
    for _ in range(12):
        gaps = (walk.place - bound) / scale
        tail = max(float(walk.mass @ ndtr(gaps)), 1e-300)
        slope = max(float(walk.mass @ np.exp(-0.5 * gaps * gaps)) / (scale * _ROOT_2PI), 1e-300)
        step = math.log(tail / allowance) * tail / slope
        bound += min(max(step, -root), root)
    return bound
