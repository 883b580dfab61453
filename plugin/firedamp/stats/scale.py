"""
By what factor is the canary slower, or larger? Where a rank test turns as the baseline is stretched.

Of raw values that is the median of the ratios of all pairs. Of histograms it is searched for: the more the
baseline is stretched, the smaller z; where z = 0 both are alike, and where z = ±1.96 they are just not told
apart any more, which makes the interval.

*Approximate*: as the test is, and for histograms to a thousandth or so of the factor by interpolation.

Source: Hodges & Lehmann (1963), AMS 34, 598-611, on the logarithm of the values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_Z95 = 1.959963984540054
#: Scale factors are looked for between 1/50 and 50.
_MAX_LOG_SCALE = math.log(50.0)
_COARSE, _FINE = 61, 25
#: Pairs up to which raw values are compared one by one for their ratio.
_MAX_PAIRS = 1_000_000


def turning_scale(z_of: Callable[[Floats], Floats]) -> tuple[float, tuple[float, float]]:
    """
    The factor at which z = 0, and those at which z = ±1.96, by two passes over a grid. *Approximate.*

    Args:
        z_of: (scales,) factors > 0 to z of the test against the baseline stretched by each: (scales,),
            falling but for noise.

    Returns:
        The factor and its 95 % two-sided bounds: 0 or inf where they lie beyond 1/50 or 50.
    """
    wanted = np.array([0.0, _Z95, -_Z95])
    logs = np.linspace(-_MAX_LOG_SCALE, _MAX_LOG_SCALE, _COARSE)
    falling = _falling(z_of, logs)
    rough = np.interp(-wanted, -falling, logs)
    step = logs[1] - logs[0]
    fine = np.sort((rough[:, None] + np.linspace(-step, step, _FINE)[None, :]).ravel())
    near = _falling(z_of, fine)
    found = np.exp(np.interp(-wanted, -near, fine))
    found[wanted > falling[0]] = 0.0
    found[wanted < falling[-1]] = np.inf
    # Coarse buckets leave a plateau of factors that change nothing; 1 is the one to report.
    if z_of(np.ones(1))[0] == 0:
        found[0] = 1.0
    return float(found[0]), (float(found[1]), float(found[2]))


def _falling(z_of: Callable[[Floats], Floats], logs: Floats) -> Floats:
    # z falls with the scale but for the spread's own noise.
    return np.asarray(np.minimum.accumulate(z_of(np.exp(logs))))


def median_ratio(
    strata: Sequence[tuple[Floats, Floats]], standard_error: float
) -> tuple[float, tuple[float, float]]:
    """
    The median of the canary's values over the baseline's, pair by pair within each stratum. *Exact*; its
    bounds are *approximate*, by the normal distribution of θ.

    Args:
        strata: (n,) values of the baseline and (m,) of the canary, at least one each; a pair counts with
            1 / (n + m + 1), van Elteren's weight.
        standard_error: of θ between the arms as they are, ≥ 0.

    Returns:
        The ratio and its 95 % two-sided bounds; 1 with (0, inf) where a value is ≤ 0, for factors mean
        nothing there, or where there are more than a million pairs.
    """
    pairs = sum(b.size * c.size for b, c in strata)
    if min(min(b.min(), c.min()) for b, c in strata) <= 0 or pairs > _MAX_PAIRS:
        return 1.0, (0.0, math.inf)
    reach = _Z95 * standard_error
    shares = np.clip([0.5 - reach, 0.5, 0.5 + reach], 0.0, 1.0)
    low, middle, high = _quantiles(strata, shares)
    return float(middle), (float(low), float(high))


def _quantiles(strata: Sequence[tuple[Floats, Floats]], shares: Floats) -> Floats:
    ratios = [np.divide.outer(c, b).ravel() for b, c in strata]
    if len(strata) == 1:
        return np.asarray(np.quantile(ratios[0], shares))
    weights = [np.full(b.size * c.size, 1 / (b.size + c.size + 1)) for b, c in strata]
    return np.asarray(
        np.quantile(np.concatenate(ratios), shares, weights=np.concatenate(weights), method="inverted_cdf")
    )
