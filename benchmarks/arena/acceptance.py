"""Lines that must be reached, and what was."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from arena.cells import Cell, Fault, Kind
from arena.figures import Figure
from arena.noise import BURSTS, LATENCY, NONE, PODS
from arena.peers import PEERS
from arena.tables import markdown, number
from arena.validity import FIREDAMP, Table

#: Alpha at which the lines are asked for, and the default.
ASKED, DEFAULT = 0.05, 0.02
K1, K100 = 1_000.0, 100_000.0


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line.

    Attributes:
        cell: at the alpha asked for.
        wanted: in words.
        reached: whether a figure is what is wanted.
        told: the figure in words.
    """

    cell: Cell
    wanted: str
    reached: Callable[[Figure], bool]
    told: Callable[[Figure], str]


def _rate(figure: Figure) -> float:
    return figure.false_rollback if figure.power is None else figure.power


def _rolled_back(figure: Figure) -> str:
    return f"{number(_rate(figure))} %"


def _found(figure: Figure) -> str:
    return f"{number(figure.power)} %, block {number(figure.median_block)}"


def _passed(figure: Figure) -> str:
    return f"{number(figure.wrong_pass)} %"


def _at_most(percent: float) -> Callable[[Figure], bool]:
    return lambda figure: _rate(figure) <= percent


def _by(block: float, power: float = 50.0) -> Callable[[Figure], bool]:
    return lambda figure: (figure.median_block or inf) <= block and (figure.power or 0.0) >= power


def _asked(**given: object) -> Cell:
    """The lines were measured without a warm-up, which only matters for when a fault is found."""
    return Cell(alpha=ASKED, warm_up="fault" not in given, **given)  # type: ignore[arg-type] # Cell's own


def _errors(size: float) -> Fault:
    return Fault(Kind.ERRORS, size)


LINES = (
    Line(_asked(noise=PODS, requests=K100), "at most 2 %", _at_most(2.0), _rolled_back),
    Line(_asked(noise=BURSTS), "at most 5.5 %", _at_most(5.5), _rolled_back),
    Line(
        _asked(noise=NONE, requests=30_000.0, ramp=True, checks=1), "at most 2 %", _at_most(2.0), _rolled_back
    ),
    Line(
        _asked(checks=1, bare=True),
        "4.5 to 5.4 %",
        lambda figure: 4.5 <= _rate(figure) <= 5.4,
        _rolled_back,
    ),
    Line(_asked(noise=PODS, requests=K1, fault=_errors(inf)), "block 3", _by(3), _found),
    Line(_asked(noise=PODS, fault=_errors(5.0)), "99 %, block 14", _by(14, 99.0), _found),
    Line(_asked(noise=BURSTS, fault=_errors(10.0)), "98 %, block 16", _by(16, 98.0), _found),
    Line(
        _asked(noise=LATENCY, requests=K100, fault=Fault(Kind.SLOWER, 1.05), checks=1, histograms=1),
        "at most 0.5 %",
        _at_most(0.5),
        _rolled_back,
    ),
    Line(
        _asked(noise=LATENCY, fault=Fault(Kind.WAITING, 0.02), checks=1, histograms=1),
        "99 %",
        lambda figure: _rate(figure) >= 99.0,
        _found,
    ),
    Line(
        _asked(noise=PODS, requests=K1, fault=_errors(5.0)),
        "at most 1 % pass",
        lambda figure: (figure.wrong_pass or 0.0) <= 1.0,
        _passed,
    ),
)


def table(played: Table) -> str:
    """Every line that was played: firedamp at both alphas, and the peers at the one asked for."""
    lines = [one for one in LINES if str(one.cell) in played]
    head = ["release", "wanted", "firedamp", f"at {100 * DEFAULT:g} %", "reached", *PEERS]
    return markdown(head, [_row(one, played) for one in lines])


def _row(one: Line, played: Table) -> Sequence[str]:
    row = played[str(one.cell)]
    default: Mapping[str, Figure] = played.get(str(replace(one.cell, alpha=DEFAULT)), {})
    beside = one.told(default[FIREDAMP]) if default else "–"
    reached = "yes" if one.reached(row[FIREDAMP]) else "**no**"
    return [
        str(one.cell),
        one.wanted,
        one.told(row[FIREDAMP]),
        beside,
        reached,
        *[one.told(row[m]) for m in PEERS],
    ]


def missed(played: Table) -> list[str]:
    """One sentence per line that was played and is not reached."""
    return [
        f"{one.cell}: {one.told(played[str(one.cell)][FIREDAMP])}, wanted: {one.wanted}."
        for one in LINES
        if str(one.cell) in played and not one.reached(played[str(one.cell)][FIREDAMP])
    ]
