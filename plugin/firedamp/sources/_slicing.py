"""
Time, cut into slices that a search can answer whole.

A search brings so many traces at most and does not say whether there were more, so one that brings as many as
were asked for is never taken for whole: its slice is halved and asked again. How wide slices should be is
learnt from what each brought, in traces and in bytes, and remembered for the next look.
"""

from dataclasses import dataclass, field

#: Times here are Unix microseconds, which every backend of traces holds exactly.
SECOND = 1_000_000
#: A page that is full in so short a time stays full.
SMALLEST = SECOND // 10
_FIRST = 2 * SECOND
_MOST_GROWTH = 8
#: Traffic swings, so slices aim at this share of a page.
_FILLED = 0.7
#: Answers of this size are read in a moment, and few are in memory at a time.
_BYTES = 6_000_000


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
    """How wide a slice of one search should be, as far as is known."""

    width: int = _FIRST

    def heard(self, piece: Slice, traces: int, size: int, page: int) -> None:
        """Learn from a slice that brought so many traces in so many bytes, where a page holds so many."""
        filled = max(traces / (page * _FILLED), size / _BYTES, 1 / _MOST_GROWTH)
        if piece.width >= self.width or filled > 1:
            self.width = max(SMALLEST, round(piece.width / filled))

    def halved(self, piece: Slice) -> None:
        self.width = max(SMALLEST, min(self.width, piece.width // 2))


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
        if piece.width < 2 * SMALLEST:
            return False
        middle = piece.begin + piece.width // 2
        self._again += [Slice(middle, piece.end), Slice(piece.begin, middle)]
        self.pace.halved(piece)
        return True
