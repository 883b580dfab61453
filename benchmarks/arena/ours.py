"""
firedamp on a made-up release, by the product's own path: evidence, checks, session.

Parameters are the defaults; only the checks are named, and alpha where a cell has another one. Nothing of
the release's truth is handed over. A release is looked at block by block until harm is proven or its
blocks are over.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from arena.cells import HORIZON, RAMP, Cell
from arena.traffic import BOUNDS, Counts, Traffic
from firedamp.decision import session
from firedamp.decision.parameters import Parameters
from firedamp.model import Arm, Evidence, Outcome, Row, Slice
from firedamp.stats import sequential
from firedamp.stats.noise import Learnt, Table, learn
from firedamp.stats.null import Null
from firedamp.stats.spending import Budget


@dataclass(frozen=True, slots=True)
class Judged:
    """
    How a release went.

    Attributes:
        stop: the block in which harm was found; None where it was not.
        passed: the block in which the release passed; None where it did not.
        excluded: whether the faulty check's harm was excluded when the pass rule was judged after the
            fault had begun: what would have been passed, had the release this check alone.
    """

    stop: int | None = None
    passed: int | None = None
    excluded: bool = False


@lru_cache(maxsize=8)
def parameters(checks: int, histograms: int, alpha: float, *, warm_up: bool) -> Parameters:
    """So many critical checks; everything else by default, but for a warm-up that is not wanted."""
    counters = {"kind": "proportion", "events": 'requests{code=~"5.."}', "total": "requests"}
    errors = [{"name": f"errors-{number}", **counters} for number in range(checks - histograms)]
    latencies = [
        {"name": f"latency-{number}", "kind": "distribution", "histogram": "seconds"}
        for number in range(histograms)
    ]
    window = {} if warm_up else {"warm_up": "0s"}
    return Parameters.model_validate({"checks": errors + latencies, "alpha": alpha, "window": window})


def _settings(cell: Cell) -> Parameters:
    return parameters(cell.checks, cell.histograms, cell.alpha, warm_up=cell.warm_up)


def known(cell: Cell, errors: Counts, requests: Counts) -> Mapping[str, Learnt]:
    """What (half hours, counting checks, pods) of main told before the release, by check."""
    tables = _tables(errors, requests)
    return {name: learn(table, Table()) for name, table in zip(_names(cell), tables, strict=False)}


def left(cell: Cell, earlier: Traffic) -> Mapping[str, Learnt]:
    """What an earlier release leaves to later ones, by check."""
    mains, canary = slice(None, earlier.mains), slice(earlier.mains, None)
    arms = [_tables(earlier.errors[:, :, pods], earlier.requests[:, :, pods]) for pods in (mains, canary)]
    return {name: learn(*tables) for name, *tables in zip(_names(cell), *arms, strict=False)}


def together(parts: Iterable[Mapping[str, Learnt]]) -> Mapping[str, Learnt]:
    """All that is known, by check."""
    result: dict[str, Learnt] = {}
    for part in parts:
        result |= {name: result.get(name, Learnt()) + one for name, one in part.items()}
    return result


def _names(cell: Cell) -> list[str]:
    return [check.name for check in _settings(cell).checks]


def _tables(errors: Counts, requests: Counts) -> Iterator[Table]:
    """One per check, of (blocks, checks, pods)."""
    for blocks in np.stack((errors, requests), axis=-1).astype(float).swapaxes(0, 1).tolist():
        table = Table()
        for rows in blocks:
            table = table.add({f"pod-{pod}": (row[0], row[1]) for pod, row in enumerate(rows)})
        yield table


def course(cell: Cell, traffic: Traffic, noise: Mapping[str, Learnt] | None) -> Judged:
    """Judge one release, with what is known of its checks' noise."""
    settings = _settings(cell)
    state, excluded = session.begin(settings, 0.0, Arm.MAIN, noise), False
    for evidence in pieces(cell, settings, traffic):
        judged = state.standing.judged
        state, findings = session.advance(state, evidence, planning=False)
        if state.standing.failed_block is not None:
            break
        if state.standing.judged > judged and evidence.block.index >= cell.onset.block:
            excluded = excluded or findings[cell.faulty].outcome is Outcome.PASS
    return Judged(state.standing.failed_block, state.standing.passed_block, excluded)


def alone(cell: Cell, traffic: Traffic) -> Judged:
    """The sequential test of the only check by itself: no tolerance, no noise in the null, no reserve."""
    budget, test = Budget(cell.alpha, reserve=0.0), sequential.start(Null(tolerance=0.0, phi=1.0))
    for index in range(cell.blocks):
        errors, requests = traffic.errors[index, 0], traffic.requests[index, 0]
        test = sequential.advance(
            test,
            baseline_events=float(errors[: traffic.mains].sum()),
            canary_events=float(errors[traffic.mains :].sum()),
            canary_share=float(requests[traffic.mains :].sum() / requests.sum()),
            allowances=(sequential.Allowance(budget.spent_by((index + 1) / cell.blocks)),),
        )
        if test.crossed:
            return Judged(index)
    return Judged()


def pieces(cell: Cell, settings: Parameters, traffic: Traffic) -> Iterator[Evidence]:
    """What each block brought, in which traffic step."""
    names = [check.name for check in settings.checks]
    counted = np.stack((traffic.errors, traffic.requests), axis=-1).astype(float)
    ranked = traffic.buckets.astype(float)
    bounds = tuple(BOUNDS.tolist())
    for index in range(len(counted)):
        tables = [*counted[index].tolist(), *ranked[index].tolist()]
        slices = {
            name: Slice(_arms(table, traffic.mains), bounds if len(table[0]) > 2 else ())
            for name, table in zip(names, tables, strict=True)
        }
        step = index * len(RAMP) // HORIZON if cell.ramp else 0
        yield Evidence(session.block(settings, 0.0, index), slices, step=step)


def _arms(table: list[list[float]], mains: int) -> Mapping[Arm, Mapping[str, Row]]:
    return {
        Arm.MAIN: {f"main-{pod}": tuple(row) for pod, row in enumerate(table[:mains]) if any(row)},
        Arm.CANARY: {f"canary-{pod}": tuple(row) for pod, row in enumerate(table[mains:]) if any(row)},
    }
