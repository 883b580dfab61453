"""
Long series made short enough to draw, without losing what a person looks for.

Of each stretch its first point and, of every line, its lowest and its highest are kept: a spike of one block
is drawn as high as it was.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

#: Most points of a series that leave this room.
MOST_POINTS = 500

Line = Sequence[float | None]


def kept(lines: Sequence[Line], length: int, most: int = MOST_POINTS) -> tuple[int, ...]:
    """
    Places of the points to keep, rising, the same for all lines; first and last are among them.

    Args:
        lines: as long as `length` each; None and NaN are no points.
        length: of the lines.
        most: at least twice the number of lines, and three.
    """
    if length <= most:
        return tuple(range(length))
    each = 1 + 2 * len(lines)
    stretches = max(1, (most - 1) // each)
    edges = [length * at // stretches for at in range(stretches + 1)]
    places = {length - 1}
    for start, end in pairwise(edges):
        places.add(start)
        for line in lines:
            places |= _extremes(line, start, end)
    return tuple(sorted(places))


def chosen(line: Line, places: Sequence[int]) -> tuple[float | None, ...]:
    """The points of a line at these places."""
    return tuple(line[place] for place in places)


def _extremes(line: Line, start: int, end: int) -> set[int]:
    seen = [(value, at) for at in range(start, end) if (value := _known(line[at])) is not None]
    return {min(seen)[1], max(seen)[1]} if seen else set()


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
