"""
What a check says ahead, against what then came: requests still needed, and the rise it would have seen.

Healthy canaries are judged block by block until they pass, by the product's own check; what they said
was missing is compared with what was. Then canaries with just the rise that healthy ones called
detectable are judged: four of five should fail by then. Seeded; traffic and noise as in the arena.

    python benchmarks/forecast.py [--json | --markdown] [--releases 300] [--seed 1]

The tables of docs/plan.md are what --markdown prints.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from arena.noise import BURSTS, NONE, PODS, Noise, draw, factors

from firedamp.checks import PASS_LEVEL, Grant, Moment, Proportion
from firedamp.checks.proportion import ProportionRun
from firedamp.decision import known
from firedamp.model import Arm, Block, Finding, Outcome, Slice
from firedamp.stats.noise import Learnt, Table, learn

LOOK, WARM_UP, DECIDE_BY = 30.0, 120.0, 3600.0
HALF_HOUR, HISTORY = 60, 12
#: The blocks after which checks are asked: 5, 15 and 30 minutes, of the hour until decide-by.
ASKED = (10, 30, 60)
#: No canary is waited for longer than six hours.
PATIENCE = 720
#: One of twenty critical checks.
ALPHA = 0.02 / 20
CHECK = Proportion(name="errors", kind="proportion", events='requests{code=~"5.."}', total="requests")


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of traffic: all requests of a service in 30 minutes, and the share that fails."""

    requests: int
    rate: float
    mains: int = 16
    canaries: int = 4
    noise: Noise = NONE

    def __str__(self) -> str:
        share = self.canaries / (self.mains + self.canaries)
        pods = f"{self.mains}+{self.canaries} pods"
        traffic = f"{self.requests:,} requests, {self.rate:.1%} errors, {share:.0%} share"
        return f"{traffic}, {pods}, {self.noise.name}"


CELLS = (
    Cell(200, 0.01),
    Cell(1_000, 0.01),
    Cell(1_000, 0.05),
    Cell(10_000, 0.001),
    Cell(10_000, 0.01),
    Cell(10_000, 0.01, mains=19, canaries=1),
    Cell(10_000, 0.05, mains=10, canaries=10),
    Cell(100_000, 0.001),
    Cell(1_000, 0.01, noise=PODS),
    Cell(10_000, 0.01, noise=PODS),
    Cell(100_000, 0.001, noise=PODS),
    Cell(10_000, 0.01, mains=8, canaries=2, noise=PODS),
    Cell(10_000, 0.01, noise=BURSTS),
    Cell(100_000, 0.01, noise=BURSTS),
)


@dataclass(frozen=True, slots=True)
class Need:
    """
    Requests said to be missing, over those that were.

    Attributes:
        told: forecasts that could be held against what came.
        never: canaries that did not pass within six hours.
        median, low, high: of said over missing; low and high hold 80 % of them.
        error: median of how far it is off, relative to what was missing.
    """

    cell: str
    after_blocks: int
    told: int
    never: int
    median: float
    low: float
    high: float
    error: float


@dataclass(frozen=True, slots=True)
class Power:
    """How many canaries failed by a block with the rise (the median one) called detectable there."""

    cell: str
    after_blocks: int
    detectable: float
    failed: float
    releases: int


def grant(cell: Cell, rng: np.random.Generator) -> Grant:
    """What the check may spend, and what six hours of the main pods told."""
    rates = cell.rate * factors(cell.noise, (HISTORY * HALF_HOUR, 1, cell.mains), rng)[:, 0]
    rates = np.broadcast_to(rates, (HISTORY * HALF_HOUR, cell.mains))
    means = rates.reshape(HISTORY, HALF_HOUR, cell.mains).mean(axis=1)
    errors, requests = draw(cell.noise, np.array(cell.requests / (cell.mains + cell.canaries)), means, rng)
    table = Table()
    for block in range(HISTORY):
        table = table.add(rows("main", errors[block], requests[block]))
    told: Learnt = known.pooled([learn(table, Table())])
    return Grant(ALPHA, Arm.MAIN, LOOK, WARM_UP, DECIDE_BY, known=told)


def rows(name: str, errors: np.ndarray, requests: np.ndarray) -> dict[str, tuple[float, float]]:
    return {
        f"{name}-{pod}": (float(k), float(n))
        for pod, (k, n) in enumerate(zip(errors, requests, strict=True))
        if n
    }


def pieces(cell: Cell, ratio: float, blocks: int, rng: np.random.Generator) -> Iterator[Slice]:
    pods = cell.mains + cell.canaries
    rates = cell.rate * factors(cell.noise, (blocks, 1, pods), rng)[:, 0]
    rates = np.broadcast_to(rates, (blocks, pods)).copy()
    rates[:, cell.mains :] *= ratio
    errors, requests = draw(cell.noise, np.array(cell.requests / HALF_HOUR / pods), rates, rng)
    for k, n in zip(errors, requests, strict=True):
        main, canary = (slice(None, cell.mains), slice(cell.mains, None))
        yield Slice(
            {Arm.MAIN: rows("main", k[main], n[main]), Arm.CANARY: rows("canary", k[canary], n[canary])}
        )


def moment(index: int, *, planning: bool) -> Moment:
    block = Block(index, index * LOOK, (index + 1) * LOOK)
    return Moment(block, index + 1, index * LOOK >= WARM_UP, PASS_LEVEL, planning)


