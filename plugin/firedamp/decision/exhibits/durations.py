"""
How long requests took, as a whole: both arms' curves and quantiles since warm-up, from their buckets.

The comparison arm is weighted block by block to the canary's requests, as the test weighs it: both curves
describe the same minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firedamp.checks import arm_rows
from firedamp.model import Arm, Finding, Look, Row, Slice
from firedamp.stats.quantiles import curve, quantile

#: What people ask for.
LEVELS = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Durations:
    """
    Both arms.

    Attributes:
        unit: of bounds and quantiles.
        bounds: upper bounds of the buckets, the last inf.
        baseline, canary: share of requests at or below each bound.
        baseline_quantiles, canary_quantiles: at `LEVELS`; None beyond the last finite bound.
    """

    unit: str
    bounds: tuple[float, ...]
    baseline: tuple[float, ...]
    canary: tuple[float, ...]
    baseline_quantiles: tuple[float | None, ...]
    canary_quantiles: tuple[float | None, ...]


def durations(looks: Sequence[Look], finding: Finding, *, since: float) -> Durations | None:
    """
    The curves of a finding's check; None where its rows are no buckets, or an arm is silent.

    Args:
        looks: in order, up to the finding's.
        finding: of the last of them.
        since: Unix seconds; blocks that began earlier are warm-up.
    """
    pieces = [
        piece
        for look in looks
        if (piece := look.evidence.slices.get(finding.check)) and look.evidence.block.start >= since
    ]
    bounds = next((piece.bounds for piece in reversed(pieces) if piece.bounds), ())
    if not bounds:
        return None
    baseline, canary = _weighted([piece for piece in pieces if piece.bounds == bounds], finding.against)
    if not (baseline.sum() and canary.sum()):
        return None
    return Durations(
        finding.unit or "seconds",
        bounds,
        curve(baseline.tolist()),
        curve(canary.tolist()),
        tuple(quantile(baseline.tolist(), bounds, level) for level in LEVELS),
        tuple(quantile(canary.tolist(), bounds, level) for level in LEVELS),
    )


def _weighted(pieces: Sequence[Slice], against: Arm | None) -> tuple[np.ndarray, np.ndarray]:
    """(buckets,) of both arms, the comparison arm with as many requests as the canary in each block."""
    width = len(pieces[0].bounds)
    both = np.zeros((2, width))
    for piece in pieces:
        baseline = _summed(list(arm_rows(piece, against).values()), width)
        canary = _summed(list(arm_rows(piece, Arm.CANARY).values()), width)
        if (whole := baseline.sum()) and canary.sum():
            both += baseline * (canary.sum() / whole), canary
    return both[0], both[1]


def _summed(rows: Sequence[Row], width: int) -> np.ndarray:
    fitting = [row for row in rows if len(row) == width]
    return np.asarray(fitting, dtype=float).sum(axis=0) if fitting else np.zeros(width)
