"""Markdown tables of what the cells came to."""

from collections.abc import Iterable, Mapping, Sequence

from scipy.stats import beta

from arena import plans
from arena.cells import Cell, Kind, Onset
from arena.figures import Figure
from arena.validity import FIREDAMP, Table, fastest, invalid, rolled_back, valid_methods

Cells = Sequence[Cell]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column is text, the others are numbers."""
    lines = [line(head), line(["---", *["--:"] * (len(head) - 1)])]
    return "\n".join([*lines, *map(line, rows)])


def line(parts: Sequence[str]) -> str:
    return f"|{'|'.join(parts)}|"


def number(value: float | None) -> str:
    """At most three digits; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def false_rollbacks(cells: Cells, table: Table) -> str:
    """Healthy cells by method; bold where "at most alpha" is rejected, and how often it is."""
    bad, methods = invalid(table), list(table[str(cells[0])])
    rows = [_healthy(str(cell), table[str(cell)], bad) for cell in cells]
    counts = [len(bad[method] & {str(cell) for cell in cells}) for method in methods]
    above = ["cells above alpha", *[f"{count} of {len(cells)}" for count in counts], "", "", ""]
    head = ["release", *methods, "±", "firedamp passes", "releases"]
    return markdown(head, [*rows, above])


def _healthy(cell: str, row: Mapping[str, Figure], bad: Mapping[str, set[str]]) -> list[str]:
    rates = [
        f"**{number(one.false_rollback)}**" if cell in bad[method] else number(one.false_rollback)
        for method, one in row.items()
    ]
    ours = row[FIREDAMP]
    return [cell, *rates, number(ours.error), number(ours.passed), str(ours.releases)]


def worst(cells: Cells, table: Table) -> tuple[Figure, float]:
    """The healthy cell with most false rollbacks by firedamp, and its one-sided 95 % bound in percent."""
    figure = max((table[str(cell)][FIREDAMP] for cell in cells), key=lambda one: one.false_rollback)
    count = rolled_back(figure)
    return figure, float(100 * beta.ppf(0.95, count + 1, max(figure.releases - count, 1)))


def detection(cells: Cells, table: Table) -> str:
    """Power and median block per method; struck through where the method is not valid in that noise."""
    methods = list(table[str(cells[0])])
    rows = [[str(cell), *_found(cell, table), *_beside(cell, table)] for cell in cells]
    return markdown(["release", *methods, "firedamp behind the fastest valid", "±", "releases"], rows)


def _beside(cell: Cell, table: Table) -> tuple[str, str, str]:
    ours = table[str(cell)][FIREDAMP]
    return _behind(cell, table), number(ours.error), str(ours.releases)


def _found(cell: Cell, table: Table) -> list[str]:
    valid = valid_methods(cell, table) | {FIREDAMP}
    told = {
        method: f"{number(one.power)} / {number(one.median_block)}"
        for method, one in table[str(cell)].items()
    }
    return [text if method in valid else f"~~{text}~~" for method, text in told.items()]


def _behind(cell: Cell, table: Table) -> str:
    first, ours = fastest(cell, table), table[str(cell)][FIREDAMP].median_block
    if first is None:
        return "no valid peer finds it" if ours is not None else "–"
    return "not found in half" if ours is None else f"{ours - first[0]:+g} ({first[1]})"


def served(cells: Cells, table: Table) -> str:
    """Failing canary requests served until the stop, on average."""
    methods = list(table[str(cells[0])])
    rows = []
    for cell in cells:
        valid = valid_methods(cell, table) | {FIREDAMP}
        told = {method: number(one.served) for method, one in table[str(cell)].items()}
        rows.append([str(cell), *[t if m in valid else f"~~{t}~~" for m, t in told.items()]])
    return markdown(["release", *methods], rows)


def late(cells: Cells, table: Table) -> str:
    """Stopped within ten blocks of the onset, in percent."""
    methods = list(table[str(cells[0])])
    rows = [[str(cell), *[number(one.within_ten) for one in table[str(cell)].values()]] for cell in cells]
    return markdown(["release", *methods], rows)


def wrong_passes(cells: Cells, table: Table) -> str:
    """Passed with the fault in it, in percent, beside what was rolled back."""
    methods = list(table[str(cells[0])])
    rows = []
    for cell in cells:
        row = table[str(cell)]
        stopped = row[FIREDAMP].power if row[FIREDAMP].power is not None else row[FIREDAMP].false_rollback
        rows.append([str(cell), number(stopped), *[number(one.wrong_pass) for one in row.values()]])
    return markdown(["release", "firedamp rolls back", *methods], rows)


def groups(table: Table) -> Mapping[str, list[Cell]]:
    """The cells that were played, by the section they belong to."""
    promised = {str(cell) for cell in plans.promised()}
    found = [plan.cell for plan in plans.full() if str(plan.cell) in table and not plan.cell.bare]
    return {
        "promised": [cell for cell in found if str(cell) in promised],
        "unpromised": [c for c in found if _is_well(c) and str(c) not in promised and c.checks > 1],
        "lone": [c for c in found if _is_well(c) and c.checks == 1],
        "early": [c for c in found if _is_error(c) and c.onset is Onset.START],
        "late": [c for c in found if _is_error(c) and c.onset is not Onset.START],
        "slow": [c for c in found if c.histograms and not c.healthy],
        "dead": [c for c in found if c.fault.kind in (Kind.LOST, Kind.BOTH)],
    }


def _is_well(cell: Cell) -> bool:
    return cell.fault.kind is Kind.NONE


def _is_error(cell: Cell) -> bool:
    return cell.fault.kind is Kind.ERRORS
