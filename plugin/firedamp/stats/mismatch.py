"""
Is a share other than expected by more than a factor of its odds, looked at once?

`share` judges every block of a release for ever, and reads from the blocks how crowded requests are. This is
the one look beside it: two sums that should tell the same, traces and requests, of which one may lack a part.
Of odds that are off by the factor at most, those at the edge nearest to what was seen make it most likely;
its tail is the answer, an incomplete beta function, which takes sums of weights as well as whole counts.

*Exact* for whole counts of things that fall one by one; *approximate* for sums of weights, which interpolate
between counts, and where things come in crowds, which are not allowed for: ask for a small level.

Source: the binomial tail as a beta function: Abramowitz & Stegun (1964), Handbook of Mathematical Functions,
26.5.24; the largest p-value of a composite null: Lehmann & Romano (2005), Testing Statistical Hypotheses,
section 3.3; sample-ratio mismatch: Fabijan et al. (2019), KDD, 2156-2164.
"""

from __future__ import annotations

import math

from scipy.special import betainc


def chance(seen: float, total: float, expected: float, *, factor: float = 1.0) -> float:
    """
    The chance of a share as far off as this one, were its odds off by the factor at most.

    One-sided, in the direction in which it is off: where both are looked at, levels count twice.

    Args:
        seen: of the total, 0 ≤ seen ≤ total.
        total: counts or sums of weights, > 0 and finite.
        expected: share, in (0, 1).
        factor: by which the odds may be off, either way, ≥ 1 and finite.

    Returns:
        A p-value in [0, 1]; 1 where the share is within the factor.

    Raises:
        ValueError: an argument is outside its range.
    """
    if not (0 <= seen <= total and 0 < total < math.inf and 0 < expected < 1 and 1 <= factor < math.inf):
        raise ValueError(
            f"{seen} of {total}, {expected} expected, factor {factor}: "
            "expected 0 ≤ seen ≤ total, total > 0, a share in (0, 1) and a factor ≥ 1"
        )
    low = expected / (expected + (1 - expected) * factor)
    high = expected * factor / (expected * factor + 1 - expected)
    if seen / total > high:
        return float(betainc(seen, total - seen + 1, high))
    if seen / total < low:
        return float(betainc(total - seen, seen + 1, 1 - low))
    return 1.0
