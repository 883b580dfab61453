"""A release whose traces are in a real Jaeger and whose metrics are in a real Prometheus."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from firedamp.model import Outcome, Verdict
from real import serving
from real.flowcases import RELEASED, Case, ask, settings
from real.jaeger import Jaeger
from real.orders import Trip, send

SETTLE = 60.0


async def released(
    case: Case,
    jaeger: Path,
    prometheus: str,
    folder: Path,
    until: float,
    *,
    before: float = SETTLE,
    keeps: Callable[[Trip], bool] = lambda trip: True,
    **traces: object,
) -> Verdict:
    """
    The first answer, asked for every half minute for so many seconds; its traces are in the backend.

    Args:
        case: what is released.
        jaeger: the program.
        prometheus: the server's address.
        folder: for the store.
        until: seconds after the release.
        before: seconds of traces before the release.
        keeps: what a sampler leaves.
        traces: further settings of traces.
    """
    trips = [trip for trip in case.trips(RELEASED - before, until + before) if keeps(trip)]
    async with Jaeger(jaeger) as backend:
        await send(backend.intake, trips)
        await stored(backend, trips[-1].trace_id)
        source = {"name": "jaeger", "kind": "jaeger", "url": backend.url}
        async with serving.running(settings(case, prometheus, source, **traces), folder, RELEASED) as shop:
            verdict = await answered(shop, case, until)
        for trace in [trace for one in verdict.findings for trace in one.traces]:
            assert await is_known(backend, trace)
    return verdict


async def answered(shop: serving.Running, case: Case, until: float) -> Verdict:
    while (verdict := await shop.judge.answer(ask(case), shop.now)).outcome is Outcome.INCONCLUSIVE:
        if shop.now >= RELEASED + until:
            break
        await shop.judge.settled()  # half a minute is long enough for what goes on in the background
        shop.now += 30
    print(case.story.service, shop.now - RELEASED, verdict.sentence)
    return verdict


async def stored(jaeger: Jaeger, trace: str) -> None:
    """Jaeger stores what it took in turns."""
    for _ in range(200):
        if await is_known(jaeger, trace):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{trace} is not there after 10 s")


async def is_known(jaeger: Jaeger, trace: str) -> bool:
    """Whether the backend shows a trace of this id."""
    return await asyncio.to_thread(_is_known, f"{jaeger.url}/api/v3/traces/{trace}")


def _is_known(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(json.load(answer)["result"]["resourceSpans"])
    except urllib.error.HTTPError:
        return False
