"""What must hold in the fast run, so that a change which breaks the promise is seen before it is merged."""

from collections.abc import Iterator

from arena.cells import Cell, Kind
from arena.validity import FIREDAMP, LEVEL, Table, chance, rolled_back

#: Percent.
FOUND, WRONG = 95.0, 1.0


def broken(cells: list[Cell], table: Table) -> Iterator[str]:
    """One sentence per gate that does not hold."""
    healthy = [cell for cell in cells if cell.healthy]
    for cell in cells:
        if cell.healthy:
            yield from _too_many(cell, table, len(healthy))
        if cell.fault.kind is Kind.ERRORS and cell.fault.size >= 10:
            yield from _missed(cell, table)
        if cell.fault.kind is not Kind.NONE:
            yield from _passed(cell, table)


def _too_many(cell: Cell, table: Table, cells: int) -> Iterator[str]:
    """Bonferroni, the first step of Holm's procedure: any rejection breaks the gate."""
    figure = table[str(cell)][FIREDAMP]
    if (p_value := chance(figure)) < LEVEL / cells:
        found = f"{rolled_back(figure)} of {figure.releases} rolled back"
        yield f"{cell}: {found}, {100 * figure.alpha:g} % are promised (p = {p_value:.2g})"


def _missed(cell: Cell, table: Table) -> Iterator[str]:
    figure = table[str(cell)][FIREDAMP]
    if (figure.power or 0.0) < FOUND:
        yield f"{cell}: {figure.power:g} % found, expected at least {FOUND:g} %"


def _passed(cell: Cell, table: Table) -> Iterator[str]:
    figure = table[str(cell)][FIREDAMP]
    if (figure.wrong_pass or 0.0) > WRONG:
        yield f"{cell}: {figure.wrong_pass:g} % passed, expected at most {WRONG:g} %"
