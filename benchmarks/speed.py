"""
How long a look takes, what a release weighs, and how fast the past is judged again.

    python benchmarks/speed.py [--json] [--rounds 9] [--judgements 1000000] [--prometheus [BINARY]]
                               [--previews [RELEASES]]

Looks are those of twenty checks by the product's own session, from memory and after a restart, when the last
snapshot is read and the nine blocks since then are taken (the store's own work is left out); figures are
processor time of one core, medians with quartiles. Everything is measured in the same rounds of one
process, scipy's calls for the same question beside ours. With --prometheus a real one is started, and
fetching is measured too (wall time). With --previews, what a change of parameters would have made of so many
past releases is found out, and how long that takes. Exits with 1 where a limit is exceeded, 0 with --json.
"""

import argparse
import asyncio
import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from clock import memory, onelook
from clock.backtests import backtest
from clock.looks import Times, clocked, course
from clock.previews import previewed
from clock.timing import Call, Spread, paired, ratio, spread

from firedamp.stats.null import Shape

CHECKS = 20
EARLY, LATE = 5, 60
#: Errors per check that most services see, and those up to which every path is counted.
FEW, MANY = 50, 400


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what was measured, in which unit, and what it may be at most."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    limit: float | None = None

    @property
    def met(self) -> bool:
        return self.limit is None or self.median <= self.limit


def figure(name: str, unit: str, found: Spread, limit: float | None = None) -> Figure:
    return Figure(name, unit, *(float(f"{value:.4g}") for value in asdict(found).values()), limit)


def looks(rounds: int, checks: int) -> Iterator[Figure]:
    """One look, early and late, with few errors and many; every round has releases of its own."""
    moments = [(EARLY, FEW), (LATE, FEW), (EARLY, MANY), (LATE, MANY)]
    found: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    clocked(course(checks, EARLY, FEW))  # plans of looks are made once per service, not per release
    for seed in range(rounds):
        for moment in moments:
            times = clocked(course(checks, *moment, seed=seed))
            for how, milliseconds in _shown(times).items():
                found.setdefault(f"{how}{_name(*moment)}", []).append(milliseconds)
            sizes.setdefault(_name(*moment), []).append(times.kilobytes)
    for name, each in sorted(found.items()):
        yield figure(f"look of {checks} checks, {name}", "ms", spread(each), _limit(name))
    early, late, crowded = (_name(*moment) for moment in ((EARLY, FEW), (LATE, FEW), (LATE, MANY)))
    for name in (late, crowded):
        yield figure(f"snapshot of {checks} checks, {name}", "KB", spread(sizes[name]))
    yield figure("look at minute 60 over minute 5, equal K", "times", ratio(found, late, early), 1.2)
    yield figure(f"look at K = {MANY} over K = {FEW}, minute 60", "times", ratio(found, crowded, late), 4.0)


def _shown(times: Times) -> Mapping[str, float]:
    """Milliseconds; of early looks there is nothing to tell of snapshots yet."""
    told = {"": times.look, "rebuilt: ": times.rebuilt}
    if times.written:
        told |= {"rebuilt from all blocks: ": times.folded, "snapshot written: ": times.written}
    return {how: 1e3 * seconds for how, seconds in told.items()}


def _limit(name: str) -> float | None:
    if name.startswith("rebuilt: "):
        return 60.0
    return 5.0 if name.startswith("minute") else None


def _name(minute: int, errors: int) -> str:
    return f"minute {minute}, K = {errors}"


def releases(checks: int) -> Iterator[Figure]:
    """Memory of a living release."""
    for errors, limit in ((FEW, 200.0), (MANY, 1500.0)):
        for how, kilobytes in memory.held(checks, LATE, errors).items():
            name = f"living release of {checks} checks, K = {errors}, {how.removesuffix('_kb')}"
            yield figure(name, "KB", spread([kilobytes]), limit)


def backtests(judgements: int, rounds: int) -> Iterator[Figure]:
    """Past releases, with the limit on a million judgements in proportion."""
    for shape in Shape:
        done, run = backtest(judgements, FEW, shape)
        seconds = paired({shape.value: run}, rounds, least=0)[shape.value]
        name = f"{done} backtest judgements, K = {FEW}, {shape.value}"
        yield figure(name, "s", spread(seconds), 10.0 * done / 1e6)


def statistics(rounds: int) -> Iterator[Figure]:
    """Single statistics, and scipy's where it has them."""
    calls: dict[str, Call] = onelook.other_cases()
    for errors in (10, 50, 200, 390, 2000):
        calls |= onelook.sequential_cases(errors)
    for events, n in ((10, 1_000), (100, 10_000), (1_000, 100_000)):
        calls |= onelook.fisher_cases(events, n)
    for name, seconds in paired(calls, rounds).items():
        yield figure(name, "µs", spread([1e6 * one for one in seconds]))


def previews(releases: int, checks: int) -> Iterator[Figure]:
    """Past releases of sixty looks judged again under other parameters, by what was changed."""
    for one in previewed(releases, checks):
        name = f"preview of {one.releases} releases of {checks} checks, {one.change}"
        yield figure(name, "s", spread([one.seconds]))
        yield figure(f"{name}, per second", "", spread([one.releases / one.seconds]))
        yield figure(f"{name}, the first one", "s", spread([one.first]), 1.0)


def machine() -> Mapping[str, str]:
    packages = {name: version(name) for name in ("firedamp", "numpy", "scipy")}
    return {
        "python": platform.python_version(),
        "machine": platform.processor() or platform.machine(),
        **packages,
    }


def show(figures: Sequence[Figure]) -> None:
    for one in figures:
        limit = "" if one.limit is None else f"  at most {one.limit:g}{'' if one.met else '  EXCEEDED'}"
        quartiles = f"({one.low:g} to {one.high:g})"
        print(f"{one.name:58} {one.median:>10g} {one.unit:<5} {quartiles:<24}{limit}")


def show_fetched(costs: Sequence[Mapping[str, object]]) -> None:
    for cost in costs:
        print("  ".join(f"{name} {value}" for name, value in cost.items()))


def fetching(binary: str | None) -> list[dict[str, object]]:
    """Needs a Prometheus; the one that is installed, or this binary."""
    from clock.fetching import fetched

    return [asdict(cost) for cost in asyncio.run(fetched(10, Path(binary) if binary else None))]


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--judgements", type=int, default=1_000_000)
    parser.add_argument("--checks", type=int, default=CHECKS, help="of the release looked at")
    parser.add_argument(
        "--previews",
        nargs="?",
        type=int,
        const=50,
        default=0,
        metavar="RELEASES",
        help="measure previews too",
    )
    parser.add_argument("--prometheus", nargs="?", const="", metavar="BINARY", help="measure fetching too")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    figures = [
        *looks(options.rounds, options.checks),
        *releases(options.checks),
        *backtests(options.judgements, min(3, options.rounds)),
        *statistics(options.rounds),
        *(previews(options.previews, options.checks) if options.previews else ()),
    ]
    costs = [] if options.prometheus is None else fetching(options.prometheus)
    if options.json:
        told = [{**asdict(one), "met": one.met} for one in figures]
        print(json.dumps({**machine(), "rounds": options.rounds, "figures": told, "fetching": costs}))
        return 0
    show(figures)
    show_fetched(costs)
    return 0 if all(one.met for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
