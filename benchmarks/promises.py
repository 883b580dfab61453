"""
What is promised of whole releases, counted: healthy ones rolled back, harmful ones found.

    python benchmarks/promises.py [--json] [--releases 200] [--seed 20] [--only ^bursts]

Each release is made up from the seed, block by block, and judged by `firedamp.decision.session` with the
default window (an hour of 30-second blocks) and alpha (2 %), for which 20 critical checks share. A cell is
a kind of release; its noise is what is stated there, independent between checks, and the engine is told
nothing of it. Rates carry the standard error of so many releases; several processes share the work.
"""

import argparse
import json
import math
import os
import re
import statistics
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

import firedamp
from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Row, Slice

BOUNDS = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf])
MEDIAN_SECONDS, SIGMA = 0.08, 0.6
BLOCKS, HALF_HOUR, PODS = 120, 60, 20
RATES = (0.01, 0.001)
#: A shared drift keeps nine tenths of itself from block to block.
MEMORY = 0.9
RAMP = (0.05, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class Release:
    """
    What is true of a kind of release.

    Attributes:
        histograms: how many of the 20 checks are histograms; the rest are half 1 %, half 0.1 % errors.
        requests: per half hour and check, both arms together.
        pods: of main and canary; with a ramp, all of them by the canary's share.
        uneven: every other pod gets so many times the traffic.
        error_cv: of the pods' error rates, Gamma.
        batch: mean size of a geometric batch of errors that come together.
        error_drift, latency_drift: sd of a drift of log rate or log latency that both versions share.
        latency_cv: sd of the pods' log latency.
        ramp: 5, 20 and 50 % of the traffic for 20 minutes each, everybody's errors x3 in the last.
        errors, slower, waiting: harm of one check: times the errors, times as slow, share that waits 1 s.
    """

    histograms: int = 0
    requests: float = 10_000.0
    pods: tuple[int, int] = (16, 4)
    uneven: float = 1.0
    error_cv: float = 0.0
    batch: float = 1.0
    error_drift: float = 0.0
    latency_cv: float = 0.0
    latency_drift: float = 0.0
    ramp: bool = False
    errors: float = 1.0
    slower: float = 1.0
    waiting: float = 0.0

    @property
    def harmful(self) -> bool:
        return (self.errors, self.slower, self.waiting) != (1.0, 1.0, 0.0)


PODS_DIFFER = Release(error_cv=0.3)
BURSTS = Release(error_cv=0.3, batch=3.0, error_drift=0.4)
NOISY = Release(histograms=4, error_cv=0.3, latency_cv=0.05, latency_drift=0.1)

HEALTHY = {
    "none": Release(),
    "none, 100,000 requests": Release(requests=100_000),
    "none, 200 requests": Release(requests=200, pods=(4, 2)),
    "pods": PODS_DIFFER,
    "pods, 100,000 requests": replace(PODS_DIFFER, requests=100_000),
    "pods, 9 main and 1 canary": replace(PODS_DIFFER, pods=(9, 1)),
    "pods, 2 main and 4 canary": replace(PODS_DIFFER, pods=(2, 4)),
    "pods, traffic uneven 1:5": replace(PODS_DIFFER, uneven=5.0),
    "ramp, errors x3 at its end": Release(ramp=True),
    "ramp, pods": replace(PODS_DIFFER, ramp=True),
    "bursts": BURSTS,
    "16 + 4, noise": NOISY,
    "16 + 4, noise, 100,000 requests": replace(NOISY, requests=100_000),
    "16 + 4, noise, 200 requests": replace(NOISY, requests=200, pods=(4, 2)),
    "16 + 4, noise, 9 main and 1 canary": replace(NOISY, pods=(9, 1)),
    "16 + 4, noise, ramp": replace(NOISY, ramp=True),
}
HARMFUL = {
    "errors x5": replace(PODS_DIFFER, errors=5.0),
    "errors x10": replace(PODS_DIFFER, errors=10.0),
    "errors x10, 1,000 requests": replace(PODS_DIFFER, errors=10.0, requests=1_000),
    "errors x10, bursts": replace(BURSTS, errors=10.0),
    "latency x1.5": replace(NOISY, histograms=20, slower=1.5),
    "2 % of requests +1 s": replace(NOISY, histograms=20, waiting=0.02),
    "all failing from the start": replace(PODS_DIFFER, errors=math.inf),
    "all failing, 1,000 requests": replace(PODS_DIFFER, errors=math.inf, requests=1_000),
}
CELLS = HEALTHY | HARMFUL


@dataclass(frozen=True, slots=True)
class Arms:
    """Pods of one arm in one step: each pod's part of the traffic, error factors and latency factors."""

    requests: np.ndarray
    errors: np.ndarray
    latency: np.ndarray


class Traffic:
    """One made-up release: pods are drawn once, drifts go on from block to block."""

    def __init__(self, release: Release, rng: np.random.Generator) -> None:
        self.release, self.rng = release, rng
        # Only the harmful check brings evidence: the others would only add false alarms to what is found.
        bring = slice(0, 1) if release.harmful else slice(None)
        checks = parameters(release.histograms).checks
        self.errors = [check.name for check in checks if check.kind == "proportion"][bring]
        self.latencies = [check.name for check in checks if check.kind == "distribution"][bring]
        if release.harmful and release.errors == 1.0:
            self.errors = []
        self.rates = np.resize(RATES, len(self.errors))
        self.drifts = rng.normal(size=2)
        self.factors = {arm: self._factors(PODS) for arm in (Arm.MAIN, Arm.CANARY)}

    def _factors(self, pods: int) -> tuple[np.ndarray, np.ndarray]:
        release, rng = self.release, self.rng
        precision = 1 / release.error_cv**2 if release.error_cv else math.inf
        shape = (len(self.errors), pods)
        errors = rng.gamma(precision, 1 / precision, shape) if release.error_cv else np.ones(shape)
        return errors, np.exp(rng.normal(0, release.latency_cv, (len(self.latencies), pods)))

    def blocks(self) -> Iterator[tuple[int, dict[Arm, Arms]]]:
        """The traffic step and both arms, block by block."""
        for index in range(BLOCKS):
            step = index * len(RAMP) // BLOCKS if self.release.ramp else 0
            self.drifts = MEMORY * self.drifts + math.sqrt(1 - MEMORY**2) * self.rng.normal(size=2)
            yield step, {arm: self._arm(arm, step) for arm in (Arm.MAIN, Arm.CANARY)}

    def _arm(self, arm: Arm, step: int) -> Arms:
        release, canary = self.release, arm is Arm.CANARY
        share = RAMP[step] if release.ramp else 0.2
        pods = round(PODS * (share if canary else 1 - share)) if release.ramp else release.pods[canary]
        traffic = np.where(np.arange(pods) % 2, 1.0, release.uneven)
        part = traffic / traffic.sum() * (share if canary else 1 - share)
        errors, latency = (factors[:, :pods] for factors in self.factors[arm])
        everybody = 3.0 if step == len(RAMP) - 1 and release.ramp else 1.0
        return Arms(
            part * release.requests / HALF_HOUR,
            errors * everybody * drifted(self.drifts[0], release.error_drift) * self._harm(arm),
            latency * drifted(self.drifts[1], release.latency_drift) * (release.slower if canary else 1.0),
        )

    def _harm(self, arm: Arm) -> float:
        return self.release.errors if arm is Arm.CANARY else 1.0

    def evidence(self, settings: Parameters) -> Iterator[Evidence]:
        """What the blocks bring."""
        for index, (step, arms) in enumerate(self.blocks()):
            found = {arm: self._rows(arm, pods) for arm, pods in arms.items()}
            slices = {
                name: Slice(
                    {arm: rows[name] for arm, rows in found.items()},
                    tuple(BOUNDS) if name in self.latencies else (),
                )
                for name in (*self.errors, *self.latencies)
            }
            yield Evidence(session.block(settings, 0.0, index), slices, step=step)

    def _rows(self, arm: Arm, pods: Arms) -> Mapping[str, Mapping[str, Row]]:
        counted = np.concatenate((self._errors(pods), np.zeros((0, pods.requests.size, 2))))
        ranked = self._latencies(pods, waiting=self.release.waiting if arm is Arm.CANARY else 0.0)
        return {
            name: {f"{arm}-{pod}": tuple(row) for pod, row in enumerate(table.tolist()) if any(row)}
            for names, tables in ((self.errors, counted), (self.latencies, ranked))
            for name, table in zip(names, tables, strict=True)
        }

    def _errors(self, pods: Arms) -> np.ndarray:
        """(checks, pods, 2): errors and requests."""
        rng, batch = self.rng, self.release.batch
        requests = rng.poisson(pods.requests, pods.errors.shape)
        rates = np.minimum(self.rates[:, None] * pods.errors / batch, 1.0)
        batches = rng.binomial(requests, rates)
        more = rng.negative_binomial(np.maximum(batches, 1), 1 / batch) * (batches > 0)
        return np.stack((np.minimum(batches + more, requests), requests), axis=-1).astype(float)

    def _latencies(self, pods: Arms, *, waiting: float) -> np.ndarray:
        """(checks, pods, buckets): requests."""
        median = MEDIAN_SECONDS * pods.latency[..., None]
        with np.errstate(divide="ignore"):
            reached = ndtr(np.log(BOUNDS / median) / SIGMA)
            later = ndtr(np.log(np.maximum(BOUNDS - 1.0, 0.0) / median) / SIGMA)
        chances = np.diff((1 - waiting) * reached + waiting * later, prepend=0.0)
        requests = self.rng.poisson(pods.requests, pods.latency.shape)
        return self.rng.multinomial(requests, chances).astype(float)


def drifted(place: float, sd: float) -> float:
    """A log-normal factor of mean 1."""
    return math.exp(sd * place - sd**2 / 2)


def parameters(histograms: int) -> Parameters:
    """Twenty critical checks; everything else by default."""
    counters = {"kind": "proportion", "events": 'requests{code=~"5.."}', "total": "requests"}
    errors = [{"name": f"errors-{number}", **counters} for number in range(20 - histograms)]
    latencies = [
        {"name": f"latency-{number}", "kind": "distribution", "histogram": "seconds"}
        for number in range(histograms)
    ]
    return Parameters.model_validate({"checks": errors + latencies})


def failed_block(cell: str, seed: int, number: int) -> int | None:
    """Blocks it took to roll one release back; None where it was not within the hour."""
    release = CELLS[cell]
    settings = parameters(release.histograms)
    traffic = Traffic(release, np.random.default_rng((seed, zlib.crc32(cell.encode()), number)))
    state = session.begin(settings, 0.0, Arm.MAIN)
    for evidence in traffic.evidence(settings):
        state, _ = session.advance(state, evidence, planning=False)
        if state.standing.failed_block is not None:
            return state.standing.failed_block + 1
    return None


def figure(blocks: list[int | None]) -> dict[str, float | None]:
    """Share of releases rolled back in percent, its standard error, and the median block of those."""
    found, count = [block for block in blocks if block is not None], len(blocks)
    # Agresti and Coull's estimate: a rate of 0 has an error too.
    rate = (len(found) + 2) / (count + 4)
    return {
        "releases": count,
        "rolled_back": len(found),
        "percent": round(100 * len(found) / count, 2),
        "error": round(100 * math.sqrt(rate * (1 - rate) / (count + 4)), 2),
        "median_block": statistics.median(found) if found else None,
    }


def table(names: list[str], figures: Mapping[str, Mapping[str, float | None]]) -> str:
    """Markdown."""
    lines = ["|release|rolled back, %|of|median block|", "|---|---|---|---|"]
    for name in names:
        one = figures[name]
        median = "-" if one["median_block"] is None else f"{one['median_block']:g}"
        lines.append(f"|{name}|{one['percent']:g} ± {one['error']:.1f}|{one['releases']}|{median}|")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--releases", type=int, default=200, help="per healthy cell; half for harmful ones")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--only", default="", help="cells whose names match this regular expression")
    options = parser.parse_args()
    names = [name for name in CELLS if re.search(options.only, name)]
    figures = {}
    # What is found in a cell depends on the seed and the cell alone, not on which others run.
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for name in names:
            count = math.ceil(options.releases / (2 if CELLS[name].harmful else 1))
            runs = ([name] * count, [options.seed] * count, range(count))
            figures[name] = figure(list(pool.map(failed_block, *runs, chunksize=5)))
    stated = {"version": firedamp.__version__, "seed": options.seed}
    if options.json:
        print(json.dumps({**stated, "cells": figures}))
        return
    print(f"firedamp {stated['version']}, seed {options.seed}")
    for title, cells in (("Healthy", HEALTHY), ("Harmful", HARMFUL)):
        print(f"\n{title}\n\n{table([name for name in names if name in cells], figures)}")


if __name__ == "__main__":
    main()
