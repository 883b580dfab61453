"""What was wrong with counters in a block, in words."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from firedamp.counting.presence import Register
from firedamp.counting.scrapes import Scrapes
from firedamp.counting.values import Ints, Target
from firedamp.model import Block, Trouble, TroubleKind
from firedamp.units import spoken_duration

#: Scrapes further apart than this many typical steps have one missing between them.
MISSED_STEPS = 1.75


def troubles(
    table: Scrapes,
    reset: NDArray[np.bool_],
    block: Ints,
    blocks: Sequence[Block],
    book: Register,
    summed: bool,
) -> tuple[tuple[Trouble, ...], ...]:
    """
    Name resets, gaps and missing pod labels, for each block.

    `reset` tells which samples follow a reset, (n,); `block` is the index of each one's block, -1 outside.
    """
    found: list[list[Trouble]] = [[] for _ in blocks]
    for at, trouble in (
        *_resets(table, reset, block),
        *_gaps(book, blocks, summed),
        *_nameless(table, block),
    ):
        found[at].append(trouble)
    return tuple(tuple(dict.fromkeys(some)) for some in found)


def _resets(table: Scrapes, reset: NDArray[np.bool_], block: Ints) -> Iterator[tuple[int, Trouble]]:
    hits = np.flatnonzero(reset & (block >= 0))
    pods = {(int(block[at]), table.targets[table.series[at]][0]) for at in hits}
    for at, pod in sorted(pods):
        yield at, Trouble(TroubleKind.RESET, f"counters of pod {pod} began again at zero")


def _gaps(book: Register, blocks: Sequence[Block], summed: bool) -> Iterator[tuple[int, Trouble]]:
    for target in sorted(book.targets):
        step = book.steps.get(target, 0.0)
        if summed:
            step = max(step, blocks[0].end - blocks[0].start)
        if step:
            yield from _gaps_of(target, book, step, blocks)


def _gaps_of(
    target: Target, book: Register, step: float, blocks: Sequence[Block]
) -> Iterator[tuple[int, Trouble]]:
    times = book.targets[target].times
    gaps = np.diff(times)
    for at in np.flatnonzero((gaps > MISSED_STEPS * step) & (times[1:] > blocks[0].start)):
        place = next((i for i, block in enumerate(blocks) if block.start < times[at + 1] <= block.end), None)
        if place is not None:
            lasted, usual = spoken_duration(float(gaps[at])), spoken_duration(step)
            yield (
                place,
                Trouble(
                    TroubleKind.GAP, f"pod {target[0]} was not scraped for {lasted}, usually every {usual}"
                ),
            )


def _nameless(table: Scrapes, block: Ints) -> Iterator[tuple[int, Trouble]]:
    bare = np.array([target[0] == "" for target in table.targets], dtype=bool)
    if not bare.any():
        return
    for at in np.unique(block[bare[table.series] & (block >= 0)]):
        yield int(at), Trouble(TroubleKind.NO_POD_LABEL, "series without a pod label are counted as one pod")
