"""
Many checks at once: p-values adjusted so that looking at twenty of them accuses no more often than one.

Holm keeps the chance that *any* healthy check is accused at alpha, however the checks hang together, and is
what labels failing checks in a report: the first one needs what Bonferroni asks, the next ones less.
Benjamini and Hochberg keep the expected *share* of healthy checks among the accused, and are for sorting
long lists where a false mark costs a glance. An adjusted value is compared with alpha itself.

*Exact* bounds: Holm's under any dependence, Benjamini and Hochberg's for independent or positively
dependent p-values.

Source: Holm (1979), Scand. J. Statist. 6(2), 65-70, weights in section 4; Benjamini & Hochberg (1995),
JRSS B 57(1), 289-300; dependence: Benjamini & Yekutieli (2001), Annals of Statistics 29(4), 1165-1188.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_TINY = 1e-300


def holm(p_values: ArrayLike, *, weights: ArrayLike | None = None) -> Floats:
    """
    Adjusted p-values that keep the family-wise error rate. *Exact* under any dependence.

    Args:
        p_values: (checks,) each in [0, 1], none for a check that could not be judged.
        weights: (checks,) each > 0, how alpha is split between them; without, evenly.

    Returns:
        (checks,) in the order given, each at least its p-value, at most 1; `adjusted <= alpha` are the
        checks accused at alpha. Nothing in gives nothing out.

    Raises:
        ValueError: a p-value lies outside [0, 1], a weight is not above 0 and finite, or shapes differ.
    """
    p = _chances(p_values)
    w = np.ones_like(p) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != p.shape or not (np.isfinite(w) & (w > 0)).all():
        raise ValueError(f"weights are {w}, expected {p.size} finite numbers above 0")
    w = np.maximum(w / w.max(initial=_TINY), _TINY)
    order = np.argsort(p / w, kind="stable")
    # Weights of those not yet accused, from each one on; sums from the end lose no digit.
    left = np.cumsum(w[order][::-1])[::-1]
    steps = np.maximum.accumulate(p[order] * left / w[order])
    return _in_place(np.clip(steps, p[order], 1.0), order)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """
    Adjusted p-values (q-values) that keep the false discovery rate.

    *Exact* for independent p-values, a bound for positively dependent ones; for any others multiply by
    1 + 1/2 + ... + 1/checks.

    Args:
        p_values: (checks,) each in [0, 1], none for a check that could not be judged.

    Returns:
        (checks,) in the order given, each at least its p-value, at most 1; among the checks with
        `adjusted <= q` at most a share q are healthy, on average over releases.

    Raises:
        ValueError: a p-value lies outside [0, 1].
    """
    p = _chances(p_values)
    order = np.argsort(p, kind="stable")
    steps = p[order] * (p.size / np.arange(1, p.size + 1))
    falling = np.minimum.accumulate(steps[::-1])[::-1]
    return _in_place(np.clip(falling, p[order], 1.0), order)


def _chances(p_values: ArrayLike) -> Floats:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values are {p}, expected a row of numbers in [0, 1]")
    return p


def _in_place(ordered: Floats, order: NDArray[np.intp]) -> Floats:
    result = np.empty_like(ordered)
    result[order] = ordered
    return result
