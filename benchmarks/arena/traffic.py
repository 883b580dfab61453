"""
One made-up release as counts: blocks by checks by pods, main's pods first.

The same counts go to every method. The seed of a release follows from the run's seed, the cell's name and
the release's number, so a cell can be played again by itself.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from arena.cells import HALF_HOUR, LATE_DRIFT, RAMP, SHARE, Cell, Kind
from arena.noise import COLD_BLOCKS, POD_MEMORY, SHARED_MEMORY, SPELL_RATE, draw, drift, factors, spells

#: Default buckets of Prometheus's client libraries, in seconds.
BOUNDS = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf])
MEDIAN_SECONDS, SIGMA = 0.08, 0.6
#: Latency's own noise: pods, a drift they share, and a drift of each pod.
LATENCY_PODS, LATENCY_SHARED, LATENCY_DRIFT = 0.05, 0.1, 0.05
#: History: twelve blocks of half an hour of all pods, before the canary is there.
HISTORY_BLOCKS = 12

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """
    What one release brought.

    Attributes:
        errors, requests: (blocks, counting checks, pods).
        buckets: (blocks, latency checks, pods, buckets) requests per bucket.
        mains: pods of main, which come before the canary's.
    """

    errors: Counts
    requests: Counts
    buckets: Counts
    mains: int


def generator(cell: Cell, seed: int, number: int, use: int = 0) -> np.random.Generator:
    """Dice of one release of a cell, for one use."""
    return np.random.default_rng((seed, zlib.crc32(str(cell).encode()), number, use))


def release(cell: Cell, rng: np.random.Generator) -> Traffic:
    """Make up one release."""
    parts, mains = _parts(cell)
    requests = parts[:, None, :] * cell.requests / HALF_HOUR
    errors, counted = draw(cell.noise, requests, _rates(cell, parts.shape[1], mains, rng), rng)
    return Traffic(errors, counted, _buckets(cell, requests, mains, rng), mains)


def history(cell: Cell, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """Errors and requests, (half hours, counting checks, pods), of other pods than the release's."""
    blocks = HISTORY_BLOCKS * HALF_HOUR
    rates = np.array(cell.rates)[:, None] * factors(cell.noise, (blocks, cell.counters, cell.pods), rng)
    rates = np.broadcast_to(rates, (blocks, *rates.shape[1:]))
    if cell.noise.spells:
        rates = np.where(spells(cell.noise, blocks, cell.pods, rng)[:, None, :], SPELL_RATE, rates)
    # Half an hour at a time: its errors follow from its mean rate, whatever the course within it.
    means = rates.reshape(HISTORY_BLOCKS, HALF_HOUR, *rates.shape[1:]).mean(axis=1)
    return draw(cell.noise, np.array(cell.requests / cell.pods), means, rng)


def _parts(cell: Cell) -> tuple[Floats, int]:
    """Each pod's part of the traffic in each block, (blocks, pods), and how many pods are main's."""
    steps = [_step(cell, share, round(cell.pods * share)) for share in RAMP] if cell.ramp else []
    mains, canaries = zip(*(steps or [_step(cell, SHARE, cell.canary_pods)]), strict=True)
    most, blocks = max(map(len, mains)), np.arange(cell.blocks)
    rows = np.zeros((len(mains), most + max(map(len, canaries))))
    for row, main, canary in zip(rows, mains, canaries, strict=True):
        row[: len(main)], row[most : most + len(canary)] = main, canary
    parts = rows[np.minimum(blocks * len(rows) // min(cell.blocks, 120), len(rows) - 1)]
    if cell.fault.kind is Kind.LOST:
        parts[cell.onset.block :, most:] = 0.0
    return parts, most


def _step(cell: Cell, share: float, canaries: int) -> tuple[Floats, Floats]:
    """Parts of main's pods and of the canary's."""
    weights = [np.where(np.arange(pods) % 2, 1.0, cell.uneven) for pods in (cell.pods - canaries, canaries)]
    main, canary = (weight / weight.sum() for weight in weights)
    return (1 - share) * main, share * canary


def _rates(cell: Cell, pods: int, mains: int, rng: np.random.Generator) -> Floats:
    """(blocks, counting checks, pods): chance of a request to fail."""
    shape = (cell.blocks, cell.counters, pods)
    varied = np.array(cell.rates)[:, None] * factors(cell.noise, shape, rng)
    rates = np.broadcast_to(varied, shape).copy()
    if cell.ramp:
        rates[_last_step(cell) :] *= LATE_DRIFT
    rates[:COLD_BLOCKS, :, mains:] *= cell.noise.cold
    _with_fault(cell, rates, mains)
    if cell.noise.spells:
        ill = spells(cell.noise, cell.blocks, pods, rng)[:, None, :]
        rates = np.where(ill, np.maximum(rates, SPELL_RATE), rates)
    return rates


def _last_step(cell: Cell) -> int:
    return 120 * (len(RAMP) - 1) // len(RAMP)


def _with_fault(cell: Cell, rates: Floats, mains: int) -> None:
    if cell.fault.kind is Kind.BOTH:
        rates[cell.onset.block :, cell.faulty] = cell.fault.size
    if cell.fault.kind is Kind.ERRORS:
        rates[cell.onset.block :, cell.faulty, mains:] *= cell.fault.size


def _buckets(cell: Cell, requests: Floats, mains: int, rng: np.random.Generator) -> Counts:
    shape = (cell.blocks, cell.histograms, requests.shape[-1])
    if not cell.histograms:
        return np.zeros((*shape, len(BOUNDS)), dtype=np.int64)
    medians = MEDIAN_SECONDS * np.exp(rng.normal(0.0, LATENCY_PODS, shape[1:]))
    medians = medians * drift(LATENCY_SHARED, SHARED_MEMORY, (*shape[:2], 1), rng)
    medians = medians * drift(LATENCY_DRIFT, POD_MEMORY, shape, rng)
    waiting, hit = np.zeros(shape), (slice(cell.onset.block, None), 0, slice(mains, None))
    if cell.fault.kind is Kind.SLOWER:
        medians[hit] *= cell.fault.size
    if cell.fault.kind is Kind.WAITING:
        waiting[hit] = cell.fault.size
    counted = rng.poisson(np.broadcast_to(requests, shape))
    return rng.multinomial(counted, _chances(medians[..., None], waiting[..., None]))


def _chances(medians: Floats, waiting: Floats) -> Floats:
    """Chance of each bucket, when some requests wait a second more."""
    with np.errstate(divide="ignore"):
        reached = ndtr(np.log(BOUNDS / medians) / SIGMA)
        later = ndtr(np.log(np.maximum(BOUNDS - 1.0, 0.0) / medians) / SIGMA)
    chances = np.diff((1 - waiting) * reached + waiting * later, prepend=0.0)
    chances[..., -1] = np.maximum(0.0, 1.0 - chances[..., :-1].sum(axis=-1))
    return chances


def failing(cell: Cell, traffic: Traffic) -> Counts:
    """(blocks,) canary requests that fail in the faulty check, or in it take longer than 250 ms."""
    canary = slice(traffic.mains, None)
    if cell.fault.kind in (Kind.SLOWER, Kind.WAITING):
        above = int(np.searchsorted(BOUNDS, 0.25)) + 1
        return traffic.buckets[:, 0, canary, above:].sum(axis=(1, 2))
    if not cell.counters:
        return np.zeros(cell.blocks, dtype=np.int64)
    return traffic.errors[:, cell.faulty, canary].sum(axis=1)
