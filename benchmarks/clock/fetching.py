"""
What one look costs to fetch and count, for narrow and wide services, raw and summed at the server.

A real Prometheus with an hour of histogram buckets, scraped every 15 s, answers a release's first look
(with its look-back) and then a number of looks with what is new.
"""

import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from firedamp.counting import LOOK_BACK_SECONDS, Memory, count
from firedamp.model import Block
from firedamp.ports import Span
from firedamp.queries import Counted, Matcher, Op, Selector
from firedamp.sources.prometheus import PrometheusSettings, PrometheusSource
from real.prometheus import Given, RealPrometheus

STEP, BLOCK, SCRAPES = 15, 30, 120
#: Pods, routes and buckets per service: 10, 1,000 and 12,000 series.
SERVICES = {"narrow": (2, 1, 5), "middle": (10, 10, 10), "wide": (20, 50, 12)}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one look: kilobytes read, milliseconds to fetch and to count; later looks as medians."""

    series: int
    how: str
    look: str
    answered: int
    kilobytes: float
    fetch_ms: float
    count_ms: float


def history(begin: float) -> Iterator[Given]:
    """Buckets of three services; every route of every pod is used between two scrapes."""
    for service, (pods, routes, buckets) in SERVICES.items():
        for pod in range(pods):
            times = [begin + STEP * at + 0.1 * pod for at in range(SCRAPES)]
            target = {"pod": f"{service}-6b9f-{pod}", "instance": f"10.0.0.{pod}:8080"}
            yield "process_start_time_seconds", target, times, [begin - 3600.0] * SCRAPES
            for route in range(routes):
                for bucket in range(buckets):
                    bound = f"{0.005 * 2**bucket:g}" if bucket < buckets - 1 else "+Inf"
                    labels = {**target, "route": f"/api/v1/route-{route}", "method": "GET", "le": bound}
                    grows = (bucket + 1) * (route + 3)
                    values = [float(grows * at) for at in range(SCRAPES)]
                    yield f"{service}_request_duration_seconds_bucket", labels, times, values


async def costs(url: str, service: str, how: str, opens: float, looks: int) -> Iterator[Cost]:
    """Take a first look and some more at one service."""
    pods, routes, buckets = SERVICES[service]
    series = pods * routes * buckets
    limit = {"raw": series + 1, "summed": 1}[how]
    settings = PrometheusSettings(name="bench", url=url, max_series=limit, timeout=30.0, max_concurrent=8)
    need = Counted(Selector(f"{service}_request_duration_seconds_bucket"), keep_le=True)
    async with PrometheusSource(settings) as source:
        memory, taken = None, []
        for at in range(looks + 1):
            cost, memory = await one_look(source, need, memory, opens + BLOCK * at)
            taken.append({"series": series, "how": how, **cost})
    measured = ("kilobytes", "fetch_ms", "count_ms")
    medians = {key: statistics.median(one[key] for one in taken[1:]) for key in measured}
    return iter([Cost(look="first", **taken[0]), Cost(look="next", **{**taken[-1], **medians})])


async def one_look(
    source: PrometheusSource, need: Counted, memory: Memory | None, start: float
) -> tuple[Mapping[str, float], Memory]:
    cohort = (Matcher("pod", Op.MATCH, f"{need.selector.metric.partition('_')[0]}-.*"),)
    begin = start - LOOK_BACK_SECONDS if memory is None else start
    began = time.perf_counter()
    samples = await source.samples(need, cohort, Span(begin, (start + BLOCK,), 60.0, 30.0))
    fetched = time.perf_counter()
    counted = count(
        samples,
        [Block(0, start, start + BLOCK)],
        memory,
        pod_label="pod",
        keep_le=True,
        starts=samples.starts,
    )
    done = time.perf_counter()
    cost = {
        "answered": len(samples.series),
        "kilobytes": round(samples.bytes_read / 1000, 1),
        "fetch_ms": round(1000 * (fetched - began), 1),
        "count_ms": round(1000 * (done - fetched), 1),
    }
    return cost, counted.memory


async def fetched(looks: int, binary: Path | None) -> list[Cost]:
    """Every service, raw and summed; a Prometheus is started for it."""
    begin = time.time() // 3600 * 3600 - 3 * 3600
    found: list[Cost] = []
    async with RealPrometheus(history(begin), binary) as prometheus:
        for service in SERVICES:
            for how in ("raw", "summed"):
                found += await costs(prometheus.url, service, how, begin + 600, looks)
    return found
