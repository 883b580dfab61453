"""How much pods differ, carried to both arms."""

import numpy as np
import pytest
from scipy.special import ndtr

from firedamp.checks._buckets import ByPod
from firedamp.checks._spread import Peers, Spread, concentration
from firedamp.stats.dispersion import theta_dispersion

BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, float("inf"))
MEDIANS = (0.06, 0.07, 0.08, 0.09, 0.1)


def shares(median: float) -> np.ndarray:
    """Of requests in each bucket."""
    return np.diff(ndtr(np.log(np.array(BOUNDS) / median) / 0.6), prepend=0.0)


def block(counts: list[np.ndarray]) -> ByPod:
    """One row per pod."""
    return ByPod(tuple(f"main-{pod}" for pod in range(len(counts))), np.array(counts))


def pods(requests: float) -> Peers:
    """Five pods that differ, in one block."""
    return Peers().add(block([requests * shares(median) for median in MEDIANS]))


def widened(spread: Spread, baseline: list[float], canary: list[float]) -> float:
    """The factor for arms of pods with so many requests each."""
    arms = np.array(baseline), np.array(canary)
    return spread.dispersion(concentration(*arms), sum(1 / arm.sum() for arm in arms))


def test_pods_of_one_size_widen_as_learnt():
    """Where the canary's pods are as large as main's, the factor is the one that main's pods showed."""
    spread = Spread().learnt(pods(1000.0), BOUNDS)
    learnt = theta_dispersion(pods(1000.0).own, BOUNDS)

    assert widened(spread, [1000.0] * 5, [1000.0] * 2) == pytest.approx(learnt)
    assert learnt > 2


def test_one_large_canary_pod_widens_by_its_own_size():
    """A canary of one pod with half of the traffic is less certain than five pods with the same half."""
    spread = Spread().learnt(pods(1000.0), BOUNDS)
    one = widened(spread, [1000.0] * 5, [5000.0])
    five = widened(spread, [1000.0] * 5, [1000.0] * 5)

    assert one - 1 == pytest.approx(3 * (five - 1))


def test_the_factor_grows_between_two_lessons():
    """What was learnt from fewer requests widens as much as they have become."""
    spread = Spread().learnt(pods(1000.0), BOUNDS)
    now = spread.learnt(pods(1200.0), BOUNDS)

    assert now is spread
    assert widened(now, [1200.0] * 5, [1200.0]) - 1 == pytest.approx(
        1.2 * (widened(spread, [1000.0] * 5, [1000.0]) - 1)
    )


def test_no_requests_teach_nothing():
    """Pods without a whole request widen nothing."""
    spread = Spread().learnt(Peers().add(block([np.full(6, 0.1)])), BOUNDS)

    assert widened(spread, [0.6], [10.0]) == 1


def test_pods_are_compared_with_those_of_their_time():
    """Half of the pods leave before everybody takes twice as long: alike they were, and alike they stay."""
    early, late = block([1000 * shares(0.06)] * 8), block([1000 * shares(0.12)] * 4)
    peers = Peers().add(early).add(late)
    matched = theta_dispersion(peers.own, BOUNDS, others=peers.others)

    assert matched == pytest.approx(theta_dispersion(Peers().add(late).own, BOUNDS), rel=0.5)
    assert theta_dispersion(peers.own, BOUNDS) > 10 * matched


def test_a_pod_is_not_its_own_peer():
    """Of pods that serve evenly the others are all the requests but its own."""
    peers = pods(1000.0).add(block([1000 * shares(median) for median in MEDIANS]))

    assert peers.others == pytest.approx(peers.own.sum(axis=0) - peers.own)
