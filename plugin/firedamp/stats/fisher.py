"""
Fisher's exact test of one table: are there more events in the canary than chance explains?

With all margins held, the canary's events are hypergeometric. Terms are built outwards from
the mode by ratios of neighbours, scaled rather than normalised first: sums of positive
numbers only, hence twelve digits and more, also in the far tail, in some 15 µs. Of many tables
at once the terms are built outwards from what was seen, all tables in step, in some 0.4 µs each.

*Exact* p and mid-p; the odds ratio's interval is *approximate*.

Source: Fisher (1935), JRSS 98(1), 39-82; mid-p: Lancaster (1961), JASA 56(294), 223-234;
odds ratio and interval: Haldane (1956), Anscombe (1956), Gart (1966), Biometrika 53, 47-59.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Alternative = Literal["greater", "less"]

#: Terms begin here at the mode, so that tails down to 1e-300 keep all their digits.
_MODE_WEIGHT = 2.0**1000
_Z95 = 1.959963984540054
#: Tables that walk in step: as many as fit the cache.
_CHUNK = 8192
#: A term so much smaller than the sum so far adds nothing to it, nor do those after it.
_NEGLIGIBLE = 1e-18
#: Terms this large leave no digit of the others, and no float for the next ones.
_OVERWHELMING = 1e290


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


@dataclass(frozen=True, slots=True)
class ManyLooks:
    """
    Many 2 x 2 tables judged once each; arrays of one shape, (tables,).

    Attributes:
        p_value, mid_p, odds_ratio: as in `OneLook`; p-values below 1e-290 are not told apart from 0.
        lower, upper: 95 % two-sided bounds of the odds ratio; *approximate*.
    """

    p_value: Floats
    mid_p: Floats
    odds_ratio: Floats
    lower: Floats
    upper: Floats


def fisher_exact(
    baseline_events: float,
    baseline_n: float,
    canary_events: float,
    canary_n: float,
    *,
    alternative: Alternative = "greater",
) -> OneLook:
    """
    One-sided Fisher test that the canary has more events (`less`: fewer) than chance gives. *Exact.*

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


def fisher_exact_many(
    baseline_events: ArrayLike,
    baseline_n: ArrayLike,
    canary_events: ArrayLike,
    canary_n: ArrayLike,
    *,
    alternative: Alternative = "greater",
) -> ManyLooks:
    """
    `fisher_exact` of many tables at once, for backtests and simulations. *Exact*, to twelve digits.

    Args:
        baseline_events: (tables,) events among the baseline's requests, 0 ≤ events ≤ n.
        baseline_n: (tables,) requests of the baseline. Single numbers stand for all tables.
        canary_events: (tables,) likewise.
        canary_n: (tables,) likewise.
        alternative: "greater" asks whether the canary is worse, "less" whether it is better.

    Raises:
        ValueError: a count is negative or not finite, events exceed requests, or shapes do not fit.
    """
    given = np.broadcast_arrays(baseline_events, baseline_n, canary_events, canary_n)
    b, n_b, c, n_c = (np.floor(np.asarray(part, dtype=np.float64).ravel() + 0.5) for part in given)
    _check_many("baseline", b, n_b)
    _check_many("canary", c, n_c)
    ours, others = ((c, n_c), (b, n_b)) if alternative == "greater" else ((b, n_b), (c, n_c))
    p_value, own = _tails(*others, *ours)
    cells = (c + 0.5, n_b - b + 0.5, n_c - c + 0.5, b + 0.5)
    ratio = cells[0] * cells[1] / (cells[2] * cells[3])
    spread = np.exp(_Z95 * np.sqrt(sum(1 / cell for cell in cells)))
    mid_p = np.maximum(p_value - own / 2, sys.float_info.min)
    return ManyLooks(p_value, mid_p, ratio, ratio / spread, ratio * spread)


def _check_many(arm: str, events: Floats, n: Floats) -> None:
    wrong = ~((events >= 0) & (events <= n) & np.isfinite(n))
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"{arm}: {events[at]} events of {n[at]} requests in table {at}, expected 0 ≤ events ≤ requests"
        )


def _tails(b: Floats, n_b: Floats, c: Floats, n_c: Floats) -> tuple[Floats, Floats]:
    """As `_tail`, table by table."""
    above, below = np.empty_like(c), np.empty_like(c)
    for begin in range(0, c.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        b_in, b_out, c_in, c_out = b[part], (n_b[part] - b[part]), c[part], (n_c[part] - c[part])
        above[part] = _walk(c_out, b_in, c_in + 1, b_out + 1)
        below[part] = _walk(c_in, b_out, c_out + 1, b_in + 1)
    certain = np.isinf(above)
    above[certain] = 0.0
    total = 1 + above + below
    p_value = np.where(certain, 1.0, (1 + above) / total)
    return np.maximum(p_value, sys.float_info.min), np.maximum(1 / total, sys.float_info.min)


def _walk(one: Floats, two: Floats, three: Floats, four: Floats) -> Floats:
    """
    Sum of all terms to one side, relative to the one seen; inf where they dwarf it.

    Each step multiplies by one * two / (three * four); the first two shrink by 1, the others grow by 1.
    """
    sums = np.zeros_like(one)
    going: NDArray[np.intp] = np.flatnonzero(one * two)
    one, two, three, four = (factor[going] for factor in (one, two, three, four))
    term, total = np.ones(going.size), np.zeros(going.size)
    # Tables that are through walk on until there are enough of them to be left behind; theirs may overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        while going.size:
            term *= one * two / (three * four)
            total += term
            one -= 1
            two -= 1
            three += 1
            four += 1
            on = (term > _NEGLIGIBLE * total) & (total < _OVERWHELMING)
            if np.count_nonzero(on) <= going.size * 3 // 4:
                sums[going] = total
                going, term, total = going[on], term[on], total[on]
                one, two, three, four = one[on], two[on], three[on], four[on]
    sums[~(sums < _OVERWHELMING)] = np.inf
    return sums


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
    total = float(np.add.reduce(weights))
    if c <= low:
        return 1.0, float(weights[0]) / total if c == low else 0.0
    if c >= low + weights.size:
        return sys.float_info.min, sys.float_info.min
    # Smallest terms first: the sum keeps their digits.
    upper = float(np.add.reduce(weights[: c - low - 1 : -1]))
    return min(max(upper / total, sys.float_info.min), 1.0), float(weights[c - low]) / total


def _weights(events: int, n_b: int, n_c: int) -> tuple[int, Floats]:
    """Unnormalised hypergeometric chances, and the canary count that the first belongs to."""
    everyone = n_b + n_c
    mode = (events + 1) * (n_c + 1) // (everyone + 2)
    low, high = _window(events, n_b, n_c, mode)
    weights, at = np.empty(high - low + 1), mode - low
    count = np.arange(low, high, dtype=np.float64)
    # A term is up / down times the one below it.
    up, down = (n_c - count) * (events - count), (count + 1) * (count + (n_b - events + 1))
    np.divide(up[at:], down[at:], out=weights[at + 1 :])
    np.divide(down[:at], up[:at], out=weights[:at])
    weights[at] = _MODE_WEIGHT
    for outwards in (weights[at:], weights[at::-1]):
        np.multiply.accumulate(outwards, out=outwards)
    return low, weights


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
