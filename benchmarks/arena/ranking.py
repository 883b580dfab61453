"""Mann-Whitney's statistic for many pairs of short series at once."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def excess_z(control: Floats, experiment: Floats, shift: float = 0.0) -> Floats:
    """
    Normal score of "the experiment is higher by more than the shift", corrected for ties and continuity.

    Args:
        control: (..., points), NaN where there is none.
        experiment: likewise.
        shift: subtracted from the experiment.

    Returns:
        (...,); NaN where a side is empty or all values are equal.
    """
    values = np.concatenate((experiment - shift, control), axis=-1)
    shape, values = values.shape[:-1], values.reshape(-1, values.shape[-1])
    known = ~np.isnan(values)
    of_experiment = known & (np.arange(values.shape[1]) < experiment.shape[-1])
    n, m = known.sum(axis=1), of_experiment.sum(axis=1)
    ranks, ties = _ranks(np.where(known, values, np.inf))
    deviation = np.where(of_experiment, ranks, 0.0).sum(axis=1) - m * (m + 1) / 2 - m * (n - m) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        tied = np.where(known, ties.astype(float) ** 2 - 1, 0.0).sum(axis=1) / (n * (n - 1))
        spread = np.sqrt(m * (n - m) / 12 * (n + 1 - tied))
        scores = (deviation - 0.5 * np.sign(deviation)) / spread
    return np.where(spread > 0, scores, np.nan).reshape(shape)


def _ranks(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Mid-ranks from 1 and the size of each value's tie, (rows, points)."""
    rows, points = values.shape
    order = np.argsort(values, axis=1)
    ordered, places = np.take_along_axis(values, order, 1), np.arange(points)
    begins = np.ones((rows, points), dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones((rows, points), dtype=bool)
    ends[:, :-1] = begins[:, 1:]
    start = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    end = np.minimum.accumulate(np.where(ends, places, points)[:, ::-1], axis=1)[:, ::-1]
    ranks, ties = np.empty((rows, points)), np.empty((rows, points), dtype=np.int64)
    np.put_along_axis(ranks, order, (start + end) / 2 + 1, 1)
    np.put_along_axis(ties, order, end - start + 1, 1)
    return ranks, ties
