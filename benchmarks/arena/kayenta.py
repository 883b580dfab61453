"""
Kayenta's judge (NetflixACAJudge-v1.0), re-implemented: Mann-Whitney on points of a series.

A metric is High when the lower end of the 98 % interval of the shift is above a quarter of the estimated
shift. Interval and estimate are roots of the corrected normal score, found as R's `wilcox.test` finds them
(`exact=FALSE, correct=TRUE, conf.int=TRUE`), to 1e-4 in the metric's own unit: that, too, is what it does.

Source: spinnaker/kayenta a69573b, kayenta-judge MannWhitneyClassifier.scala and NetflixACAJudge.scala,
kayenta-mannwhitney MannWhitney.java; root search: Brent (1973), as in R's zeroin.c.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from arena.ranking import excess_z

Floats = NDArray[np.float64]

CONFIDENCE, TOLERANCE = 0.98, 0.25
#: Roots are found to this, absolutely.
ROOT = 1e-4
_STEPS = 1001


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the experiment is higher: estimate and interval."""

    estimate: float
    low: float
    high: float


def first_failure(series: Floats, *, every: int, never: int) -> NDArray[np.int64]:
    """
    The last block of the first judgement that fails, per release: a critical metric is High or has no data.

    Args:
        series: (2, releases, metrics, blocks), control first; NaN are removed.
        every: blocks between judgements, each over all points so far.
        never: what is returned where none fails.
    """
    result = np.full(series.shape[1], never)
    for end in range(every, series.shape[3] + 1, every):
        waiting = np.flatnonzero(result == never)
        control, experiment = series[:, waiting, :, :end]
        possible = _may_fail(control, experiment)
        for row in np.flatnonzero(possible.any(axis=1)):
            metrics = np.flatnonzero(possible[row])
            if any(fails(control[row, one], experiment[row, one]) for one in metrics):
                result[waiting[row]] = end - 1
    return result


def _may_fail(control: Floats, experiment: Floats) -> NDArray[np.bool_]:
    """Where the interval can lie above zero, which spares most metrics the search for roots, and no data."""
    with np.errstate(invalid="ignore"):
        return ~(excess_z(control, experiment, shift=-1.01 * ROOT) < _z(CONFIDENCE))


def fails(control: Floats, experiment: Floats) -> bool:
    """Whether one critical metric, direction increase, is High or Nodata."""
    c, e = control[~np.isnan(control)], experiment[~np.isnan(experiment)]
    if not (c.size and e.size):
        return True
    if np.array_equal(np.sort(c), np.sort(e)):
        return False
    if np.ptp(c) == 0 and np.ptp(e) == 0:
        # Two constants that differ get noise of a hundred-thousandth, and are told apart.
        return bool(e[0] > c[0])
    pair = Pair(c, e)
    low = pair.root(_z(CONFIDENCE))
    return low > 0 and low > TOLERANCE * abs(pair.root(0.0))


class Pair:
    """Control and experiment, with how often each value comes, ready to be shifted against each other."""

    def __init__(self, control: Floats, experiment: Floats) -> None:
        self.c, self.times_c = np.unique(control, return_counts=True)
        self.e, self.times_e = np.unique(experiment, return_counts=True)
        self.below = np.concatenate(([0], np.cumsum(self.times_c)))
        self.n, self.m = len(control), len(experiment)
        self.own = float((self.times_c**3 - self.times_c).sum() + (self.times_e**3 - self.times_e).sum())

    def score(self, move: float) -> float:
        """Normal score of the experiment less the move, corrected for ties and continuity."""
        moved = self.e - move
        left, right = np.searchsorted(self.c, moved, "left"), np.searchsorted(self.c, moved, "right")
        higher = float((self.times_e * (self.below[left] + self.below[right])).sum()) / 2
        deviation, whole = higher - self.n * self.m / 2, self.n + self.m
        tied = (self.own + self._shared(left, right)) / (whole * (whole - 1))
        spread = math.sqrt(self.n * self.m / 12 * (whole + 1 - tied))
        return (deviation - 0.5 * math.copysign(float(deviation != 0), deviation)) / spread

    def _shared(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> float:
        """What values that come on both sides add to the ties."""
        met = np.flatnonzero(right > left)
        t, u = self.times_e[met], self.times_c[left[met]]
        return float((3 * t * u * (t + u)).sum())

    def root(self, level: float) -> float:
        """The move with this score, or the end of what can be moved at all."""
        ends = float(self.e[0] - self.c[-1]), float(self.e[-1] - self.c[0])
        values = self.score(ends[0]) - level, self.score(ends[1]) - level
        if values[0] <= 0:
            return ends[0]
        return ends[1] if values[1] >= 0 else zero(lambda move: self.score(move) - level, ends, values)

    def shift(self, confidence: float) -> Shift:
        """Interval and estimate of the experiment's shift."""
        z = _z(confidence)
        return Shift(self.root(0.0), self.root(z), self.root(-z))


def _z(confidence: float) -> float:
    return float(ndtri(1 - (1 - confidence) / 2))


def zero(f: Callable[[float], float], ends: tuple[float, float], values: tuple[float, float]) -> float:
    """A root between two ends with values of opposite sign, by Brent's method, to `ROOT`."""
    (a, b), (fa, fb) = ends, values
    c, fc = a, fa
    for _ in range(_STEPS + 1):
        last = b - a
        if abs(fc) < abs(fb):
            (a, b, c), (fa, fb, fc) = (b, c, b), (fb, fc, fb)
        least, step = 2 * np.finfo(float).eps * abs(b) + ROOT / 2, (c - b) / 2
        if abs(step) <= least or fb == 0:
            return b
        if abs(last) >= least and abs(fa) > abs(fb):
            step = _interpolated(_Bracket(a, b, c, fa, fb, fc), least=least, last=last, halved=step)
        step = step if abs(step) >= least else float(np.copysign(least, step))
        a, fa, b = b, fb, b + step
        fb = f(b)
        if fb * fc > 0:
            c, fc = a, fa
    return b


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Brent's three points: the one before, the best one, and the one opposite."""

    a: float
    b: float
    c: float
    fa: float
    fb: float
    fc: float


def _interpolated(at: _Bracket, *, least: float, last: float, halved: float) -> float:
    """The secant's or the inverse parabola's step where it falls well inside, else the halved one."""
    width, t1 = at.c - at.b, at.fb / at.fa
    if at.a == at.c:
        p, q = width * t1, 1.0 - t1
    else:
        q, t1, t2 = at.fa / at.fc, at.fb / at.fc, at.fb / at.fa
        p = t2 * (width * q * (q - t1) - (at.b - at.a) * (t1 - 1.0))
        q = (q - 1.0) * (t1 - 1.0) * (t2 - 1.0)
    p, q = (p, -q) if p > 0 else (-p, q)
    inside = p < 0.75 * width * q - abs(least * q) / 2 and p < abs(last * q / 2)
    return p / q if inside else halved
