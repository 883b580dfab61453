"""Writes what the cells came to: one page of tables, and the plots."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from arena import acceptance, misses, plans, plots, tables
from arena.run import Played
from arena.tables import Cells, number
from arena.validity import Table

#: What stands around the tables.
PAGE = Path(__file__).with_name("page.md")

#: How the lines are played.
ASKED = (
    f"At alpha {100 * acceptance.ASKED:g} %, the default beside it. The lines were first measured without a "
    "warm-up, so faults are judged from the first block here, by every method."
)


def write(folder: Path, played: Mapping[str, Played]) -> None:
    """Write `README.md` and the plots into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    named = [str(plan.cell) for plan in plans.full()]
    asked = {cell: played[cell] for cell in named if cell in played}
    table = {cell: {one.method: one for one in found.figures} for cell, found in asked.items()}
    drawn = plots.draw(folder, table) if table else []
    page = PAGE.read_text(encoding="utf-8")
    text = page.format(stated=stated(asked), tables="\n\n".join(sections(table, drawn)))
    (folder / "README.md").write_text(text, encoding="utf-8")


def stated(played: Mapping[str, Played]) -> str:
    """Version, engine, seed, and how much of the plan was played."""
    told = [
        f"{noun} {', '.join(sorted({str(getattr(one, noun)) for one in played.values()}))}"
        for noun in ("version", "engine", "seed")
    ]
    hours = sum(one.seconds * one.figures[0].releases for one in played.values()) / 3600
    count = f"{len(played)} of {len(plans.full())} cells in {number(hours)} hours of one core"
    return f"firedamp {', '.join(told)}; {count}. ± is one Monte-Carlo standard error."


def sections(table: Table, drawn: list[str]) -> Iterator[str]:
    """The page's parts, those left out for which nothing was played."""
    groups = tables.groups(table)
    if groups["promised"]:
        yield from _healthy(groups, table, drawn)
    if found := groups["early"]:
        yield from _harmful(found, table, drawn)
    if found := groups["late"]:
        yield "## Faults that begin late\n\nStopped within ten blocks of the onset, in percent:"
        yield tables.late(found, table)
        yield tables.detection(found, table)
    if found := groups["slow"]:
        yield f"## Latency\n\n{_LATENCY}"
        yield tables.detection(found, table)
    yield from _rest(groups, table)


_FOUND = """\
Percent rolled back / median block of the stop, counted from the onset. Struck through: a method that rolls
back too many healthy releases of that noise. ×1.25 is the edge of the tolerance: a stop there is a price."""
_PASSED = "Percent passed with the fault in it; by firedamp as if the faulty check were the only one."
_LATENCY = """\
In one of four histograms, the other 16 checks count errors. ×1.05 is within the tolerance and ×1.2 is its
edge: there a rollback is a false one."""


def _healthy(groups: Mapping[str, Cells], table: Table, drawn: list[str]) -> Iterator[str]:
    figure, bound = tables.worst(groups["promised"], table)
    yield "## Healthy releases rolled back"
    yield from _picture("costs", "False rollbacks against failing requests served", drawn)
    yield (
        'In percent; bold where "at most alpha" is rejected at 5 % (Holm over the cells). Most by firedamp:\n'
        f"{number(figure.false_rollback)} % in *{figure.cell}*, one-sided 95 % bound {number(bound)} %."
    )
    yield tables.false_rollbacks(groups["promised"], table)
    if groups["unpromised"]:
        yield "Without history, with few or uneven pods, with latencies, or at another alpha:"
        yield tables.false_rollbacks(groups["unpromised"], table)
    if groups["lone"]:
        yield "A single check; at alpha 0.25 % it has what one of twenty has of 5 %:"
        yield tables.false_rollbacks(groups["lone"], table)


def _harmful(found: Cells, table: Table, drawn: list[str]) -> Iterator[str]:
    yield "## Harmful releases found"
    yield from _picture("detection", "Block of the stop by the fault's size", drawn)
    yield _FOUND
    yield tables.detection(found, table)
    yield "Failing canary requests served until the stop (or the hour's end), on average:"
    yield tables.served(found, table)


def _rest(groups: Mapping[str, Cells], table: Table) -> Iterator[str]:
    wrong = [*groups["early"], *groups["late"], *groups["dead"]]
    wrong = [cell for cell in wrong if next(iter(table[str(cell)].values())).wrong_pass is not None]
    if wrong:
        yield f"## Wrong passes\n\n{_PASSED}"
        yield tables.wrong_passes(wrong, table)
    if any(str(one.cell) in table for one in acceptance.LINES):
        yield f"## What must be reached\n\n{ASKED}\n"
        yield acceptance.table(table)
    said = misses.sentences(table)
    yield "## Where it falls short\n\n" + (
        "\n".join(f"- {one}" for one in said) or "Nowhere in what was played."
    )


def _picture(name: str, said: str, drawn: list[str]) -> Iterator[str]:
    if name in drawn:
        dark = f'<source media="(prefers-color-scheme: dark)" srcset="{name}-dark.svg">'
        yield f'<picture>{dark}<img alt="{said}" src="{name}-light.svg"></picture>'
