"""
Releases made up from a seed, block by block, for tests of checks and decisions.

Each pod serves Poisson traffic; errors are binomial, latencies log-normal in Prometheus's default buckets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Finding, Row, Slice, Trouble

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))


@dataclass(frozen=True)
class Shop:
    """What two versions do; rates per request, seconds, requests per block over both arms."""

    requests: float = 200.0
    share: float = 0.2
    baseline_errors: float = 0.01
    canary_errors: float = 0.01
    baseline_median: float = 0.08
    canary_median: float = 0.08
    baseline_pods: int = 4
    canary_pods: int = 2
    seed: int = 1


def blocks(
    parameters: Parameters, shop: Shop, count: int, *, start: int = 0, troubles: tuple[Trouble, ...] = ()
) -> Iterator[Evidence]:
    """Evidence for every proportion and distribution check of the parameters."""
    rng = np.random.default_rng((shop.seed, start))
    for index in range(start, start + count):
        slices = {}
        for check in parameters.checks:
            if check.kind == "proportion":
                rows = {arm: _errors(rng, shop, arm) for arm in (Arm.MAIN, Arm.CANARY)}
                slices[check.name] = Slice(rows, (), troubles)
            elif check.kind == "distribution":
                rows = {arm: _latencies(rng, shop, arm) for arm in (Arm.MAIN, Arm.CANARY)}
                slices[check.name] = Slice(rows, BOUNDS, troubles)
        yield Evidence(session.block(parameters, 0.0, index), slices)


def judged(
    parameters: Parameters, evidence: Iterator[Evidence]
) -> tuple[session.Session, tuple[Finding, ...]]:
    """The session and the findings after the last block."""
    state, findings = session.begin(parameters, 0.0, Arm.MAIN), ()
    for piece in evidence:
        state, findings = session.advance(state, piece)
    return state, findings


def _pods(shop: Shop, arm: Arm) -> tuple[list[str], float]:
    pods = shop.canary_pods if arm is Arm.CANARY else shop.baseline_pods
    share = shop.share if arm is Arm.CANARY else 1 - shop.share
    return [f"{arm.value}-{number}" for number in range(pods)], shop.requests * share / max(1, pods)


def _errors(rng: np.random.Generator, shop: Shop, arm: Arm) -> Mapping[str, Row]:
    rate = shop.canary_errors if arm is Arm.CANARY else shop.baseline_errors
    pods, mean = _pods(shop, arm)
    requests = [int(rng.poisson(mean)) for _ in pods]
    return {pod: (float(rng.binomial(n, rate)), float(n)) for pod, n in zip(pods, requests, strict=True)}


def _latencies(rng: np.random.Generator, shop: Shop, arm: Arm) -> Mapping[str, Row]:
    median = shop.canary_median if arm is Arm.CANARY else shop.baseline_median
    pods, mean = _pods(shop, arm)
    reached = ndtr(np.log(np.array(BOUNDS) / median) / 0.6)
    chances = np.diff(reached, prepend=0.0)
    return {pod: tuple(map(float, rng.multinomial(int(rng.poisson(mean)), chances))) for pod in pods}
