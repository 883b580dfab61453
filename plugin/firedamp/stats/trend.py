"""
Does the canary grow (leak memory, pile up a queue) faster than the baseline? Slopes between pods.

A level drifts: points of one series a half-minute apart are nearly the same (autocorrelation 0.98 and
more), so a test that takes them for samples finds trends everywhere. Here a whole pod is one sample, its
slope by Theil and Sen, which up to 29 % of wild points do not move; the canary's mean slope is compared with
the baseline's on the spread of slopes between the baseline's pods, whatever the series look like in time.

A version that has just started grows too, until its caches are full. So growth is projected from the later
half as well as from the whole, and the smaller of the two counts: a leak goes on, a start does not.

*Exact* (Student's t) for normal slopes with the same spread in both arms, else *approximate*. A start that
takes longer than a sixth of the time seen, in the canary alone, looks like a leak.

Source: Theil (1950), Proc. KNAW 53, 386-392; Sen (1968), JASA 63(324), 1379-1389, section 5 for the interval
and eq. 6.1 for its variance; t with the canary's variance from the baseline's: Welch (1947), Biometrika 34.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]

_TINY = 1e-300
#: Levels and times within these bounds leave no float's range, whatever is divided by what.
_LARGEST, _SMALLEST_LEVEL = 1e100, 1e-100
#: A slope needs so many points, and its series so large a part of the times.
_LEAST_POINTS, _LEAST_SPAN = 4, 0.5


@dataclass(frozen=True, slots=True)
class Slope:
    """
    The trend of one series.

    Attributes:
        slope: median of the slopes of all pairs of points, in the values' unit per second.
        interval: two-sided bounds of it, for points independent of each other; *approximate*, and far
            too narrow where they are not. Equal to the slope where there are only two points.
        start: value of the line at the first point, through the median of the residuals.
        points: how many there were, ≥ 2.
    """

    slope: float
    interval: tuple[float, float]
    start: float
    points: int


@dataclass(frozen=True, slots=True)
class TrendTest:
    """
    Two arms' growth compared. Growths are shares of an arm's own level at the start, over the window.

    Attributes:
        p_value: one-sided, H0: the canary's pods grow no faster.
        lower_p: one-sided, H0: they grow faster by the tolerance; small means harm is excluded.
        slopes: mean slope of the baseline's pods and of the canary's, in the values' unit per second.
        levels: mean level of either at the start, in the values' unit, > 0.
        baseline, canary: projected growth of either.
        excess: growth of the canary beyond the baseline's trend, as a share of the canary's level.
        interval: 95 % two-sided bounds of that excess.
        late_excess: the same from the later half alone; equal where too few pods have one.
        pods: how many of either had a slope.
    """

    p_value: float
    lower_p: float
    slopes: tuple[float, float]
    levels: tuple[float, float]
    baseline: float
    canary: float
    excess: float
    interval: tuple[float, float]
    late_excess: float
    pods: tuple[int, int]

    @property
    def projected(self) -> float:
        """What is to be expected beyond the baseline's growth: the smaller of both excesses."""
        return min(self.excess, self.late_excess)


def theil_sen(times: ArrayLike, values: ArrayLike, *, alpha: float = 0.05) -> Slope | None:
    """
    The slope of one series; *exact* as a median of pairs.

    Args:
        times: (n,) seconds, rising.
        values: (n,) in any unit; NaN where a point is missing.
        alpha: 1 - confidence of the interval, in (0, 1).

    Returns:
        None with fewer than two points. All pairs are compared: 64 points take 2,016 of them.

    Raises:
        ValueError: shapes differ, times do not rise, or a value is infinite or beyond 1e100.
    """
    at, rows = _series(times, values)
    seen = np.isfinite(rows[0])
    at, row = at[seen], rows[0, seen]
    if at.size < 2:
        return None
    pairs = np.sort(_pair_slopes(at, row[None, :])[0])
    slope = float(np.median(pairs))
    return Slope(
        slope, _sen_interval(pairs, row, alpha), float(np.median(row - slope * (at - at[0]))), at.size
    )


def compare_trends(
    times: ArrayLike,
    baseline: ArrayLike,
    canary: ArrayLike,
    *,
    window_seconds: float,
    tolerance: float = 0.1,
) -> TrendTest | None:
    """
    Compare the growth of the canary's pods with that of the baseline's. *Exact* for normal slopes of one
    spread, *approximate* else.

    Args:
        times: (n,) seconds, rising, after warm-up.
        baseline: (pods, n) level of each pod at each time, NaN where missing.
        canary: (pods, n) likewise.
        window_seconds: growth is projected over this time, > 0.
        tolerance: growth beyond the baseline's that is no harm, as a share of the level, ≥ 0; only
            `lower_p` knows it.

    Returns:
        None where fewer than two pods of the baseline or none of the canary have a trend (`has_trend`), or
        where an arm's mean level is not above 0: growth is a share of it. Levels near 0 at the start count
        as a quarter of what growth has made of them, so growth ends at 400 %.

    Raises:
        ValueError: shapes differ, times do not rise, or a value is infinite or beyond 1e100.
    """
    at, b = _series(times, baseline)
    _, c = _series(times, canary)
    b, c = b[has_trend(at, b)], c[has_trend(at, c)]
    lines = _Lines.of(at, b), _Lines.of(at, c)
    if lines[0].slopes.size < 2 or not lines[1].slopes.size:
        return None
    level_b, level_c = (line.level for line in lines)
    if min(level_b, level_c) < _SMALLEST_LEVEL:
        return None
    error, freedom = _error(*lines), lines[0].slopes.size - 1
    shift, share = _shift(*lines), window_seconds / level_c
    late = _late(at, b, c)
    reach = float(stdtrit(freedom, 0.975)) * error
    return TrendTest(
        p_value=float(stdtr(freedom, -shift / error)),
        lower_p=float(stdtr(freedom, (shift - tolerance / share) / error)),
        slopes=(lines[0].slope, lines[1].slope),
        levels=(level_b, level_c),
        baseline=lines[0].slope * window_seconds / level_b,
        canary=lines[1].slope * share,
        excess=shift * share,
        interval=((shift - reach) * share, (shift + reach) * share),
        late_excess=(shift if late is None else late) * share,
        pods=(lines[0].slopes.size, lines[1].slopes.size),
    )