def judged(run: ProportionRun, evidence: Iterator[Slice], asked: tuple[int, ...]) -> Iterator[Finding]:
    """What the check finds after each block; what it says ahead where it is asked."""
    for index, piece in enumerate(evidence):
        now = moment(index, planning=index + 1 in asked)
        run = run.take(piece, now)
        yield run.finding(now)


def healthy(cell: Cell, rng: np.random.Generator) -> tuple[dict[int, tuple[float, float]], dict[int, float]]:
    """(said, missing) by the block asked, missing is inf of what never passed; and what was detectable."""
    said, detectable, seen = {}, {}, 0.0
    found = judged(CHECK.begin(grant(cell, rng)), pieces(cell, 1.0, PATIENCE, rng), ASKED)
    for blocks, finding in enumerate(found, 1):
        seen = finding.canary_n or 0.0
        if blocks in ASKED and finding.detectable is not None:
            detectable[blocks] = finding.detectable
        if finding.outcome is not Outcome.INCONCLUSIVE:
            break
        if blocks in ASKED and finding.needs:
            said[blocks] = (float(finding.needs), seen)
    passed = finding.outcome is Outcome.PASS
    return {at: (n, seen - then if passed else np.inf) for at, (n, then) in said.items()}, detectable


def fails(cell: Cell, ratio: float, blocks: int, rng: np.random.Generator) -> bool:
    found = judged(CHECK.begin(grant(cell, rng)), pieces(cell, ratio, blocks, rng), ())
    return any(finding.outcome is Outcome.FAIL for finding in found)


def needs(cell: Cell, releases: int, seed: int) -> tuple[list[Need], dict[int, float]]:
    rng = np.random.default_rng((seed, CELLS.index(cell), 0))
    told = [healthy(cell, rng) for _ in range(releases)]
    found = []
    for at in ASKED:
        pairs = np.array([said[at] for said, _ in told if at in said]).reshape(-1, 2)
        # What never passed lacked more than any number: beyond the others.
        never = int(np.isinf(pairs[:, 1]).sum())
        if len(pairs) >= releases / 10 and never < len(pairs) / 2:
            over = pairs[:, 0] / pairs[:, 1]
            low, median, high = np.quantile(over, (0.1, 0.5, 0.9))
            error = float(np.median(np.abs(over - 1)))
            found.append(
                Need(str(cell), at, len(pairs), never, float(median), float(low), float(high), error)
            )
    ratios = {at: [seen[at] for _, seen in told if at in seen] for at in ASKED}
    return found, {at: float(np.median(one)) for at, one in ratios.items() if one}


def power(cell: Cell, ratios: dict[int, float], releases: int, seed: int) -> list[Power]:
    rng = np.random.default_rng((seed, CELLS.index(cell), 1))
    found = []
    for at, ratio in ratios.items():
        if ratio * cell.rate <= 1:
            failed = np.mean([fails(cell, ratio, at, rng) for _ in range(releases)])
            found.append(Power(str(cell), at, ratio, float(failed), releases))
    return found


def show(told: list[Need], seen: list[Power]) -> None:
    columns = f"{'asked':>5} {'told':>5} {'never':>5} {'said/needed':>11} {'80 %':>12} off"
    print(f"{'requests still needed':<58} {columns}")
    for one in told:
        between = f"{one.low:.2f} to {one.high:.2f}"
        print(
            f"{one.cell:<58} {one.after_blocks:>5} {one.told:>5} {one.never:>5} {one.median:>11.2f} "
            f"{between:>12} {one.error:.0%}"
        )
    print(f"\n{'detectable rise':<58} {'block':>5} {'rise':>6} failed by then")
    for one in seen:
        print(f"{one.cell:<58} {one.after_blocks:>5} {one.detectable:>6.2f} {one.failed:.0%}")


def markdown(told: list[Need], seen: list[Power]) -> str:
    """Both tables of docs/plan.md, and what they come to."""
    inside = sum(abs(one.failed - 0.8) <= 0.1 for one in seen)
    least, most = (pick(one.failed for one in seen) for pick in (min, max))
    rows = [
        "|traffic|asked after|said/needed|80 % of them|off by|never passed|",
        "|---|---|---|---|---|---|",
        *(
            f"|{one.cell}|{one.after_blocks / 2:g} min|{one.median:.2f}|{one.low:.1f} to {one.high:.1f}|"
            f"{one.error:.0%}|{one.never} of {one.told}|"
            for one in told
        ),
        "",
        f"Median of the medians {np.median([one.median for one in told]):.2f}, median error "
        f"{np.median([one.error for one in told]):.0%}.",
        "",
        "|traffic|by|detectable|failed by then|",
        "|---|---|---|---|",
        *(
            f"|{one.cell}|{one.after_blocks / 2:g} min|{one.detectable:.1f}×|{one.failed:.0%}|"
            for one in seen
        ),
        "",
        f"{inside} of {len(seen)} lie within ten points of 80 %, all between {least:.0%} and {most:.0%}.",
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--releases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    all_needs: list[Need] = []
    all_power: list[Power] = []
    for one_cell in CELLS:
        missing, rises = needs(one_cell, given.releases, given.seed)
        all_needs += missing
        all_power += power(one_cell, rises, given.releases, given.seed)
    if given.json:
        report = {"needs": [asdict(one) for one in all_needs], "power": [asdict(one) for one in all_power]}
        print(json.dumps(report, indent=2))
    elif given.markdown:
        print(markdown(all_needs, all_power))
    else:
        show(all_needs, all_power)
