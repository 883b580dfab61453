"""
The peers: how others decide, as they are documented, over the same counts and many releases at once.

Each takes what was `Seen` and returns the block in which it would roll back, per release, `NEVER` where it
would not. Methods with a plan (group-sequential limits, Kayenta) end with it at decide-by; the others go on
for as long as there are blocks.

Sources: Fisher (1935); Lan & DeMets (1983), Biometrika 70; Flagger's tutorials (request-success-rate ≥ 99 %
and request-duration p99 ≤ 500 ms, interval 1m, threshold 5), with 95 % for checks that run at 1 % errors;
Argo Rollouts' analysis page (success rate ≥ 0.95, interval 5m, failureLimit 3); PipeCD's metrics_analyzer.go
(Mann-Whitney p ≤ 0.05 per interval); mixture e-process: Turner, Ly & Grünwald, arXiv 2106.02693.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from arena import kayenta
from arena.cells import HORIZON
from arena.fisher import upper_tail
from arena.ranking import excess_z
from arena.seen import Seen
from firedamp.stats.spending import Budget, Spending, nominal_levels

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Blocks = NDArray[np.int64]

NEVER = 1_000_000
#: Blocks in a minute and in five.
MINUTE, FIVE_MINUTES = 2, 10
#: Alternatives of the e-process: odds ratios, even in their logarithm.
ODDS = np.geomspace(1.5, 300.0, 16)


def first(crossed: Flags) -> Blocks:
    """The first block that is crossed, along the last axis."""
    return np.where(crossed.any(axis=-1), crossed.argmax(axis=-1), NEVER)


def fisher_levels(seen: Seen) -> Floats:
    """One-sided Fisher p of the pooled table so far, (releases, checks, blocks)."""
    events, requests = np.cumsum(seen.events, axis=-1), np.cumsum(seen.requests, axis=-1)
    return upper_tail(events[0], requests[0], events[1], requests[1])


def naive(seen: Seen, levels: Floats) -> Blocks:
    """Fisher at 5 %, at every block, on every check."""
    return first((levels <= 0.05).any(axis=1))


def spending(seen: Seen, levels: Floats) -> Blocks:
    """Fisher under Pocock's limits over the hour, alpha split over the checks by Bonferroni."""
    plan = Budget(seen.cell.alpha / seen.cell.checks, reserve=0.0, spending=Spending.POCOCK)
    planned = min(HORIZON, seen.shape[2])
    looks = np.arange(1, planned + 1) / planned
    limits = nominal_levels(plan, looks)
    return first((levels[..., :planned] <= limits).any(axis=1))


def e_process(seen: Seen, levels: Floats) -> Blocks:
    """A mixture over odds ratios; the share is each block's own, so that traffic steps are strata."""
    warm = seen.warm
    events, canary = warm.events.sum(axis=0), warm.events[1]
    requests = warm.requests.sum(axis=0)
    share = warm.requests[1] / np.maximum(requests, 1.0)
    log_e = np.full(events.shape, -np.inf)
    for odds in ODDS:
        gains = canary * math.log(odds) - events * np.log1p(share * (odds - 1))
        log_e = np.logaddexp(log_e, np.cumsum(gains, axis=-1))
    wanted = math.log(len(ODDS) * seen.cell.checks / seen.cell.alpha)
    return first((log_e >= wanted).any(axis=1))


def flagger(seen: Seen, levels: Floats) -> Blocks:
    """Every minute success ≥ 99 % and p99 ≤ 500 ms; the fifth failed minute rolls back."""
    poor = _ratios(seen, MINUTE) > _lines(seen)
    poor[:, seen.latencies] = _worst(seen, MINUTE) > 0.5
    return _counted(poor.any(axis=1), 5, MINUTE)


def argo(seen: Seen, levels: Floats) -> Blocks:
    """Every five minutes success ≥ 95 % in each check; more than three failures of one abort."""
    poor = _ratios(seen, FIVE_MINUTES) > 0.05
    poor[:, seen.latencies] = False
    return _counted(poor, 4, FIVE_MINUTES).min(axis=1)


def pipecd(seen: Seen, levels: Floats) -> Blocks:
    """Every five minutes Mann-Whitney at 5 % on the interval's ten points; one failure is enough."""
    looks = seen.shape[2] // FIVE_MINUTES
    intervals = seen.series.reshape(*seen.series.shape[:3], looks, FIVE_MINUTES)
    high = excess_z(intervals[0], intervals[1]) >= 1.6448536269514722
    return _at(first(high.any(axis=1)), FIVE_MINUTES)


def kayenta_any(seen: Seen, levels: Floats) -> Blocks:
    """Kayenta's judge every five minutes over all points so far; any critical High or Nodata fails."""
    return kayenta.first_failure(seen.series[..., :HORIZON], every=FIVE_MINUTES, never=NEVER)


def _lines(seen: Seen) -> Floats:
    """Allowed error ratio per check: nobody draws the line of 99 % through a service that runs at it."""
    base = np.array([*seen.cell.rates, *[0.0] * seen.cell.histograms])
    return np.where(base < 0.01, 0.01, 0.05)[:, None]


def _ratios(seen: Seen, blocks: int) -> Floats:
    """The canary's error ratio per interval of so many blocks; 0 without requests."""
    shape = (*seen.shape[:2], seen.shape[2] // blocks, blocks)
    events, requests = (table[1].reshape(shape).sum(axis=-1) for table in (seen.events, seen.requests))
    return events / np.maximum(requests, 1.0)


def _worst(seen: Seen, blocks: int) -> Floats:
    shape = (seen.shape[0], -1, seen.shape[2] // blocks, blocks)
    series = np.nan_to_num(seen.series[1][:, seen.latencies])
    return series.reshape(shape).max(axis=-1) if series.size else np.zeros((seen.shape[0], 0, shape[2]))


def _counted(poor: Flags, failures: int, blocks: int) -> Blocks:
    return _at(first(np.cumsum(poor, axis=-1) >= failures), blocks)


def _at(interval: Blocks, blocks: int) -> Blocks:
    """The last block of an interval."""
    return np.where(interval == NEVER, NEVER, (interval + 1) * blocks - 1)


PEERS: Mapping[str, Callable[[Seen, Floats], Blocks]] = {
    "naive Fisher": naive,
    "Mann-Whitney 5 %": pipecd,
    "Kayenta": kayenta_any,
    "Flagger thresholds": flagger,
    "Argo thresholds": argo,
    "Fisher-Pocock-Bonferroni": spending,
    "e-process": e_process,
}


def stops(seen: Seen) -> Mapping[str, Blocks]:
    """The block in which each peer rolls back, (releases,) each."""
    levels = fisher_levels(seen.warm)
    return {name: peer(seen, levels) for name, peer in PEERS.items()}
