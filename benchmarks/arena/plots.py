"""
Two plots, each for light and for dark pages.

One sets what a method costs the healthy against what it costs the harmed: false rollbacks to the right,
failing requests upwards, good is down and left. The other says how many blocks a fault of each size takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from arena.cells import Cell, Fault, Kind
from arena.noise import BURSTS, DRIFTING, NONE, PODS, SPELLS, STICKY, Noise
from arena.peers import PEERS
from arena.plans import SIZES
from arena.validity import FIREDAMP, Table, valid_methods

METHODS = (FIREDAMP, *PEERS)
MARKS = dict(zip(METHODS, "*osDv^Ph", strict=True))
NOISES = (NONE, PODS, BURSTS, STICKY, DRIFTING, SPELLS)
#: Zero has no place on a logarithm; it is drawn here, in percent.
NEARLY_NONE = 0.05
SIZE = 5.0
#: Names stand so far apart, as a factor.
APART = 1.1


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours for one kind of page."""

    name: str
    paper: str
    text: str
    faint: str
    methods: Mapping[str, str]


def _methods(*colours: str) -> Mapping[str, str]:
    return dict(zip(METHODS, colours, strict=True))


INKS = (
    Ink(
        "light",
        "#ffffff",
        "#1f2328",
        "#d0d7de",
        _methods("#d1242f", "#0550ae", "#116329", "#8250df", "#9a6700", "#57606a", "#0a7ea4", "#bf3989"),
    ),
    Ink(
        "dark",
        "#0d1117",
        "#e6edf3",
        "#30363d",
        _methods("#ff7b72", "#79c0ff", "#56d364", "#d2a8ff", "#e3b341", "#8b949e", "#39c5cf", "#f778ba"),
    ),
)


def draw(folder: Path, table: Table) -> list[str]:
    """Write every plot that there are cells for, and return their names without page and suffix."""
    plots = {"costs": costs, "detection": detection}
    drawn = []
    for name, plot in plots.items():
        for ink in INKS:
            canvas = plot(table, ink)
            if canvas is not None:
                _save(canvas, folder / f"{name}-{ink.name}.svg")
                drawn.append(name)
    return list(dict.fromkeys(drawn))


def costs(table: Table, ink: Ink) -> Canvas | None:
    """False rollbacks of the healthy against failing requests served until ×5 is stopped, per noise."""
    pairs = [(noise, *_pair(noise)) for noise in NOISES]
    pairs = [(noise, well, ill) for noise, well, ill in pairs if well in table and ill in table]
    if not pairs:
        return None
    canvas, (axes,) = _canvas(ink, 1, (8.0, 5.2))
    axes.axvspan(NEARLY_NONE / 2, 2.0, color=ink.faint, alpha=0.35, lw=0)
    for method in METHODS:
        x = [max(table[well][method].false_rollback, NEARLY_NONE) for _, well, _ in pairs]
        y = [table[ill][method].served for _, _, ill in pairs]
        _points(axes, x, y, method, ink)
    _named(axes, pairs, table, ink)
    axes.set(xscale="log", yscale="log", xlim=(NEARLY_NONE * 0.8, 130))
    axes.set_xticks([NEARLY_NONE, 0.2, 1, 2, 5, 20, 100], ["0", "0.2", "1", "2", "5", "20", "100"])
    axes.minorticks_off()
    _plain(axes, [1, 2, 5, 10, 20, 50, 100, 200, 500])
    axes.set_xlabel("healthy releases rolled back, % (20 checks; shaded: the promised 2 %)")
    axes.set_ylabel("failing canary requests until ×5 in one check is stopped")
    _legend(canvas, axes, ink)
    return canvas


def _pair(noise: Noise) -> tuple[str, str]:
    well = Cell(noise)
    return str(well), str(replace(well, fault=Fault(Kind.ERRORS, SIZE)))


def _points(axes: Axes, x: list[float], y: list[float], method: str, ink: Ink) -> None:
    ours = method == FIREDAMP
    axes.scatter(
        x,
        y,
        label=method,
        marker=MARKS[method],
        color=ink.methods[method],
        s=150 if ours else 42,
        zorder=3 if ours else 2,
        edgecolor=ink.paper,
        linewidth=0.6,
    )


