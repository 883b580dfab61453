"""
What a look at a real Jaeger costs: cold, with ten minutes of traces, and then with what is new.

The backend's own time is that of the same search without anything read of its answer; both are asked a few
times in turns. It runs on the same machine, so a cold look shares the processors with it, and what it uses of
them is told beside what is ours. While a cold look goes on, the event loop is asked every few milliseconds
whether it is free: other looks live on it.
"""

import asyncio
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from firedamp.queries import Operation
from firedamp.sources.jaeger import JaegerSettings
from firedamp.sources.jaeger.source import JaegerSource
from firedamp.tracing import Sought
from real.jaeger import Jaeger, build
from real.orders import send, shop

SECONDS, NEW_SECONDS = 600.0, 30.0
SOUGHT = Sought(("orders",), (Operation("gateway", "POST /orders"),))
_GLANCE_SECONDS = 0.005
_TURNS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Seconds.

    Attributes:
        cold: of the wall's clock, for all traces.
        cpu: of processor time of ours in that.
        theirs: of the backend's in that; NaN where the system does not tell.
        gap: longest time in which nothing else had its turn meanwhile.
        new: for the traces of half a minute; `backend` is what the searches alone take.
    """

    cold: float
    cpu: float
    theirs: float
    gap: float
    new: float
    backend: float


async def jaeger(traces: int, looks: int) -> list[Cost]:
    """
    Some cold looks at so many traces, each with a source of its own.

    Raises:
        RuntimeError: there is no Go to build a Jaeger with, or it does not keep what it is sent.
    """
    program = build()
    if not isinstance(program, Path):
        raise RuntimeError(program.reason)  # noqa: TRY004 - a missing part, no wrong type
    begin = float(int(time.time()) // 3600 * 3600 - 7200)
    async with Jaeger(program, keeps=2 * traces) as backend:
        await send(backend.intake, shop(traces, begin, SECONDS, seed=1, canary_share=0.2))
        await _stored(backend, begin, traces)
        return [await _cost(backend, begin, traces) for _ in range(looks)]


async def _cost(backend: Jaeger, begin: float, traces: int) -> Cost:
    async with _source(backend) as source:
        gaps: list[float] = []
        watching = asyncio.create_task(_watch(gaps))
        began, used, theirs = time.perf_counter(), time.process_time(), _used(backend)
        found = await source.traces(SOUGHT, begin, begin + SECONDS, 60.0)
        cold, cpu = time.perf_counter() - began, time.process_time() - used
        theirs = _used(backend) - theirs
        watching.cancel()
        if len(found.found) != traces or found.doubt:
            raise RuntimeError(f"{len(found.found)} of {traces} traces: {found.doubt}")
        new, alone = await _new(backend, source, begin + SECONDS - NEW_SECONDS)
    return Cost(cold, cpu, theirs, max(gaps), new, alone)


async def _new(backend: Jaeger, source: JaegerSource, begin: float) -> tuple[float, float]:
    """Seconds of a look at what is new, and of the search alone; medians."""
    took, alone = [], []
    for _ in range(_TURNS):
        began = time.perf_counter()
        await source.traces(SOUGHT, begin, begin + NEW_SECONDS, 60.0)
        took.append(time.perf_counter() - began)
        alone.append(await _alone(backend, begin, source.settings.max_traces))
    return median(took), median(alone)


def _used(backend: Jaeger) -> float:
    """Seconds of processor time that a backend has used so far."""
    told = Path(f"/proc/{backend.process.pid}/stat") if backend.process else Path()
    if not told.is_file():
        return math.nan
    user, system = told.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def _alone(backend: Jaeger, begin: float, traces: int) -> float:
    """The same search, its answer thrown away."""
    asked = {
        "query.service_name": "gateway",
        "query.operation_name": "POST /orders",
        "query.start_time_min": _written(begin),
        "query.start_time_max": _written(begin + NEW_SECONDS),
        "query.num_traces": str(traces),
        "query.raw_traces": "true",
    }
    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        async with session.get(f"{backend.url}/api/v3/traces", params=asked) as answer:
            async for _ in answer.content.iter_any():
                pass
        return time.perf_counter() - began


def _written(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


async def _watch(gaps: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(_GLANCE_SECONDS)
        gaps.append(time.perf_counter() - before - _GLANCE_SECONDS)


async def _stored(backend: Jaeger, begin: float, traces: int) -> None:
    """Jaeger stores what it took in turns."""
    for _ in range(200):
        async with _source(backend) as source:
            found = await source.traces(SOUGHT, begin, begin + SECONDS, 60.0)
        if len(found.found) == traces:
            return
        await asyncio.sleep(0.5)
    raise RuntimeError(f"{len(found.found)} of {traces} traces are there after a while")


def _source(backend: Jaeger) -> JaegerSource:
    return JaegerSource(JaegerSettings(name="bench", url=backend.url, timeout=30.0))
