"""Placements: pairs counted one by one, and many pairs of arms at once."""

import numpy as np
import pytest

from firedamp.stats.placements import rank, rank_values

RNG = np.random.default_rng(20240601)
BASELINES, CANARIES = RNG.dirichlet(np.ones(9), 5), RNG.dirichlet(np.ones(9), 5)
N_B, N_C = RNG.uniform(1, 900, 5), RNG.uniform(1, 300, 5)


def test_theta_counts_pairs_with_ties_half():
    """Of 4 x 3 pairs four are won by the canary and three are ties."""
    found = rank_values(np.array([1.0, 2.0, 2.0, 5.0]), np.array([1.0, 2.0, 3.0]), 1.0)

    assert found.theta.tolist() == pytest.approx([(4 + 3 / 2) / 12])


def test_many_pairs_are_each_ranked_alone():
    """Rows do not know of each other."""
    together = rank(BASELINES, CANARIES, (N_B, N_C), 1.5)
    alone = [rank(BASELINES[[i]], CANARIES[i], (N_B[i], N_C[i]), 1.5) for i in range(5)]

    for part in ("theta", "standard_error", "null_variance", "z"):
        assert getattr(together, part) == pytest.approx([getattr(one, part)[0] for one in alone], rel=1e-12)


def test_exchanging_the_arms_turns_theta_around():
    """The chance to be slower becomes the chance to be faster, known as well."""
    forth, back = rank(BASELINES, CANARIES, (N_B, N_C)), rank(CANARIES, BASELINES, (N_C, N_B))

    assert forth.theta == pytest.approx(1 - back.theta)
    assert forth.standard_error == pytest.approx(back.standard_error)


def test_the_null_variance_is_mann_whitneys():
    """Without ties (N + 1) / (12 n m)."""
    values = np.arange(30.0)
    found = rank_values(values[::3], np.delete(values, np.s_[::3]), 1.0)

    assert found.null_variance[0] == pytest.approx(31 / (12 * 10 * 20))
