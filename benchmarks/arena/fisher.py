"""Fisher's exact test for many tables at once: the peers' own, so that an error in the product's shows."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]


def upper_tail(k_b: Floats, n_b: Floats, k_c: Floats, n_c: Floats) -> Floats:
    """
    Chance of at least so many canary events given all events, by the hypergeometric distribution.

    Args:
        k_b: events of the baseline, any shape.
        n_b: its requests, the same shape.
        k_c: events of the canary.
        n_c: its requests.

    Returns:
        p in [0, 1], to some 1e-9 relative; 1 where the canary's rate is not above the baseline's, since
        nobody rejects there.
    """
    result = np.ones(k_b.shape)
    above = k_c * n_b > k_b * n_c
    if above.any():
        result[above] = _sum(*(part[above] for part in (k_b, n_b, k_c, n_c)))
    return result


def _sum(k_b: Floats, n_b: Floats, k_c: Floats, n_c: Floats) -> Floats:
    events, spare = k_b + k_c, n_b - k_b
    head = _choose(n_c, k_c) + _choose(n_b, k_b) - _choose(n_b + n_c, events)
    # Terms fall from the observed one on, since it is above the mean.
    total, term, at, going = np.ones(len(events)), np.ones(len(events)), k_c.copy(), np.arange(len(events))
    while going.size:
        s, more = at[going], at[going] - k_c[going] + 1
        term[going] *= (events[going] - s) * (n_c[going] - s) / ((s + 1) * (spare[going] + more))
        total[going] += term[going]
        at[going] += 1
        going = going[term[going] > 1e-11 * total[going]]
    return np.minimum(1.0, np.exp(head) * total)


def _choose(n: Floats, k: Floats) -> Floats:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
