"""
A distribution check's prospect: the check itself, run over the latencies to be expected.

Main's requests are what they were in the hours before, the canary's are the same, stretched. What the median
release shows at some block four of five show when there are so many more requests that luck against the
canary is made up for: a test at level z needs ((z + 0.84) / z)² times as many.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from firedamp import words
from firedamp.checks import PASS_LEVEL, Distribution, Grant
from firedamp.decision.planning import fed
from firedamp.decision.planning.rollout import Prospect, Rollout, Sight, Usual
from firedamp.model import Arm, Outcome, Row, Slice
from firedamp.stats.stretch import Shape
from firedamp.units import spoken_duration

Floats = NDArray[np.float64]

#: Ratios at which the curve is drawn, beside those asked about.
_RATIOS = (1.3, 1.4, 1.6, 10.0)
_FOUR_OF_FIVE = 0.8
#: Fewer requests than this tell nothing of a distribution.
_LEAST = 100.0


@dataclass(frozen=True, slots=True)
class _Latencies:
    """
    Blocks to come.

    Attributes:
        mains: main's pods, each with its part of a block's requests by bucket.
        everyone: (buckets,) requests of main in a block, were the service its own.
        pods: of the canary.
    """

    check: Distribution
    grant: Grant
    bounds: tuple[float, ...]
    mains: Mapping[str, Row]
    everyone: Floats
    share: float
    pods: int

    def piece(self, ratio: float) -> Slice:
        """A block in which the canary takes so many times as long."""
        edges = np.array(self.bounds)
        shares = Shape.of(self.everyone, edges, float(self.everyone.sum())).stretched(np.array([ratio]))[0]
        each = shares * float(self.everyone.sum()) * self.share / self.pods
        canary: dict[str, Row] = {f"canary {pod}": tuple(each.tolist()) for pod in range(self.pods)}
        return Slice({self.grant.against or Arm.MAIN: self.mains, Arm.CANARY: canary}, self.bounds)

    def seconds(self, ratio: float, outcome: Outcome, level: float) -> float | None:
        """When four of five show this; None where not within the window."""
        blocks = fed.first(self.check, self.grant, self.piece(ratio), outcome, self.grant.looks)
        if blocks is None:
            return None
        surely = float(-ndtri(level))
        more = ((surely + float(ndtri(_FOUR_OF_FIVE))) / surely) ** 2
        warm_up = self.grant.warm_up_looks
        return (warm_up + math.ceil((blocks - warm_up) * more)) * self.grant.look_seconds


def prospect(
    check: Distribution, grant: Grant, usual: Usual, rollout: Rollout, ratios: Sequence[float]
) -> Prospect:
    """
    What the check can do for a release to come.

    Args:
        check: the check.
        grant: what it may spend.
        usual: rows of requests by bucket.
        rollout: the release.
        ratios: how many times as long the canary takes, > 1.
    """
    blank = Prospect(check.name, check.kind, check.tier)
    requests = math.fsum(count for rows in usual.rows for row in rows.values() for count in row)
    if requests < _LEAST:
        return replace(blank, blind=f"{words.count(requests)} requests of main in the last {usual.hours:g} h")
    ahead = _latencies(check, grant, usual, rollout)
    sights = {ratio: _sight(ahead, ratio) for ratio in ratios}
    others = {ratio: _sight(ahead, ratio) for ratio in _RATIOS if ratio not in ratios}
    curve = {**sights, **others}
    points = sorted((one.seconds, ratio) for ratio, one in curve.items() if one.seconds and not one.why)
    per_second = requests / (usual.block_seconds * len(usual.present))
    return replace(
        blank,
        usual=f"{_median(ahead)}, {words.significant(per_second)} requests/s",
        sights=sights,
        passing=_passing(ahead),
        curve=tuple(_falling(points)),
    )


def _latencies(check: Distribution, grant: Grant, usual: Usual, rollout: Rollout) -> _Latencies:
    scale = grant.look_seconds / (usual.block_seconds * len(usual.present))
    whole: dict[str, Floats] = {}
    for rows in usual.present:
        for pod, row in rows.items():
            whole[pod] = whole.get(pod, np.zeros(len(usual.bounds))) + np.array(row) * scale
    mains: dict[str, Row] = {pod: tuple((row * (1 - rollout.share)).tolist()) for pod, row in whole.items()}
    everyone = np.sum(list(whole.values()), axis=0)
    pods = rollout.pods(len(whole))
    return _Latencies(check, grant, usual.bounds, mains, everyone, rollout.share, pods)


def _sight(ahead: _Latencies, ratio: float) -> Sight:
    if ratio <= 1 + ahead.check.tolerance:
        return Sight(None, f"within the tolerance of {words.percent(ahead.check.tolerance)}")
    grant = ahead.grant
    seconds = ahead.seconds(ratio, Outcome.FAIL, grant.alpha)
    return _in_time(seconds, grant)


def _passing(ahead: _Latencies) -> Sight:
    return _in_time(ahead.seconds(1.0, Outcome.PASS, PASS_LEVEL), ahead.grant)


def _in_time(seconds: float | None, grant: Grant) -> Sight:
    window = spoken_duration(grant.decide_by_seconds)
    if seconds is None:
        return Sight(None, f"not within {window}: needs a larger share, more pods or a longer window")
    late = seconds > grant.decide_by_seconds
    return Sight(seconds, f"needs decide_by {spoken_duration(seconds)}, or a larger share" if late else "")


def _median(ahead: _Latencies) -> str:
    reached = np.cumsum(ahead.everyone) / ahead.everyone.sum()
    bound = ahead.bounds[int(np.searchsorted(reached, 0.5))]
    if math.isinf(bound):
        return f"half take longer than {words.quantity(ahead.bounds[-2], ahead.check.unit)}"
    return f"half take at most {words.quantity(bound, ahead.check.unit)}"


def _falling(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (seconds, ratio), rising in time, those that are smaller than all before."""
    found: list[tuple[float, float]] = []
    for seconds, ratio in points:
        if not found or ratio < found[-1][1]:
            found.append((seconds, ratio))
    return found
