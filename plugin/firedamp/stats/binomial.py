"""
How well a share is known that was counted: few of few.

Exact at any size, which matters where there are five cases: an interval from the normal curve would claim
that four of four is certainty.

Source: Clopper & Pearson (1934), Biometrika 26, 404-413, by the beta distribution's quantiles.
"""

from __future__ import annotations

from scipy.special import betaincinv


def share_interval(events: int, trials: int, *, alpha: float = 0.05) -> tuple[float, float]:
    """
    Bounds on the true share of events, by Clopper and Pearson.

    Args:
        events: count, 0 ≤ events ≤ trials.
        trials: count; 0 gives (0, 1), for we know nothing.
        alpha: 1 - confidence, in (0, 1); half of it on either side.

    Returns:
        The lower and the upper bound, in [0, 1]; they cover the true share with 1 - alpha or more. *Exact*.

    Raises:
        ValueError: events lie outside 0..trials, or alpha outside (0, 1).
    """
    if not 0 <= events <= trials:
        raise ValueError(f"{events} events of {trials} trials: expected 0 ≤ events ≤ trials")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}, expected a share in (0, 1)")
    low = float(betaincinv(events, trials - events + 1, alpha / 2)) if events else 0.0
    high = float(betaincinv(events + 1, trials - events, 1 - alpha / 2)) if events < trials else 1.0
    return low, high
