"""
What the distribution check promises of whole releases, counted on seeded ones.

Latencies are log-normal in Prometheus's default buckets, and noisy: pods differ by 5 %, everybody drifts by
10 %, each pod drifts by 5 % of its own. Ten thousand requests come in half an hour, a fifth of them to the
canary. Bounds have room for the luck of so many releases.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtr
from test_distribution import BOUNDS, LATENCY

from checkbench import GRANT, moment
from firedamp.checks import Run
from firedamp.model import Arm, Outcome, Slice

pytestmark = [pytest.mark.simulation, pytest.mark.timeout(240)]
SHARED_MEMORY, POD_MEMORY = 0.9, 0.5 ** (1 / 20)


@dataclass(frozen=True, slots=True)
class Shop:
    """Pods of main and canary, and what goes wrong with how many of the canary's, from which block on."""

    pods: tuple[int, int] = (16, 4)
    blocks: int = 120
    slower: float = 1.0
    waiting: float = 0.0
    onset: int = 0
    struck: int | None = None

    def pieces(self, rng: np.random.Generator) -> Iterator[Slice]:
        """Block by block."""
        shares = np.repeat([0.8, 0.2], self.pods) / np.repeat(self.pods, self.pods)
        ill = slice(self.pods[0], self.pods[0] + (self.struck or self.pods[1]))
        medians, waiting = self._medians(rng), np.zeros((self.blocks, sum(self.pods)))
        medians[self.onset :, ill] *= self.slower
        waiting[self.onset :, ill] = self.waiting
        counted = rng.poisson(np.broadcast_to(10_000 / 60 * shares, waiting.shape))
        for rows in rng.multinomial(counted, _chances(medians[..., None], waiting[..., None])).tolist():
            yield Slice({Arm.MAIN: _named(rows[: ill.start]), Arm.CANARY: _named(rows[ill.start :])}, BOUNDS)

    def _medians(self, rng: np.random.Generator) -> np.ndarray:
        pods = np.exp(rng.normal(0, 0.05, sum(self.pods)))
        shared = _drift(0.1, SHARED_MEMORY, (self.blocks, 1), rng)
        return 0.08 * pods * shared * _drift(0.05, POD_MEMORY, (self.blocks, sum(self.pods)), rng)


def _drift(sd: float, memory: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    steps = rng.normal(size=shape)
    steps[1:] *= np.sqrt(1 - memory**2)
    return np.exp(sd * lfilter([1.0], [1.0, -memory], steps, axis=0))


def _chances(medians: np.ndarray, waiting: np.ndarray) -> np.ndarray:
    bounds = np.array(BOUNDS)
    with np.errstate(divide="ignore"):
        reached, later = (ndtr(np.log(np.maximum(bounds - by, 0) / medians) / 0.6) for by in (0.0, 1.0))
    return np.diff((1 - waiting) * reached + waiting * later, prepend=0.0)


def _named(rows: list[list[int]]) -> dict[str, tuple[float, ...]]:
    return {f"pod-{pod:02}": tuple(map(float, row)) for pod, row in enumerate(rows)}


def stops(shop: Shop, releases: int, alpha: float) -> list[int | None]:
    """The block in which each release fails; None where it does not."""
    return [_stop(shop, np.random.default_rng((20, seed)), alpha) for seed in range(releases)]


def _stop(shop: Shop, rng: np.random.Generator, alpha: float) -> int | None:
    state: Run = LATENCY.begin(replace(GRANT, alpha=alpha))
    for index, piece in enumerate(shop.pieces(rng)):
        now = replace(moment(index), planning=False)
        state = state.take(piece, now)
        if state.finding(now).outcome is Outcome.FAIL:
            return index
    return None


@pytest.mark.parametrize("slower", [1.0, 1.05])
def test_as_slow_or_five_per_cent_slower_is_left_alone(slower):
    """None of 30 releases fails at an alpha of 5 %."""
    assert stops(Shop(slower=slower), 30, 0.05) == [None] * 30


def test_just_as_slow_as_tolerated_fails_as_seldom_as_promised():
    """Of 80 canaries that take 20 % longer at most 5 % fail, give or take three deviations of luck."""
    failed = sum(stop is not None for stop in stops(Shop(slower=1.2), 80, 0.05))

    assert failed <= 80 * 0.05 + 3 * math.sqrt(80 * 0.05 * 0.95)


def test_half_as_slow_again_is_found():
    """All of 30 canaries, half of them within ten blocks of warm-up's end."""
    found = stops(Shop(slower=1.5), 30, 0.05)

    assert None not in found
    assert np.median(found) <= GRANT.warm_up_looks + 10


def test_two_requests_in_a_hundred_that_wait_a_second_are_found():
    """In all of 40 canaries, half of them within 18 blocks after warm-up, though the median stands still."""
    found = stops(Shop(waiting=0.02), 40, 0.05)

    assert None not in found
    assert np.median(found) <= GRANT.warm_up_looks + 18


def test_latency_that_doubles_after_decide_by_is_stopped_within_ten_blocks():
    """In 29 of 30 canaries and more, of a release with twenty checks, none of them before."""
    found = stops(Shop(slower=2.0, onset=140, blocks=150), 30, 0.001)

    assert sum(stop is not None for stop in found) >= 29
    assert all(stop is None or stop >= 140 for stop in found)


def test_one_slow_pod_of_three_is_seldom_taken_for_the_release():
    """It takes five times as long; of 40 such canaries one in ten is rolled back, give or take its luck."""
    sick = Shop(pods=(17, 3), slower=5.0, struck=1)
    failed = sum(stop is not None for stop in stops(sick, 40, 0.001))

    assert failed <= 40 * 0.1 + 3 * math.sqrt(40 * 0.1 * 0.9)
