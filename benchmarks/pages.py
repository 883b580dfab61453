"""
How long the pages take where ten thousand releases of twenty checks and sixty looks each are in the store.

    python benchmarks/pages.py [--json | --markdown] [--releases 10000] [--visits 60] [--views 1000]
                               [--cache FOLDER] [--postgresql] [--browser]

The store is filled once (minutes; about 240 kB a release) and kept in the cache folder; with --postgresql a
server of this machine is started, filled from the same plan and removed again. `firedamp serve` runs in a
process of its own, and each page is asked for by one visitor over loopback: wall time until the last byte,
processor time of the server, bytes over the wire. Releases' pages are cold: nobody asked for them lately;
"warm" is the same page once more. Then the server's memory over so many views of all pages in turn, and, with
--browser, how long until a page can be used in chromium. On a busy machine wall times say as much of other
work as of the pages; the load is told beside them. Which bars are missed is said, and is no exit code.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from viewing.asked import PAGES, Figures, Filled, Page, Spread, Visitor, grown, measured
from viewing.filling import Plan, fill, settings
from viewing.opened import opened
from viewing.served import Served, served

from firedamp import __version__
from firedamp.access import digest
from firedamp.ports import Token, Wanted
from firedamp.store import SqlStore, open_store
from real.postgres import binaries, started

#: Bars: milliseconds at the server (p95), milliseconds until a page can be used, bytes of a release's page,
#: and bytes by which memory may grow between the first fifth of the views and the last.
SERVER_MS, USABLE_MS, RELEASE_BYTES, GROWTH_BYTES = 300.0, 1000.0, 200_000, 16 * 2**20
_SECRET = "fd_of-the-benchmark-alone"
_IN_BROWSER = (
    "releases",
    "release",
    "release, look 30",
    "services",
    "service",
    "tuning",
    "check's record",
    "gates",
    "audit",
)
_OPENINGS = 10


@dataclass(frozen=True, slots=True)
class Report:
    """
    What was measured on one database.

    Attributes:
        database: "sqlite" or "postgresql".
        figures: of each page.
        memory: resident bytes of the server after so many views.
        browser: milliseconds until each page can be used.
        load: of the machine, before and after.
        missed: bars that were not met, in words.
    """

    database: str
    releases: int
    looks: int
    figures: Sequence[Figures]
    memory: Mapping[int, int]
    browser: Mapping[str, Mapping[str, Spread]]
    load: tuple[float, float]
    missed: Sequence[str] = ()


def report(url: str, plan: Plan, options: argparse.Namespace) -> Report:
    """All figures of a filled store."""
    filled, before = asyncio.run(_filled(url, plan)), os.getloadavg()[0]
    with served({**settings(url), "log": {"level": "warning"}}) as service:
        visitor = Visitor(service, _SECRET)
        _said(f"{url.partition(':')[0]}: the first page after the start took {_first(visitor):.0f} ms")
        pages, figures = [], []
        for page, found in _each(visitor, filled, options.visits):
            pages.append(page)
            figures.append(found)
        memory = _memory(service, visitor, filled, pages, options.views)
        visitor.close()
        seen = [page for page in pages if page.name in _IN_BROWSER] if options.browser else []
        shown = opened(service.url, _SECRET, filled, seen, _OPENINGS) if seen else {}
    load = (round(before, 2), round(os.getloadavg()[0], 2))
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    found = Report(kind, plan.releases, plan.looks, figures, memory, shown, load)
    return replace(found, missed=list(missed(found)))


def _first(visitor: Visitor) -> float:
    return 1000 * visitor.visit("/").wall


def _each(visitor: Visitor, filled: Filled, visits: int) -> Iterator[tuple[Page, Figures]]:
    for page in PAGES:
        try:
            found = measured(visitor, filled, page, visits)
        except LookupError as error:
            _said(f"left out: {page.name}: {error}")
            continue
        _said(f"{page.name}: p95 {found.wall.p95} ms, {found.cpu.p95} ms of processor time")
        yield page, found


def _memory(
    service: Served, visitor: Visitor, filled: Filled, pages: Sequence[Page], views: int
) -> Mapping[int, int]:
    marks = [0, max(1, views // 5), max(2, views)]
    found = grown(service, visitor, filled, marks, pages)
    _said(f"memory: {', '.join(f'{size / 2**20:.1f} MiB after {many}' for many, size in found.items())}")
    return found


def missed(found: Report) -> Iterator[str]:
    """Bars that were not met."""
    for one in found.figures:
        if one.wall.p95 > SERVER_MS:
            yield f"{one.page}: {one.wall.p95} ms at the server (p95), {SERVER_MS:.0f} ms is the bar"
        if one.page == "release" and one.packed > RELEASE_BYTES:
            yield f"{one.page}: {one.packed} bytes over the wire, {RELEASE_BYTES} is the bar"
    for page, each in found.browser.items():
        if (slowest := max(one.p95 for one in each.values())) > USABLE_MS:
            yield f"{page}: {slowest} ms until it can be used (p95), {USABLE_MS:.0f} ms is the bar"
    _, settled, last = found.memory.values()
    if last - settled > GROWTH_BYTES:
        yield f"memory grew by {(last - settled) / 2**20:.1f} MiB, {GROWTH_BYTES / 2**20:.0f} MiB is the bar"


async def _filled(url: str, plan: Plan) -> Filled:
    async with await open_store(url) as store:
        await _renewed(store)
        [newest] = await store.listed(Wanted(), limit=1)
    return Filled(newest.id, newest.started, plan)


async def _renewed(store: SqlStore) -> None:
    """The token of this benchmark is there."""
    if all(one.digest != digest(_SECRET) for one in await store.tokens()):
        await store.add_token(Token("benchmark", digest(_SECRET), "admin", created=time.time()))


@contextmanager
def _sqlite(plan: Plan, cache: Path) -> Iterator[str]:
    """A filled file; one that was filled halfway has another name."""
    kept = cache / f"{plan.releases}x{plan.looks}.db"
    if not kept.exists():
        half = kept.with_suffix(".half")
        half.unlink(missing_ok=True)
        asyncio.run(fill(f"sqlite:///{half}", plan, time.time()))
        half.rename(kept)
    _said(f"{kept}: {kept.stat().st_size / plan.releases / 1000:.0f} kB a release")
    yield f"sqlite:///{kept}"


@contextmanager
def _postgresql(plan: Plan) -> Iterator[str]:
    bindir = binaries()
    if bindir is None:
        raise SystemExit("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    with started(bindir) as cluster:
        url = cluster.database()
        asyncio.run(fill(url, plan, time.time()))
        cluster.run("VACUUM ANALYZE", url.rpartition("/")[2])
        yield url


def _said(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def show(found: Report) -> None:
    """A table to read."""
    print(f"\n{found.releases:,} releases of {found.looks} looks on {found.database}, load {found.load}")
    print(f"{'page':28}{'p50':>8}{'p95':>8}{'most':>8}{'warm':>8}{'cpu p95':>9}  {'packed':>9}{'plain':>10}")
    for one in found.figures:
        times = (one.wall.p50, one.wall.p95, one.wall.most, one.warm.p95)
        told = "".join(f"{time:8.1f}" for time in times)
        print(f"{one.page:28}{told}{one.cpu.p95:9.1f}  {one.packed:>9,}{one.plain:>10,}")
    print("memory: " + ", ".join(f"{size / 2**20:.1f} MiB after {n}" for n, size in found.memory.items()))
    for page, each in found.browser.items():
        print(f"{page:28} usable after {each['first'].p95} ms, the next time {each['again'].p95} ms (p95)")
    print("\n".join(f"MISSED {one}" for one in found.missed) or "every bar is met")


def markdown(found: Report) -> Iterator[str]:
    """The tables of docs/install.md, line by line."""
    on = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[found.database]
    yield f"| {on}, {found.releases:,} releases | p50 | p95 | processor, p95 | over the wire |"
    yield "|---|--:|--:|--:|--:|"
    for one in found.figures:
        times = " | ".join(f"{time:.0f} ms" for time in (one.wall.p50, one.wall.p95, one.cpu.p95))
        yield f"| {one.page} | {times} | {one.packed / 1000:.1f} kB |"
    yield ""
    memory = ", ".join(f"{size / 2**20:.0f} MiB after {views:,}" for views, size in found.memory.items())
    yield f"Memory of the server over page views: {memory}. Load of the machine: {found.load[0]:g}."
    if slow := sorted(((each["first"].p95, page) for page, each in found.browser.items()), reverse=True):
        yield f"In chromium the slowest page ({slow[0][1]}) can be used after {slow[0][0]:.0f} ms (p95)."


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/install.md")
    parser.add_argument("--releases", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=60, help="of each release")
    parser.add_argument("--visits", type=int, default=60, help="of each page")
    parser.add_argument("--views", type=int, default=1000, help="over which memory is watched")
    parser.add_argument("--postgresql", action="store_true", help="the same on PostgreSQL")
    parser.add_argument("--browser", action="store_true", help="in chromium too")
    cache = Path(tempfile.gettempdir(), "firedamp-pages")
    parser.add_argument("--cache", type=Path, default=cache, help=f"where the filled file is ({cache})")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    plan = Plan(options.releases, options.looks)
    with _sqlite(plan, options.cache) as url:
        reports = [report(url, plan, options)]
    if options.postgresql:
        with _postgresql(plan) as url:
            reports.append(report(url, plan, options))
    if options.json:
        about = {"firedamp": __version__, "python": platform.python_version(), "cores": os.cpu_count()}
        print(json.dumps({**about, "reports": [asdict(one) for one in reports]}))
        return 0
    for one in reports:
        print("\n".join(markdown(one))) if options.markdown else show(one)
    return 0


if __name__ == "__main__":
    sys.exit(main())
