"""
How healthy traffic misbehaves: pods that differ, errors that clump, rates that drift.

Everything is drawn from the generator handed in, for whole releases at once. A process is a set of
independent parts, so that one can be added to another; without any of them requests are Poisson and
errors binomial.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: What a drift shared by both versions keeps of itself from one 30-second block to the next.
SHARED_MEMORY = 0.9
#: Pods forget half of their own drift in 10 minutes, twenty blocks.
POD_MEMORY = 0.5 ** (1 / 20)
#: A spell takes 2 minutes, and this share of what the pod serves fails in it, in all checks alike.
SPELL_BLOCKS, SPELL_RATE = 4, 0.2
#: The canary's caches are cold for its first minute.
COLD_BLOCKS = 2
BLOCKS_AN_HOUR = 120


@dataclass(frozen=True, slots=True)
class Noise:
    """
    How a kind of traffic differs from independent requests.

    Attributes:
        name: for tables.
        pod_cv: coefficient of variation of the pods' error rates, Gamma, per check.
        batch: mean size of a geometric batch of errors (a failed request and its retries).
        shared_drift: sd of a log rate, AR(1), that all pods share, per check.
        users: requests of one user in a block, which fail or succeed together.
        pod_drift: sd of each pod's own log rate, AR(1), per check.
        spells: chance per pod and hour of a spell that hits all checks of the pod.
        cold: factor on the canary's errors in its first minute.
    """

    name: str
    pod_cv: float = 0.0
    batch: float = 1.0
    shared_drift: float = 0.0
    users: int = 1
    pod_drift: float = 0.0
    spells: float = 0.0
    cold: float = 1.0


NONE = Noise("none")
PODS = Noise("pods", pod_cv=0.3)
UNLIKE_PODS = Noise("unlike pods", pod_cv=0.5)
BURSTS = Noise("bursts", pod_cv=0.3, batch=3.0, shared_drift=0.4)
STICKY = Noise("sticky users", users=10)
DRIFTING = Noise("drifting pods", pod_drift=0.6)
SPELLS = Noise("spells", spells=0.1)
COLD = Noise("cold start", pod_cv=0.3, cold=10.0)
#: Pods differ in their errors; latencies have noise of their own wherever there are some.
LATENCY = Noise("latency", pod_cv=0.3)


def factors(noise: Noise, shape: tuple[int, int, int], rng: np.random.Generator) -> Floats:
    """Factors of mean 1 on the error rates: (blocks, checks, pods), or what broadcasts to it."""
    blocks, checks, pods = shape
    result = np.ones((1, checks, pods))
    if noise.pod_cv:
        precision = 1 / noise.pod_cv**2
        result = rng.gamma(precision, 1 / precision, (1, checks, pods))
    if noise.shared_drift:
        result = result * drift(noise.shared_drift, SHARED_MEMORY, (blocks, checks, 1), rng)
    if noise.pod_drift:
        result = result * drift(noise.pod_drift, POD_MEMORY, shape, rng)
    return result


def drift(sd: float, memory: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Log-normal factors of mean 1 that follow an AR(1) along the first axis, begun at rest."""
    steps = rng.normal(size=shape)
    steps[1:] *= math.sqrt(1 - memory**2)
    places = lfilter([1.0], [1.0, -memory], steps, axis=0)
    return np.exp(sd * places - sd**2 / 2)


def spells(noise: Noise, blocks: int, pods: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(blocks, pods): where a pod is in a spell. At most one per pod and hour, begun at any block."""
    hours = -(-blocks // BLOCKS_AN_HOUR)
    struck = rng.random((hours, pods)) < noise.spells
    begun = rng.integers(0, BLOCKS_AN_HOUR, (hours, pods)) + BLOCKS_AN_HOUR * np.arange(hours)[:, None]
    since = np.arange(blocks)[:, None, None] - begun
    return (struck & (since >= 0) & (since < SPELL_BLOCKS)).any(axis=1)


def draw(noise: Noise, requests: Floats, rates: Floats, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """
    Errors and requests, in the shape of the rates.

    Args:
        noise: for users and batches; everything else is in the rates.
        requests: mean requests, broadcasting to the rates.
        rates: chance of a request to fail, clipped to [0, 1]; where it is 1 or more all of them do.
        rng: dice.
    """
    visits = rng.poisson(np.broadcast_to(requests / noise.users, rates.shape))
    failed = rng.binomial(visits, np.clip(rates / noise.batch, 0.0, 1.0))
    failed = np.where(rates >= 1.0, visits, failed)
    if noise.batch == 1.0:
        return failed * noise.users, visits * noise.users
    # A batch is a request with its retries, which are requests too: rates stay what they are in every pod.
    retries = rng.negative_binomial(np.maximum(failed, 1), 1 / noise.batch)
    retries = np.where((failed > 0) & (rates < 1.0), retries, 0)
    return failed + retries, visits + retries
