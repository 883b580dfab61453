"""
Something that one version does, and the other never does.

Of all times that it is asked for, each falls to the canary with the canary's share of the traffic in that
block. As long as every one of them falls to the baseline, the chance of that is the product of the
baseline's shares. There is but one such path, so its chance falls below a level at most once, and a healthy
canary is still on it then with no more than that chance: the test may be looked at as often as one likes.

*Exact* for requests that are routed one by one, in any mixture that does not depend on what is asked;
*approximate* where they come in clumps, which are counted as so many fewer.

Source: a run of failures, Feller (1968), An Introduction to Probability Theory and Its Applications 1,
section VI.8; counts divided by their dispersion: Rao & Scott (1992), Biometrics 48, 577-585.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_NEARLY_ALL = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Absence:
    """
    What was seen so far.

    Attributes:
        baseline_events, canary_events: times that each arm did it, ≥ 0.
        surprise: minus the logarithm of the chance that all of the baseline's were its own, ≥ 0.
    """

    baseline_events: float = 0.0
    canary_events: float = 0.0
    surprise: float = 0.0

    @property
    def p_value(self) -> float:
        """Chance, in (0, 1], of a canary that does it too to have done it never so far; 1 once it has."""
        return 1.0 if self.canary_events else math.exp(-min(self.surprise, 700.0))


def advance(
    state: Absence, *, baseline: float, canary: float, canary_share: float, dispersion: float = 1.0
) -> Absence:
    """
    After one more block.

    Args:
        state: so far.
        baseline: times that the baseline did it in the block, ≥ 0.
        canary: likewise the canary.
        canary_share: the canary's share of the block's requests; at 0, or NaN, nothing was to be expected.
        dispersion: variance of the counts relative to independent ones, ≥ 1.

    Raises:
        ValueError: a count is negative or not finite, or the dispersion below 1.
    """
    if not (0 <= baseline < math.inf and 0 <= canary < math.inf and dispersion >= 1):
        told = f"counts are {baseline} and {canary}, dispersion {dispersion}"
        raise ValueError(f"{told}: expected finite numbers ≥ 0, and ≥ 1")
    missed = -math.log1p(-min(canary_share, _NEARLY_ALL)) if canary_share > 0 else 0.0
    return Absence(
        state.baseline_events + baseline,
        state.canary_events + canary,
        state.surprise + baseline * missed / dispersion,
    )
