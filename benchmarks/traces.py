"""
How fast spans come in, what an open trace weighs, and what it costs to give traces to the wrong cohort.

    python benchmarks/traces.py [--json] [--rounds 9] [--requests 40] [--traces 20000] [--releases 1000]
                                [--jaeger [TRACES]]

Speed is that of the intake alone, from a request's body to the memory: spans per second of processor time of
one core, over requests of 512 spans, medians with quartiles; HTTP comes on top. Memory is what Python
allocates for so many open traces, and for as many again and again when there is no more room. Healthy
releases of traces with up to six calls, one in twenty to the canary, are judged by the first visit, as
firedamp does, and by any visit. With --jaeger a real one is started (Go builds it once), and looks at so many
traces in ten minutes are measured. Exits with 1 where a bar is missed, 0 with --json.
"""

import argparse
import asyncio
import json
import math
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from clock import backends as clock_backends
from clock import cohorts as clock_cohorts
from clock import intake
from clock.timing import Spread, paired, spread

#: Spans per second and core that protobuf must reach.
FAST = 50_000.0
#: Flows in each block of half a minute.
_FLOWS = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what was measured, in which unit, and what it must be at least or may be at most."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        above = self.at_least is None or self.median >= self.at_least
        return above and (self.at_most is None or self.median <= self.at_most)


def figure(
    name: str, unit: str, found: Spread, *, at_least: float | None = None, at_most: float | None = None
) -> Figure:
    rounded = (float(f"{value:.4g}") for value in asdict(found).values())
    return Figure(name, unit, *rounded, at_least, at_most)


def speed(rounds: int, requests: int) -> Iterator[Figure]:
    """Spans per second, by what the requests carry."""
    spans = requests * intake.SPANS
    for name, seconds in paired(intake.cases(requests), rounds, least=0).items():
        least = None if "JSON" in name else FAST
        yield figure(name, "spans/s", spread([spans / one for one in seconds]), at_least=least)


def memory(traces: int) -> Iterator[Figure]:
    """Bytes of an open trace, and what more traces add when there is no room for them."""
    # Once traces come and go, dictionaries take the size they keep.
    _, full, *later = intake.held(traces)
    yield figure("open trace of two spans", "B", spread([full / traces]), at_most=400.0)
    growth = spread([100 * (bytes_held / full - 1) for bytes_held in later])
    yield figure(f"growth when {traces} are open", "%", growth, at_most=5.0)


def cohorts(releases: int) -> Iterator[Figure]:
    """Healthy releases that are rolled back, and the odds that are taken for the canary's."""
    played = [clock_cohorts.judged(seed, _FLOWS) for seed in range(releases)]
    for name, each in zip(("first visit", "any visit"), zip(*played, strict=True), strict=True):
        wrong = 100 * sum(one.rolled_back for one in each) / releases
        # What the alpha is, and what chance adds to it.
        most = 2.0 + 100 * 2 * math.sqrt(0.02 * 0.98 / releases) if name == "first visit" else None
        yield figure(f"rolled back by {name}", "%", spread([wrong]), at_most=most)
        yield figure(f"odds by {name}", "times", spread([one.odds for one in each]))


def backend(traces: int, looks: int) -> Iterator[Figure]:
    """Looks at a real Jaeger; wall time, so of a quiet machine only."""
    costs = asyncio.run(clock_backends.jaeger(traces, looks))
    yield figure(f"cold look at {traces} traces", "s", spread([one.cold for one in costs]), at_most=5.0)
    yield figure("processor time of it", "s", spread([one.cpu for one in costs]))
    if not math.isnan(costs[0].theirs):
        yield figure("the backend's meanwhile", "s", spread([one.theirs for one in costs]))
    yield figure("longest gap of the event loop in it", "ms", spread([1000 * one.gap for one in costs]))
    beyond = spread([1000 * max(0.0, one.new - one.backend) for one in costs])
    yield figure("look at what is new, beyond the backend", "ms", beyond, at_most=200.0)


def machine() -> dict[str, str]:
    packages = {name: version(name) for name in ("firedamp", "protobuf", "opentelemetry-proto")}
    processor = platform.processor() or platform.machine()
    return {"python": platform.python_version(), "machine": processor, **packages}


def show(figures: Sequence[Figure]) -> None:
    for one in figures:
        bars = [f"at least {one.at_least:g}"] if one.at_least is not None else []
        bars += [f"at most {one.at_most:g}"] if one.at_most is not None else []
        bars += [] if one.met else ["MISSED"]
        quartiles = f"({one.low:g} to {one.high:g})"
        print(f"{one.name:40} {one.median:>10g} {one.unit:<8} {quartiles:<24} {'  '.join(bars)}")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=40, help="of 512 spans, per round")
    parser.add_argument("--traces", type=int, default=20_000, help="open at most while memory is measured")
    parser.add_argument("--releases", type=int, default=1000, help="healthy ones, judged by their flows")
    parser.add_argument("--jaeger", nargs="?", type=int, const=50_000, metavar="TRACES")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    figures = [*speed(options.rounds, options.requests), *memory(options.traces), *cohorts(options.releases)]
    if options.jaeger:
        figures += backend(options.jaeger, min(3, options.rounds))
    if options.json:
        told = [{**asdict(one), "met": one.met} for one in figures]
        print(json.dumps({**machine(), "rounds": options.rounds, "figures": told}))
        return 0
    show(figures)
    return 0 if all(one.met for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
