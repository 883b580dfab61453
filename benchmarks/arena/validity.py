"""
Which methods keep their promise where, and how far firedamp is from the fastest that does.

A method is valid in a healthy cell unless "at most alpha of releases are rolled back" is rejected there, at
5 % over all cells of its group by Holm's procedure. A faulty cell borrows the word of the healthy cell that
is most like it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from scipy.stats import binom

from arena import plans
from arena.cells import Cell, Fault, Onset
from arena.figures import Figure

LEVEL = 0.05
FIREDAMP = "firedamp"

#: Figures by cell and method.
Table = Mapping[str, Mapping[str, Figure]]


def rolled_back(figure: Figure) -> int:
    """How many healthy releases were."""
    return round(figure.false_rollback * figure.releases / 100)


def rejected(figures: Iterable[Figure]) -> set[str]:
    """Cells in which "at most alpha" does not hold, by Holm over the figures of one method."""
    chances = sorted((chance(one), one.cell) for one in figures)
    left, found = len(chances), set()
    for p_value, cell in chances:
        if p_value > LEVEL / left:
            break
        found.add(cell)
        left -= 1
    return found


def chance(figure: Figure) -> float:
    """Of so many false rollbacks or more, were alpha the rate."""
    return float(binom.sf(rolled_back(figure) - 1, figure.releases, figure.alpha))


def invalid(table: Table) -> Mapping[str, set[str]]:
    """By method, the healthy cells in which it rolls back too many; what is promised is one group."""
    promised = {str(cell) for cell in plans.promised()}
    healthy = [cell for cell, row in table.items() if row[FIREDAMP].fault == "healthy"]
    groups = [[cell for cell in healthy if (cell in promised) is group] for group in (True, False)]
    methods = list(next(iter(table.values()), {}))
    return {
        method: {bad for group in groups for bad in rejected(table[cell][method] for cell in group)}
        for method in methods
    }


def healthy_like(cell: Cell, table: Table) -> str | None:
    """The healthy cell most like a faulty one, if any of its noise was played."""
    well = replace(cell, fault=Fault(), onset=Onset.START)
    bare = Cell(well.noise, well.requests, ramp=well.ramp)
    likes = [well, replace(well, alpha=0.02), replace(bare, history=cell.history), bare]
    likes += [replace(bare, requests=10_000.0), replace(bare, ramp=False)]
    return next((str(like) for like in likes if str(like) in table), None)


def valid_methods(cell: Cell, table: Table) -> set[str]:
    """Methods that keep their promise in the cell's noise, firedamp left out; none where it is not known."""
    like, bad = healthy_like(cell, table), invalid(table)
    return {method for method, cells in bad.items() if like and like not in cells} - {FIREDAMP}


def fastest(cell: Cell, table: Table) -> tuple[float, str] | None:
    """The median block of the fastest valid peer, and its name."""
    valid = valid_methods(cell, table)
    found = [
        (one.median_block, method)
        for method, one in table[str(cell)].items()
        if method in valid and one.median_block is not None
    ]
    return min(found, default=None)
