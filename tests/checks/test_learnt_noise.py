"""Noise of a check, learnt on the way."""

import numpy as np
import pytest

from firedamp.checks._noise import Noise
from firedamp.stats.noise import Learnt
from firedamp.stats.null import Shape


def rows(errors: np.ndarray, name: str = "main") -> dict[str, tuple[float, float]]:
    """One block: so many errors of each pod, 100 requests each."""
    return {f"{name}-{number}": (float(count), 100.0) for number, count in enumerate(errors)}


def learnt(blocks: np.ndarray) -> Noise:
    """(blocks, pods) errors of main; the canary has none."""
    found = Noise(Learnt())
    for block in blocks:
        found = found.add(rows(block), rows(np.zeros(4), "canary"))
    return found


def test_clumps_that_go_on_in_the_next_block_are_found():
    """Batches of six, half of each in the block after: pairs of blocks show most of their variance, 6."""
    rng = np.random.default_rng(4)
    first = 3 * rng.poisson(0.2, (400, 16))
    found = learnt(first + np.roll(first, 1, axis=0))

    assert 4 < found.dispersion.phi < 6


def test_pods_are_known_from_the_first_block_on():
    """Sixteen of them tell how they differ; the sharper null may be used."""
    assert learnt(np.zeros((1, 16))).shape is Shape.MAX
    assert learnt(np.zeros((1, 3))).shape is Shape.PRODUCT


def test_earlier_releases_stand_for_pods():
    """Three pods of this release and twenty of earlier ones."""
    found = Noise(Learnt(tau_sum=1.0, tau_weight=20.0)).add(rows(np.zeros(3)), {})

    assert found.shape is Shape.MAX


def test_what_was_known_is_added_to():
    """A bursty history is not forgotten for a few quiet errors."""
    known = Learnt(phi_sum=400.0, phi_weight=100.0)
    found = Noise(known)
    for block in np.random.default_rng(5).poisson(0.1, (20, 16)):
        found = found.add(rows(block), {})

    assert found.dispersion.phi > 3
    assert found.run.phi_weight > 0


@pytest.mark.parametrize("swapped", [False, True])
def test_each_arm_s_pods_widen_its_own_side(swapped):
    """One canary pod beside sixteen of main: the suspect's spread is the wider one, unless swapped."""
    found = Noise(Learnt()).add(rows(np.zeros(16)), rows(np.zeros(1), "canary"))
    null = found.null(0.25, Shape.MAX, swapped=swapped)
    spreads = (null.baseline_cv, null.canary_cv)

    assert sorted(spreads, reverse=swapped) == list(spreads)
    assert max(spreads) == pytest.approx(0.25)
