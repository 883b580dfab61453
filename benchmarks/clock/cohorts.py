"""
To whom a trace belongs, and what it costs to get that wrong: healthy releases, judged both ways.

The canary gets one call in twenty, each call by itself. Traces make up to six of them, and fail the more
often the more they make. By its first call a trace is the canary's with its share, whatever it does; of
those that touch the canary anywhere more are long, and those fail more often without anybody's fault. What
pods differ by is known, and no rise of the odds is tolerated, which would hide a part of the bias.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from firedamp.checks import FlowFailures
from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Slice
from firedamp.stats import fisher
from firedamp.stats.noise import Learnt

SHARE, CALLS, FAILING = 0.05, 6, 0.003
PODS = {Arm.MAIN: 10, Arm.CANARY: 2}
FLOW = FlowFailures(
    name="order.availability",
    kind="flow-failures",
    flow={"service": "gateway", "operation": "POST /orders"},
    tolerance=0.0,
)
#: Half an hour of calm history: errors without clumps, pods that hardly differ.
KNOWN = {FLOW.name: Learnt(200.0, 200.0, 0.02, 20.0)}
PARAMETERS = Parameters(checks=(FLOW,))
BLOCKS = round(PARAMETERS.window.deadline_seconds / PARAMETERS.window.look)

Counts = dict[Arm, dict[str, tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Judged:
    """
    A healthy release, its traces told apart in one way.

    Attributes:
        rolled_back: wrongly.
        odds: of a failure in the canary over the other version's.
    """

    rolled_back: bool
    odds: float


def judged(seed: int, flows_per_block: int) -> tuple[Judged, Judged]:
    """One release: by the first visit, and by any visit."""
    rng = np.random.default_rng((20, seed))
    first, touched = zip(*_blocks(rng, flows_per_block), strict=True)
    return Judged(_failed(first), _odds(first)), Judged(_failed(touched), _odds(touched))


def _blocks(rng: np.random.Generator, flows: int) -> Iterator[tuple[Counts, Counts]]:
    for _ in range(BLOCKS):
        number = rng.poisson(flows)
        calls = rng.integers(1, CALLS + 1, number)
        to_canary = rng.random((number, CALLS)) < SHARE
        made = np.arange(CALLS) < calls[:, None]
        failed = rng.random(number) < FAILING * calls
        pods = rng.random(number)
        yield (
            _counted(to_canary[:, 0], failed, pods),
            _counted((to_canary & made).any(axis=1), failed, pods),
        )


def _counted(canary: np.ndarray, failed: np.ndarray, pods: np.ndarray) -> Counts:
    found: Counts = {}
    for arm, own in ((Arm.MAIN, ~canary), (Arm.CANARY, canary)):
        served = (pods[own] * PODS[arm]).astype(int)
        every = np.bincount(served, minlength=PODS[arm])
        bad = np.bincount(served[failed[own]], minlength=PODS[arm])
        found[arm] = {
            f"{arm}-{pod}": (float(bad[pod]), float(every[pod])) for pod in range(PODS[arm]) if every[pod]
        }
    return found


def _failed(blocks: tuple[Counts, ...]) -> bool:
    state = session.begin(PARAMETERS, 0.0, Arm.MAIN, KNOWN)
    for rows in blocks:
        evidence = Evidence(state.next_block, {FLOW.name: Slice(rows)})
        state, _ = session.advance(state, evidence, planning=False)
        if state.standing.failed_block is not None:
            return True
    return False


def _odds(blocks: tuple[Counts, ...]) -> float:
    sums = {
        arm: [sum(row[column] for rows in blocks for row in rows[arm].values()) for column in (0, 1)]
        for arm in PODS
    }
    (bad, every), (canary_bad, canary) = sums[Arm.MAIN], sums[Arm.CANARY]
    return fisher.fisher_exact(bad, every, canary_bad, canary).odds_ratio