def _named(axes: Axes, pairs: list[tuple[Noise, str, str]], table: Table, ink: Ink) -> None:
    """Name firedamp's points by their noise; names on top of each other are moved apart, upwards."""
    places = {
        noise.name: (max(table[well][FIREDAMP].false_rollback, NEARLY_NONE), table[ill][FIREDAMP].served)
        for noise, well, ill in pairs
    }
    heights: dict[float, float] = {}
    for name, (x, y) in sorted(places.items(), key=lambda one: one[1][1]):
        height = heights[x] = max(y, heights.get(x, 0.0) * APART)
        axes.annotate(
            name,
            (x, height),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=ink.text,
        )


def detection(table: Table, ink: Ink) -> Canvas | None:
    """Median block of the stop by the fault's size, without noise and where pods differ."""
    panels = {noise: _sizes(noise, table) for noise in (NONE, PODS)}
    panels = {noise: sizes for noise, sizes in panels.items() if sizes}
    if not panels:
        return None
    canvas, all_axes = _canvas(ink, len(panels), (4.4 * len(panels), 4.6))
    for axes, (noise, sizes) in zip(all_axes, panels.items(), strict=True):
        valid = valid_methods(Cell(noise), table) | {FIREDAMP}
        for method in METHODS:
            blocks = [table[cell][method].median_block for cell in sizes.values()]
            _line(axes, blocks, method, ink, dotted=method not in valid)
        axes.set_xticks(range(len(sizes)), [_said(size) for size in sizes])
        axes.set(yscale="log", ylim=(0.8, 150), title=f"{noise.name}, 10,000 requests per half hour")
        axes.set_xlabel("errors in one check of 20; dotted: rolls back too many", fontsize=8, color=ink.text)
        _plain(axes, [1, 2, 5, 10, 20, 60, 120])
    all_axes[0].set_ylabel("block of 30 s in which half are stopped")
    _legend(canvas, all_axes[0], ink)
    return canvas


def _sizes(noise: Noise, table: Table) -> Mapping[float, str]:
    cells = {size: str(Cell(noise, fault=Fault(Kind.ERRORS, size))) for size in SIZES}
    return {size: cell for size, cell in cells.items() if cell in table}


def _said(size: float) -> str:
    return "all" if size == float("inf") else f"×{size:g}"


def _line(axes: Axes, blocks: list[float | None], method: str, ink: Ink, *, dotted: bool) -> None:
    known = [(at, block) for at, block in enumerate(blocks) if block is not None]
    x, y = zip(*known, strict=True) if known else ((), ())
    ours = method == FIREDAMP
    axes.plot(
        x,
        y,
        label=method,
        marker=MARKS[method],
        color=ink.methods[method],
        lw=2.4 if ours else 1.2,
        ms=11 if ours else 5,
        zorder=3 if ours else 2,
        linestyle=":" if dotted else "-",
        alpha=0.6 if dotted else 1.0,
    )


def _canvas(ink: Ink, panels: int, inches: tuple[float, float]) -> tuple[Canvas, list[Axes]]:
    canvas = Canvas(figsize=inches, layout="constrained", facecolor=ink.paper)
    all_axes = [canvas.add_subplot(1, panels, at + 1) for at in range(panels)]
    for axes in all_axes:
        axes.set_facecolor(ink.paper)
        axes.grid(color=ink.faint, lw=0.6)
        axes.tick_params(colors=ink.text, labelsize=8)
        axes.spines[:].set_color(ink.faint)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set_color(ink.text)
            text.set_fontsize(9)
    return canvas, all_axes


def _plain(axes: Axes, places: list[int]) -> None:
    """Numbers of a logarithmic axis as people write them, those in sight."""
    low, high = axes.get_ylim()
    seen = [place for place in places if low <= place <= high]
    axes.set_yticks(seen, [str(place) for place in seen])
    axes.minorticks_off()


def _legend(canvas: Canvas, axes: Axes, ink: Ink) -> None:
    canvas.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        fontsize=8,
        facecolor=ink.paper,
        edgecolor=ink.faint,
        labelcolor=ink.text,
    )


def _save(canvas: Canvas, path: Path) -> None:
    # The same figures give the same bytes.
    with mpl.rc_context({"svg.hashsalt": "firedamp", "svg.fonttype": "path"}):
        canvas.savefig(path, metadata={"Date": None})
