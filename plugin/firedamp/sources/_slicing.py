"""
Time, cut into slices that a search can answer whole.

A search brings so many traces at most and does not say whether there were more, so one that brings as many as
were asked for is never taken for whole: its slice is halved and asked again. How wide slices should be is
learnt from what each brought, in traces and in bytes, and remembered for the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from firedamp.sources._client import AnswerTooLargeError

#: Times here are Unix microseconds, which every backend of traces holds exactly.
SECOND = 1_000_000
#: A page that is full in so short a time stays full.
SMALLEST = SECOND // 10
_FIRST = 2 * SECOND
_MOST_GROWTH = 8
#: Traffic swings, so slices aim at this share of a page.
_FILLED = 0.7
#: Few answers are in memory at a time; smaller ones would be more searches, and stores without an index
#: go through all that they have for each.
_BYTES = 10_000_000
_KEPT_PACES = 256
_SearchT = TypeVar("_SearchT")


@dataclass(frozen=True, slots=True)
class Slice:
    """Both ends belong to it, for searches include them; Unix microseconds."""

    begin: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.begin


@dataclass(slots=True)
class Pace:
    """
    How wide a slice of one search should be, as far as is known.

    Attributes:
        width: in microseconds, as are the others.
        smallest: no slice is narrower.
        grain: what widths are multiples of, where a backend knows no shorter time.
    """

    width: int = _FIRST
    smallest: int = SMALLEST
    grain: int = 1

    def heard(self, piece: Slice, traces: int, size: int, page: int) -> None:
        """Learn from a slice that brought so many traces in so many bytes, where a page holds so many."""
        filled = max(traces / (page * _FILLED), size / _BYTES, 1 / _MOST_GROWTH)
        if piece.width >= self.width or filled > 1:
            self.width = max(self.smallest, self.whole(round(piece.width / filled)))

    def halved(self, piece: Slice) -> None:
        self.width = max(self.smallest, min(self.width, self.whole(piece.width // 2)))

    def whole(self, width: int) -> int:
        """So many whole grains as fit into it."""
        return width - width % self.grain


class Paces(Generic[_SearchT]):
    """Paces of the searches that were asked last."""

    def __init__(self, *, smallest: int = SMALLEST, grain: int = 1) -> None:
        self._smallest, self._grain = smallest, grain
        self._known: dict[_SearchT, Pace] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, search: _SearchT) -> Pace:
        pace = self._known.pop(search, None) or Pace(smallest=self._smallest, grain=self._grain)
        self._known[search] = pace
        while len(self._known) > _KEPT_PACES:
            del self._known[next(iter(self._known))]
        return pace


@dataclass(slots=True)
class Sweep:
    """
    The slices of one search, to be taken by any number of workers.

    Attributes:
        begin, end: Unix microseconds that are not yet cut.
        pace: of the search; lives longer than this sweep.
    """

    begin: int
    end: int
    pace: Pace
    _again: list[Slice] = field(default_factory=list)

    def take(self) -> Slice | None:
        """What to ask next; None where all is asked or being asked."""
        if self._again:
            return self._again.pop()
        if self.begin >= self.end:
            return None
        piece = Slice(self.begin, min(self.end, self.begin + self.pace.width))
        self.begin = piece.end
        return piece

    def halve(self, piece: Slice) -> bool:
        """Ask a slice again in two; False where it is as small as slices get."""
        if piece.width < 2 * self.pace.smallest:
            return False
        middle = piece.begin + self.pace.whole(piece.width // 2)
        self._again += [Slice(middle, piece.end), Slice(piece.begin, middle)]
        self.pace.halved(piece)
        return True


class Page(Protocol):
    """What one search brought, read."""

    @property
    def traces(self) -> int:
        """How many it has."""
        ...

    @property
    def cut(self) -> bool:
        """There may be more."""
        ...


_PageT = TypeVar("_PageT", bound=Page)


async def swept(
    sweep: Sweep,
    ask: Callable[[Slice], Awaitable[tuple[_PageT, int]]],
    keep: Callable[[_PageT], None],
    full: int,
) -> None:
    """
    Ask slice by slice until all is asked; any number may work at one sweep.

    Args:
        sweep: what is to be asked.
        ask: one search; returns how many bytes its answer had as well.
        keep: takes every page that is whole, and those that stay cut.
        full: a page holds so many traces.
    """
    while (piece := sweep.take()) is not None:
        try:
            page, size = await ask(piece)
        except AnswerTooLargeError:
            if not sweep.halve(piece):
                raise
            continue
        if page.cut and sweep.halve(piece):
            continue
        sweep.pace.heard(piece, page.traces, size, full)
        keep(page)


async def together(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all at a time, and raise what stopped the first."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as errors:
        # All stop at the first; what the others said while stopping is not news.
        raise errors.exceptions[0] from errors
