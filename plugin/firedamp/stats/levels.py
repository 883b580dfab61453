"""
Is the canary's level (memory, queue length, a percentile) higher? Student's t between pods.

A series of sixty points is not sixty samples: neighbours in time are nearly the same. The units are
therefore pods: each gives one number, its mean over the window, and pods of the same version differ by
a spread that is learnt from the baseline's pods and shrunk to a prior, so that a single pod per arm can
be judged too, with the caution it deserves. Ratios are judged on the logarithm.

*Exact* for log-normal levels between pods under the stated prior, else *approximate*.

Source: Welch (1947), Biometrika 34, 28-35, with the canary's variance taken from the baseline's;
shrunken variance: Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3(1), eq. 3 (moderated t).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

_LARGEST_LOG = math.log(sys.float_info.max)


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


def compare_levels(
    baseline: ArrayLike,
    canary: ArrayLike,
    *,
    tolerance: float,
    prior_cv: float = 0.1,
    prior_weight: float = 4.0,
) -> LevelTest | None:
    """
    Judge the canary's pods against the baseline's.

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


def _logs(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.asarray(values, dtype=np.float64)
    return np.log(found[np.isfinite(found) & (found > 0)])
