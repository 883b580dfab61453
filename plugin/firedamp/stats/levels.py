"""
Is the canary's level (memory, queue length, a percentile) higher? Between pods, on the logarithm.

A series of sixty points is not sixty samples: neighbours in time are nearly the same. The units are
therefore pods: each gives one number, its mean over the window. Three tests of the same question:

- `compare_levels`, for any number of pods: pods of the same version differ by a spread that is learnt from
  the baseline's and shrunk to a prior, so that a single pod per arm can be judged too, with due caution.
  *Exact* for log-normal levels between pods under the stated prior, else *approximate*.
- `welch_levels`, for two pods an arm and more whose versions differ in spread: no prior, each arm's own
  spread. *Approximate* (Satterthwaite's degrees of freedom).
- `permute_levels`, for pods of any distribution: all ways to call so many of them the canary's. *Exact* where
  all are counted, with a smallest p-value of 1 / C(pods, canary pods); seeded draws where they are too many.

Source: Welch (1947), Biometrika 34, 28-35; shrunken variance: Smyth (2004), Stat. Appl. Genet. Mol. Biol.
3(1), eq. 3 (moderated t); Fisher (1935), The Design of Experiments, section 21; p-values of drawn
permutations: Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1), eq. 2.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]

_LARGEST_LOG = math.log(sys.float_info.max)
#: Ways up to which all are counted, and how many are drawn beyond: some 20 ms either way.
EXACT_WAYS, DRAWN_WAYS = 20_000, 20_000
# Sums of the same numbers in another order differ by less, relative to the largest of them.
_SAME_SUM = 1e-12


@dataclass(frozen=True, slots=True)
class LevelTest:
    """
    Two arms' levels compared.

    Attributes:
        ratio: canary's geometric mean over the baseline's; 0 or inf where no float is as small or large.
        interval: 95 % two-sided bounds of that ratio, in [0, inf], likewise.
        p_value: one-sided, H0: the canary is at most (1 + tolerance) times the baseline.
        lower_p: one-sided, H0: the canary is at least that high; small means harm is excluded.
        baseline, canary: geometric means, in the values' own unit, likewise.
        freedom: degrees of freedom of the t distribution, prior included.
    """

    ratio: float
    interval: tuple[float, float]
    p_value: float
    lower_p: float
    baseline: float
    canary: float
    freedom: float


@dataclass(frozen=True, slots=True)
class LevelPermutation:
    """
    Two arms' levels compared by exchanging pods.

    Attributes:
        p_value: one-sided, H0: the canary's pods are the baseline's times (1 + tolerance) at most, in (0, 1].
        lower_p: one-sided, H0: they are at least that; small means harm is excluded.
        ratio: canary's geometric mean over the baseline's; 0 or inf where no float is as small or large.
        ways: how many ways to choose the canary's pods were looked at, the true one included.
        exact: all of them were; else they were drawn.
    """

    p_value: float
    lower_p: float
    ratio: float
    ways: int
    exact: bool


def compare_levels(
    baseline: ArrayLike,
    canary: ArrayLike,
    *,
    tolerance: float,
    prior_cv: float = 0.1,
    prior_weight: float = 4.0,
) -> LevelTest | None:
    """
    Judge the canary's pods against the baseline's. *Exact* for log-normal levels under the prior.

    Args:
        baseline: (pods,) mean level of each pod of the baseline.
        canary: (pods,) likewise.
        tolerance: how much higher the canary may be, as a share, > -1.
        prior_cv: coefficient of variation between pods to shrink to, > 0.
        prior_weight: how many pods the prior is worth, > 0.

    Returns:
        None where an arm has no pod with a finite level above 0: ratios mean nothing there. Levels
        may be any other floats: p-values stay in [0, 1], and what leaves a float's range is 0 or inf.
    """
    b, c = _logs(baseline), _logs(canary)
    if not (b.size and c.size):
        return None
    freedom = prior_weight + b.size - 1
    variance = (prior_weight * prior_cv**2 + float(np.sum((b - b.mean()) ** 2))) / freedom
    error = math.sqrt(variance * (1 / b.size + 1 / c.size))
    return _judged(b, c, error=error, freedom=freedom, tolerance=tolerance)


def welch_levels(baseline: ArrayLike, canary: ArrayLike, *, tolerance: float) -> LevelTest | None:
    """
    Judge the canary's pods against the baseline's by Welch's t: each arm with its own spread. *Approximate.*

    Args:
        baseline: (pods,) mean level of each pod of the baseline.
        canary: (pods,) likewise.
        tolerance: how much higher the canary may be, as a share, > -1.

    Returns:
        None where an arm has fewer than two pods with a finite level above 0. Pods that are all the same
        have no spread; one that no float can tell from 0 stands in for it.
    """
    b, c = _logs(baseline), _logs(canary)
    if min(b.size, c.size) < 2:
        return None
    parts = float(np.var(b, ddof=1)) / b.size, float(np.var(c, ddof=1)) / c.size
    floor = (_SAME_SUM * max(1.0, abs(float(b.mean())))) ** 2
    below = parts[0] ** 2 / (b.size - 1) + parts[1] ** 2 / (c.size - 1)
    freedom = sum(parts) ** 2 / below if below > 0 else float(min(b.size, c.size) - 1)
    error = math.sqrt(max(sum(parts), floor))
    return _judged(b, c, error=error, freedom=freedom, tolerance=tolerance)


def permute_levels(
    baseline: ArrayLike, canary: ArrayLike, *, tolerance: float, rng: np.random.Generator | None = None
) -> LevelPermutation | None:
    """
    Judge the canary's pods against the baseline's by all ways to tell them apart.

    *Exact* up to 20,000 ways, whatever the distribution of levels, as long as it is the same in both arms but
    for the factor; *approximate* beyond, by as many draws, and never below 1 / 20,001.

    Args:
        baseline: (pods,) mean level of each pod of the baseline.
        canary: (pods,) likewise.
        tolerance: how much higher the canary may be, as a share, > -1.
        rng: for the draws; the same state gives the same p-value.

    Returns:
        None where an arm has no pod with a finite level above 0.

    Raises:
        ValueError: there are too many ways to count and nothing to draw with.
    """
    b, c = _logs(baseline), _logs(canary)
    if not (b.size and c.size):
        return None
    pods = np.concatenate((b, c - math.log1p(tolerance)))
    ways = math.comb(pods.size, c.size)
    if ways > EXACT_WAYS and rng is None:
        raise ValueError(f"{ways} ways to choose {c.size} of {pods.size} pods, expected an rng to draw some")
    sums = _all_sums(pods, c.size) if ways <= EXACT_WAYS or rng is None else _drawn_sums(pods, c.size, rng)
    seen, slack = float(pods[b.size :].sum()), _SAME_SUM * (1 + float(np.abs(pods).sum()))
    return LevelPermutation(
        p_value=float(np.mean(sums >= seen - slack)),
        lower_p=float(np.mean(sums <= seen + slack)),
        ratio=_exp(float(c.mean() - b.mean())),
        ways=sums.size,
        exact=ways <= EXACT_WAYS,
    )


def _all_sums(pods: Floats, size: int) -> Floats:
    """Sum of each choice of so many pods."""
    chosen = np.fromiter(_flat(pods.size, size), dtype=np.intp).reshape(-1, size)
    return np.asarray(pods[chosen].sum(axis=1))


def _flat(pods: int, size: int) -> Iterator[int]:
    return (index for choice in combinations(range(pods), size) for index in choice)


def _drawn_sums(pods: Floats, size: int, rng: np.random.Generator) -> Floats:
    """The true choice, last, and many that were drawn."""
    order = np.argsort(rng.random((DRAWN_WAYS, pods.size)), axis=1)[:, :size]
    return np.append(pods[order].sum(axis=1), pods[pods.size - size :].sum())


def _judged(b: Floats, c: Floats, *, error: float, freedom: float, tolerance: float) -> LevelTest:
    shift = float(c.mean() - b.mean())
    t = (shift - math.log1p(tolerance)) / error
    reach = float(stdtrit(freedom, 0.975)) * error
    return LevelTest(
        ratio=_exp(shift),
        interval=(_exp(shift - reach), _exp(shift + reach)),
        p_value=float(stdtr(freedom, -t)),
        lower_p=float(stdtr(freedom, t)),
        baseline=_exp(float(b.mean())),
        canary=_exp(float(c.mean())),
        freedom=freedom,
    )


def _exp(log: float) -> float:
    return math.exp(log) if log <= _LARGEST_LOG else math.inf


def _logs(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    return np.asarray(np.log(found[np.isfinite(found) & (found > 0)]))
