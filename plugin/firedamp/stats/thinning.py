"""
Long series kept short: many series on one grid of at most 64 cells, whatever time they take.

Each cell holds the mean of what fell into it. When the grid is full, neighbours are joined and every cell
is twice as wide from then on; so a series that is ten times as old takes no more memory, and no more time
to find its slope. *Exact* where no points are missing; else the mean of two joined cells is *approximate*:
each counts the same, however many points it had.

Source: the round-robin archives of T. Oetiker's RRDtool (1999), with AVERAGE as the consolidation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: (group, member), for example (arm, pod).
Name = tuple[str, str]

CELLS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Thinned:
    """
    Series on their common grid.

    Attributes:
        names: (series,) in the order of appearance, of one index in the order of names.
        means: (series, 64) mean of each cell in the values' unit; NaN where it has none.
        counts: (series,) values in the cell that the last index fell into.
        origin: index of the first values; None before there are any.
        last: index of the latest values.
        stride: indexes per cell, a power of two.
    """

    names: tuple[Name, ...] = ()
    means: Floats = field(default_factory=lambda: np.empty((0, CELLS)))
    counts: Floats = field(default_factory=lambda: np.empty(0))
    origin: int | None = None
    last: int = 0
    stride: int = 1

    def added(self, index: int, values: Mapping[Name, float]) -> Thinned:
        """
        The series after one more value of some of them. *Exact* means, where no points are missing.

        Args:
            index: number of the point, counted from anything, larger than any before.
            values: finite values by name; whoever is missing has no point here.

        Raises:
            ValueError: the index does not rise.
        """
        if not values:
            return self
        if self.origin is not None and index <= self.last:
            raise ValueError(f"index {index} follows {self.last}, expected a larger one")
        grown = self._wide_enough(index)._with(sorted(set(values) - set(self.names)))
        return grown._filled(index, values)

    def group(self, name: str) -> Floats:
        """(members, cells): the series of one group in the order of their names, NaN where missing."""
        rows = sorted((member, row) for row, (group, member) in enumerate(self.names) if group == name)
        return self.means[[row for _, row in rows], : self.places.size]

    @property
    def places(self) -> Floats:
        """(cells,) middle of each cell that has begun, in units of the index, rising."""
        if self.origin is None:
            return np.empty(0)
        begins = np.arange(self.origin, self.last + 1, self.stride, dtype=np.float64)
        # The cell that is filled now reaches as far as the last index.
        ends = np.minimum(begins + self.stride - 1, self.last)
        return np.asarray((begins + ends) / 2)

    def _wide_enough(self, index: int) -> Thinned:
        grid = self if self.origin is not None else replace(self, origin=index, last=index)
        while grid._cell(index) >= CELLS:
            grid = grid._halved()
        return grid

    def _halved(self) -> Thinned:
        first, second = self.means[:, ::2], self.means[:, 1::2]
        joined = np.where(np.isnan(first), second, np.where(np.isnan(second), first, (first + second) / 2))
        means = np.hstack((joined, np.full_like(joined, np.nan)))
        return replace(self, means=means, stride=2 * self.stride)

    def _with(self, new: list[Name]) -> Thinned:
        if not new:
            return self
        means = np.vstack((self.means, np.full((len(new), CELLS), np.nan)))
        return replace(
            self,
            names=(*self.names, *new),
            means=means,
            counts=np.concatenate((self.counts, np.zeros(len(new)))),
        )

    def _filled(self, index: int, values: Mapping[Name, float]) -> Thinned:
        cell, means = self._cell(index), self.means.copy()
        counts = self.counts.copy() if cell == self._cell(self.last) else np.zeros_like(self.counts)
        rows = [row for row, name in enumerate(self.names) if name in values]
        counts[rows] += 1
        old = np.nan_to_num(means[rows, cell])
        new = np.array([values[self.names[row]] for row in rows])
        means[rows, cell] = old + (new - old) / counts[rows]
        return replace(self, means=means, counts=counts, last=index)

    def _cell(self, index: int) -> int:
        return (index - (self.origin or 0)) // self.stride
