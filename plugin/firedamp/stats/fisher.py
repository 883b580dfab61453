"""
Fisher's exact test of one table: are there more events in the canary than chance explains?

With all margins held, the canary's events are hypergeometric. Terms are built outwards from
the mode by ratios of neighbours, scaled rather than normalised first: sums of positive
numbers only, hence twelve digits and more, also in the far tail, in some 30 µs.

Source: Fisher (1935), JRSS 98(1), 39-82; mid-p: Lancaster (1961), JASA 56(294), 223-234;
odds ratio and interval: Haldane (1956), Anscombe (1956), Gart (1966), Biometrika 53, 47-59.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Alternative = Literal["greater", "less"]

#: Terms begin here at the mode, so that tails down to 1e-300 keep all their digits.
_MODE_WEIGHT = 2.0**1000
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class OneLook:
    """
    A 2 x 2 table judged once.

    Attributes:
        p_value: one-sided, in (0, 1]; *exact*.
        mid_p: the same with half of the observed table's chance, in (0, 1). For display:
            it may exceed its level slightly.
        odds_ratio: canary against baseline, 1/2 added to each cell, in (0, inf).
        interval: 95 % two-sided bounds of the odds ratio; *approximate* (logit, 1/2 added).
    """

    p_value: float
    mid_p: float
    odds_ratio: float
    interval: tuple[float, float]


def fisher_exact(
    baseline_events: float,
    baseline_n: float,
    canary_events: float,
    canary_n: float,
    *,
    alternative: Alternative = "greater",
) -> OneLook:
    """
    One-sided Fisher test that the canary has more events (`less`: fewer) than chance gives.

    Counter increases may be fractional; each is rounded to the nearest integer here.

    Args:
        baseline_events: events among the baseline's requests, 0 ≤ events ≤ n.
        baseline_n: requests of the baseline; 0 gives p = 1, for we know nothing.
        canary_events: events among the canary's requests, 0 ≤ events ≤ n.
        canary_n: requests of the canary; 0 gives p = 1.
        alternative: "greater" asks whether the canary is worse, "less" whether it is better.

    Raises:
        ValueError: a count is negative or not finite, or events exceed requests.
    """
    b, n_b = _counts("baseline", baseline_events, baseline_n)
    c, n_c = _counts("canary", canary_events, canary_n)
    if alternative == "less":
        p_value, own = _tail(c, n_c, b, n_b)
    else:
        p_value, own = _tail(b, n_b, c, n_c)
    ratio, interval = _odds_ratio(b, n_b - b, c, n_c - c)
    return OneLook(p_value, max(p_value - own / 2, sys.float_info.min), ratio, interval)


def _counts(arm: str, events: float, n: float) -> tuple[int, int]:
    if not (0 <= events < math.inf and 0 <= n < math.inf):
        raise ValueError(f"{arm}: {events} events of {n} requests, expected finite counts ≥ 0")
    whole_events, whole_n = math.floor(events + 0.5), math.floor(n + 0.5)
    if whole_events > whole_n:
        raise ValueError(f"{arm}: {events} events of {n} requests, expected no more events than requests")
    return whole_events, whole_n


def _tail(b: int, n_b: int, c: int, n_c: int) -> tuple[float, float]:
    """P(canary's events ≥ c) and P(canary's events = c), both with all margins held."""
    low, weights = _weights(b + c, n_b, n_c)
    if c <= low:
        at = weights[0] if c == low else 0.0
        return 1.0, float(at / weights.sum())
    if c >= low + weights.size:
        return sys.float_info.min, sys.float_info.min
    # Smallest terms first: the sum keeps their digits.
    upper, total = weights[: c - low - 1 : -1].sum(), weights.sum()
    return min(max(float(upper / total), sys.float_info.min), 1.0), float(weights[c - low] / total)


def _weights(events: int, n_b: int, n_c: int) -> tuple[int, Floats]:
    """Unnormalised hypergeometric chances, and the canary count that the first belongs to."""
    everyone = n_b + n_c
    mode = (events + 1) * (n_c + 1) // (everyone + 2)
    low, high = _window(events, n_b, n_c, mode)
    up = np.arange(mode, high, dtype=np.float64)
    rising = ((n_c - up) * (events - up)) / ((up + 1) * (n_b - events + up + 1))
    down = np.arange(mode, low, -1, dtype=np.float64)
    falling = (down * (n_b - events + down)) / ((n_c - down + 1) * (events - down + 1))
    below = np.cumprod(np.concatenate(([_MODE_WEIGHT], falling)))[:0:-1]
    return low, np.concatenate((below, np.cumprod(np.concatenate(([_MODE_WEIGHT], rising)))))


def _window(events: int, n_b: int, n_c: int, mode: int) -> tuple[int, int]:
    # Bernstein's inequality: beyond this distance a term is below 1e-308 of the mode's. The binomial's
    # variance serves, for it bounds the hypergeometric's (Hoeffding 1963, section 6).
    share = n_c / max(n_b + n_c, 1)
    reach = 500 + math.ceil(39 * math.sqrt(events * share * (1 - share)))
    return max(0, events - n_b, mode - reach), min(events, n_c, mode + reach)


def _odds_ratio(b: int, b_rest: int, c: int, c_rest: int) -> tuple[float, tuple[float, float]]:
    cells = (c + 0.5, b_rest + 0.5, c_rest + 0.5, b + 0.5)
    ratio = cells[0] * cells[1] / (cells[2] * cells[3])
    spread = math.exp(_Z95 * math.sqrt(sum(1 / cell for cell in cells)))
    return ratio, (ratio / spread, ratio * spread)
