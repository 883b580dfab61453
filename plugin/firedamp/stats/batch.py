"""
The sequential test of many releases at once: what a guard would have said, told from recorded counts.

A backtest asks of a thousand past releases, block by block, where the boundary lay and whether it was
crossed. The releases go through the arrays of `paths` side by side, those with as many errors in a block
together, and come out as `sequential.advance` would bring them out one by one, to the last digit. A few
hundred at a time keep their paths in the processor's cache.

*Exact* and *approximate* where `sequential` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firedamp.stats import betabinomial, paths
from firedamp.stats.null import Null, odds, shares_at, weights
from firedamp.stats.sequential import EXACT_EVENTS, MIN_EVENTS

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: Releases judged side by side.
TOGETHER = 512


@dataclass(frozen=True, slots=True)
class Counted:
    """
    What was counted of many releases.

    Attributes:
        baseline_events: (releases, blocks) new errors of the baseline, finite, ≥ 0.
        canary_events: (releases, blocks) new errors of the canary, likewise.
        canary_share: (releases, blocks) the canary's share of the block's requests; at 0, 1 or NaN the
            block compares nothing.
    """

    baseline_events: Floats
    canary_events: Floats
    canary_share: Floats

    def __post_init__(self) -> None:
        shape = self.canary_share.shape
        if len(shape) != 2 or not self.baseline_events.shape == self.canary_events.shape == shape:
            raise ValueError(f"counts have unlike shapes, expected (releases, blocks) as the shares' {shape}")
        for events in (self.baseline_events, self.canary_events):
            if not np.all((events >= 0) & (events < np.inf)):
                raise ValueError("errors are negative or not finite, expected finite numbers ≥ 0")


@dataclass(frozen=True, slots=True)
class Judged:
    """
    What the test said after each block; see `sequential.SequentialFisher`.

    Attributes:
        boundary: (releases, blocks) smallest count of canary errors that fails.
        p_value: (releases, blocks) in [0, 1].
        crossed: (releases, blocks) the boundary was reached by this block.
    """

    boundary: Counts
    p_value: Floats
    crossed: Flags


def judge(
    nulls: Sequence[Null] | Sequence[Sequence[Null]],
    counted: Counted,
    budgets: Floats,
    levels: Floats | None = None,
) -> Judged:
    """
    The sequential test of many releases, after each of their blocks.

    Args:
        nulls: (releases,) what a good release may look like, or (releases, blocks) where that is learnt
            on the way; all of one shape.
        counted: the releases' counts.
        budgets: (blocks, hurdles) cumulative alpha that may be used by each block.
        levels: (blocks, hurdles) nominal level of each look; needed beyond 400 errors.

    Raises:
        ValueError: the nulls have unlike shapes, or a level is missing beyond 400 errors.
    """
    releases, blocks = counted.canary_share.shape
    plans = [[null] * blocks if isinstance(null, Null) else list(null) for null in nulls]
    if len({null.shape for plan in plans for null in plan}) > 1:
        raise ValueError("the nulls have unlike shapes, expected one for all")
    new, found = _whole(counted), _nothing(releases, blocks)
    for first in range(0, releases, TOGETHER):
        some = slice(first, first + TOGETHER)
        chunk = _Chunk(plans[some], new[:, some], counted.canary_share[some])
        for block in range(blocks):
            chunk.take(block)
            chunk.judge(block, budgets[block], None if levels is None else levels[block])
            found.boundary[some, block] = chunk.boundary
            found.p_value[some, block] = chunk.p_value
            found.crossed[some, block] = chunk.crossed
    return found


def _nothing(releases: int, blocks: int) -> Judged:
    shape = releases, blocks
    return Judged(np.empty(shape, np.intp), np.empty(shape), np.empty(shape, np.bool_))


def _whole(counted: Counted) -> Counts:
    """(2, releases, blocks) whole errors, their fractions carried on; none where an arm is silent."""
    given = np.stack([counted.baseline_events, counted.canary_events])
    comparable = _comparable(counted.canary_share)
    whole, rest = np.zeros(given.shape), np.zeros(given.shape[:-1])
    for block in range(given.shape[-1]):
        due = given[..., block] + rest
        rounded = np.floor(due + 0.5)
        whole[..., block] = np.where(comparable[:, block], rounded, 0.0)
        rest = np.where(comparable[:, block], due - rounded, rest)
    return whole.astype(np.intp)


def _comparable(shares: Floats) -> Flags:
    return np.asarray((shares > 0) & (shares < 1))


class _Chunk:
    """
    Some releases, side by side. Its arrays are changed in place.

    Attributes:
        alive: (releases, hurdles, nodes, counts) chances as of the last block with errors; what has crossed
            since is left out when they are taken on.
        chances: (releases, hurdles, counts) the same over all nodes, without what has crossed.
        widths: (releases,) counts in use.
        limits: (releases, hurdles) counts from which paths have crossed.
    """

    def __init__(self, plans: Sequence[Sequence[Null]], new: Counts, shares: Floats) -> None:
        first = plans[0][0]
        releases, hurdles = len(plans), len(first.hurdles)
        self.plans, self.new, self.shares = plans, new, shares
        self.comparable, self.events = _comparable(shares), new.sum(axis=0).cumsum(axis=1)
        self.canary = new[1].cumsum(axis=1)
        self.multiples, self.shape = np.array(first.multiples), first.shape
        self.alive = np.tile(weights(first.shape)[:, None], (releases, hurdles, 1, 1))
        self.chances = self.alive.sum(axis=2)
        self.widths, self.limits = np.ones(releases, np.intp), np.full((releases, hurdles), MIN_EVENTS)
        self.spent = np.zeros((releases, hurdles))
        #: Only those that will have too many errors to count every path need moments.
        self.crowded = np.flatnonzero(self.events[:, -1] > EXACT_EVENTS)
        fine = weights(first.shape, coarse=False).size
        self.moments = np.zeros((3, self.crowded.size, hurdles, fine))
        self.boundary, self.p_value = np.full(releases, MIN_EVENTS), np.ones(releases)
        self.crossed = np.zeros(releases, np.bool_)

    def take(self, block: int) -> None:
        """Let every path take the block's errors."""
        self._plan(block)
        new = self.new[:, :, block].sum(axis=0)
        counted = np.where(self.events[:, block] <= EXACT_EVENTS, new, 0)
        for errors in np.unique(counted[counted > 0]):
            self._walk(np.flatnonzero(counted == errors), int(errors), self.shares[:, block])
        if self.crowded.size:
            self._sum(new[self.crowded], self.shares[self.crowded, block], block)

    def _plan(self, block: int) -> None:
        """What a good release may look like by this block."""
        if block and all(plan[block] is plan[block - 1] for plan in self.plans):
            return
        self.odds = np.stack([odds(plan[block]) for plan in self.plans])
        self.phi = np.array([plan[block].phi for plan in self.plans])

    def _walk(self, some: Counts, errors: int, shares: Floats) -> None:
        width = int(self.widths[some].max())
        alive = self.alive[some, :, :, :width]
        alive *= (np.arange(width) < self.limits[some, :, None])[:, :, None]
        null_shares = shares_at(self.odds[some], shares[some, None, None])
        moved = paths.walk(
            alive, errors, null_shares, betabinomial.correlations(self.phi[some], errors)[:, None, None]
        )
        self._make_room(width + errors)
        self.alive[some, :, :, : width + errors] = moved
        self.chances[some, :, : width + errors] = moved.sum(axis=-2)
        self.widths[some] += errors
        self.limits[some] = width + errors

    def _make_room(self, width: int) -> None:
        missing = width - self.chances.shape[-1]
        if missing > 0:
            self.alive, self.chances = (
                np.pad(array, [*[(0, 0)] * (array.ndim - 1), (0, missing)])
                for array in (self.alive, self.chances)
            )

    def _sum(self, new: Counts, shares: Floats, block: int) -> None:
        """Moments of the canary's errors; a block without errors, or with one arm, adds none."""
        some = np.flatnonzero(new)
        if some.size:
            fine = np.stack([odds(self.plans[at][block], coarse=False) for at in self.crowded[some]])
            self.moments[:, some] += paths.moments(
                new[some, None, None],
                shares_at(fine, shares[some, None, None]),
                betabinomial.correlations(self.phi[self.crowded[some]], new[some])[:, None, None],
            )

    def judge(self, block: int, budgets: Floats, levels: Floats | None) -> None:
        """Hold the block's counts against the budgets, or the levels where there are too many errors."""
        exact = self.events[:, block] <= EXACT_EVENTS
        some = np.flatnonzero(self.comparable[:, block] & exact)
        if some.size:
            self._found(some, block, *self._exact(some, self.canary[some, block], budgets))
        many = np.flatnonzero(self.comparable[:, block] & ~exact)
        if many.size:
            self._found(many, block, *self._many(many, block, levels))

    def _exact(self, some: Counts, canary: Counts, budgets: Floats) -> tuple[Counts, Floats]:
        width = int(self.widths[some].max())
        tails = paths.tails(self.chances[some, :, :width])
        limits = np.maximum(paths.boundaries(tails, budgets - self.spent[some]), MIN_EVENTS)
        standing = self.spent[some] + _at(tails, np.minimum(canary, width)[:, None])
        self.spent[some] += _at(tails, np.minimum(limits, width))
        self.chances[some, :, :width] *= np.arange(width) < limits[..., None]
        self.limits[some] = np.minimum(self.limits[some], limits)
        self.widths[some] = np.minimum(self.widths[some], limits.max(axis=1))
        return limits.max(axis=1), (standing / self.multiples).max(axis=1)

    def _many(self, some: Counts, block: int, levels: Floats | None) -> tuple[Counts, Floats]:
        if levels is None or np.isnan(levels).any():
            raise ValueError(f"a release has more than {EXACT_EVENTS} errors: the looks' levels are needed")
        found = self.moments[:, np.searchsorted(self.crowded, some)]
        sums = paths.Skewed.of(found, weights(self.shape, coarse=False))
        limits = sums.boundaries(
            np.broadcast_to(levels, (some.size, levels.size)),
            self.events[some, block, None],
            MIN_EVENTS,
        )
        standing = sums.tails(self.canary[some, block, None])
        return limits.max(axis=1), (standing / self.multiples).max(axis=1)

    def _found(self, some: Counts, block: int, boundary: Counts, standing: Floats) -> None:
        canary = self.canary[some, block]
        p_value = np.where(canary > 0, np.minimum(1.0, standing), 1.0)
        # What was proven once is not taken back by errors of the baseline that come later.
        self.p_value[some] = np.where(self.crossed[some], np.minimum(p_value, self.p_value[some]), p_value)
        self.boundary[some] = boundary
        self.crossed[some] |= canary >= boundary


def _at(tails: Floats, counts: Counts) -> Floats:
    """(releases, hurdles) tails of these counts, (releases, hurdles) or (releases, 1)."""
    where = np.broadcast_to(counts, tails.shape[:-1])[..., None]
    return np.asarray(np.take_along_axis(tails, where, axis=-1)[..., 0])
