"""
Where firedamp does less than it should, in sentences.

What it should: keep alpha wherever that is promised; stop a fault of ×5 or more at most two blocks after the
fastest peer that is valid in that noise (three where fewer than 30 errors are seen in all); find ×3 within 3
points as often as the most powerful valid peer, 8 where pods differ; serve fewer failing requests than
Kayenta and the documented thresholds where these are valid; pass at most 1 % of what is five times as bad;
stop a late ×10 within ten blocks in 95 %.
"""

from collections.abc import Iterator

from arena import acceptance
from arena.cells import HALF_HOUR, SHARE, Cell, Onset
from arena.tables import groups, number
from arena.validity import FIREDAMP, Table, fastest, invalid, valid_methods

FEW_ERRORS, BEHIND, BEHIND_WITH_FEW = 30, 2, 3
PLAIN_POINTS, PODS_POINTS = 3.0, 8.0
SLOWER_PEERS = ("Kayenta", "Flagger thresholds", "Argo thresholds")
WRONG, SOON = 1.0, 95.0


def sentences(table: Table) -> list[str]:
    """All of them; none where everything was played and reached."""
    cells = groups(table)
    found = [f"Above alpha: {cell}." for cell in sorted(invalid(table)[FIREDAMP])] if table else []
    for cell in cells["early"] + cells["late"]:
        found += [f"{cell}: {said}." for rule in RULES for said in rule(cell, table)]
    return found + acceptance.missed(table)


def late_stop(cell: Cell, table: Table) -> Iterator[str]:
    """×5 and above: how far behind the fastest valid peer."""
    first, figure = fastest(cell, table), table[str(cell)][FIREDAMP]
    if cell.fault.size < 5 or first is None:
        return
    block, peer = first
    if figure.median_block is None:
        yield f"not found in half of the releases, {peer} stops at block {block:g}"
    elif figure.median_block > block + _allowed(cell, figure.median_block, figure.served):
        yield f"stopped at block {figure.median_block:g}, {peer} at {block:g}"


def _allowed(cell: Cell, blocks: float, served: float) -> int:
    main = blocks / HALF_HOUR * cell.requests * (1 - SHARE) * cell.fault.rate
    return BEHIND_WITH_FEW if main + served < FEW_ERRORS else BEHIND


def weak(cell: Cell, table: Table) -> Iterator[str]:
    """×3: how much less often it is found."""
    if cell.fault.size != 3 or cell.onset is not Onset.START:
        return
    row, allowed = table[str(cell)], PODS_POINTS if cell.noise.pod_cv else PLAIN_POINTS
    best = max(((row[peer].power or 0.0, peer) for peer in valid_methods(cell, table)), default=(0.0, ""))
    if (row[FIREDAMP].power or 0.0) < best[0] - allowed:
        yield f"found in {number(row[FIREDAMP].power)} %, {best[1]} in {number(best[0])} %"


def costly(cell: Cell, table: Table) -> Iterator[str]:
    """More failing requests than peers that judge late."""
    row = table[str(cell)]
    for peer in valid_methods(cell, table) & set(SLOWER_PEERS):
        if row[FIREDAMP].served > row[peer].served:
            served = number(row[FIREDAMP].served), number(row[peer].served)
            yield f"{served[0]} failing requests until the stop, {peer} {served[1]}"


def passed(cell: Cell, table: Table) -> Iterator[str]:
    """×5 of 1 % and above must not pass."""
    wrong = table[str(cell)][FIREDAMP].wrong_pass or 0.0
    if cell.fault.size >= 5 and cell.fault.rate >= 0.01 and wrong > WRONG:
        yield f"{number(wrong)} % passed"


def slow_to_see(cell: Cell, table: Table) -> Iterator[str]:
    """A late ×10 that is not stopped soon."""
    soon = table[str(cell)][FIREDAMP].within_ten or 0.0
    if cell.onset is not Onset.START and cell.fault.size >= 10 and soon < SOON:
        yield f"{number(soon)} % stopped within ten blocks"


RULES = (late_stop, weak, costly, passed, slow_to_see)