def has_trend(times: ArrayLike, values: ArrayLike) -> NDArray[np.bool_]:
    """
    (series,) which of them have enough points for a slope: four, over half of the times. *Exact.*

    Args:
        times: (n,) seconds, rising.
        values: (series, n), NaN where missing.

    Raises:
        ValueError: shapes differ, times do not rise, or a value is infinite or beyond 1e100.
    """
    at, rows = _series(times, values)
    if at.size < _LEAST_POINTS or not rows.size:
        return np.zeros(rows.shape[0], dtype=np.bool_)
    seen = np.isfinite(rows)
    first, last = at[seen.argmax(axis=1)], at[::-1][seen[:, ::-1].argmax(axis=1)]
    enough = seen.sum(axis=1) >= _LEAST_POINTS
    return np.asarray(enough & (last - first >= _LEAST_SPAN * (at[-1] - at[0])))


@dataclass(frozen=True, slots=True)
class _Lines:
    """Slopes and mean level of the pods that have a slope."""

    slopes: Floats
    level: float

    @classmethod
    def of(cls, at: Floats, rows: Floats) -> _Lines:
        rows = rows[has_trend(at, rows)]
        if not rows.size:
            return cls(np.empty(0), 0.0)
        slopes = _medians(_pair_slopes(at, rows))
        starts = _medians(rows - slopes[:, None] * (at - at[0]))
        # A queue that begins at nothing has no share to grow by; a quarter of its end stands in.
        return cls(slopes, max(float(starts.mean()), float(np.nanmean(rows, axis=1).mean()) / 2))

    @property
    def slope(self) -> float:
        return float(self.slopes.mean())


def _shift(baseline: _Lines, canary: _Lines) -> float:
    return canary.slope - baseline.slope


def _error(baseline: _Lines, canary: _Lines) -> float:
    spread = float(baseline.slopes.std(ddof=1))
    return max(spread * math.sqrt(1 / baseline.slopes.size + 1 / canary.slopes.size), _TINY)


def _late(at: Floats, baseline: Floats, canary: Floats) -> float | None:
    half = at >= (at[0] + at[-1]) / 2
    lines = _Lines.of(at[half], baseline[:, half]), _Lines.of(at[half], canary[:, half])
    return _shift(*lines) if lines[0].slopes.size and lines[1].slopes.size else None


def _series(times: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    at, rows = np.asarray(times, dtype=np.float64), np.atleast_2d(np.asarray(values, dtype=np.float64))
    if at.ndim != 1 or (rows.size and rows.shape[-1:] != at.shape):
        raise ValueError(f"values have shape {rows.shape}, expected (series, {at.size})")
    if not (np.isfinite(at).all() and (np.diff(at) > 0).all()):
        raise ValueError(f"times {at[:5]}... do not rise, expected finite seconds in order")
    if (np.abs(rows) > _LARGEST).any():
        raise ValueError(f"values exceed {_LARGEST:g}, expected less, or NaN for a missing one")
    return at, rows.reshape(-1, at.size) if at.size else np.empty((rows.shape[0], 0))


def _pair_slopes(at: Floats, rows: Floats) -> Floats:
    """(series, pairs); NaN where either point is missing."""
    first, second = _pairs(at.size)
    return np.asarray((rows[:, second] - rows[:, first]) / (at[second] - at[first]))


@lru_cache(maxsize=32)
def _pairs(points: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = np.triu_indices(points, 1)
    return first, second


def _medians(rows: Floats) -> Floats:
    """Median of each row without its NaNs; `numpy.nanmedian` takes ten times as long."""
    ordered = np.sort(rows, axis=1)
    seen = np.isfinite(rows).sum(axis=1)
    low, high = ((seen - 1) // 2)[:, None], (seen // 2)[:, None]
    return np.asarray(np.take_along_axis(ordered, np.hstack((low, high)), axis=1).mean(axis=1))


def _sen_interval(pairs: Floats, values: Floats, alpha: float) -> tuple[float, float]:
    n = values.size
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float(np.sum(ties * (ties - 1) * (2 * ties + 5)))) / 18
    reach = -float(ndtri(alpha / 2)) * math.sqrt(variance)
    low = max(round((pairs.size - reach) / 2) - 1, 0)
    high = min(round((pairs.size + reach) / 2), pairs.size - 1)
    return float(pairs[low]), float(pairs[high])
