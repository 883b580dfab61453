"""A real Jaeger that is gone in the middle of a release, or slow: verdicts are late at worst, never wrong."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from firedamp.model import Outcome, Verdict
from real import serving
from real.flowcases import CASES, RELEASED, Case, ask, finding, settings
from real.flowjaeger import stored
from real.history import past
from real.jaeger import Jaeger, jaeger_or_skip
from real.orders import send
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

SETTLE = 60.0
USED = ("deleted", "healthy")


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with RealPrometheus(past([CASES[name].story for name in USED], RELEASED)) as server:
        yield server.url


@pytest.fixture(scope="module")
def program() -> Path:
    return jaeger_or_skip()


@asynccontextmanager
async def released(
    case: Case, program: Path, prometheus: str, folder: Path, until: float
) -> AsyncIterator[tuple[serving.Running, Jaeger]]:
    """A release of so many seconds whose traces are in the backend; a look has two seconds."""
    trips = list(case.trips(RELEASED - SETTLE, until + SETTLE))
    async with Jaeger(program) as jaeger:
        await send(jaeger.intake, trips)
        await stored(jaeger, trips[-1].trace_id)
        told = settings(case, prometheus, {"name": "jaeger", "kind": "jaeger", "url": jaeger.url})
        async with serving.running({**told, "limits": {"deadline": 2}}, folder, RELEASED) as shop:
            yield shop, jaeger


def stop(jaeger: Jaeger) -> None:
    assert jaeger.process
    jaeger.process.send_signal(signal.SIGSTOP)


def go_on(jaeger: Jaeger) -> None:
    assert jaeger.process
    jaeger.process.send_signal(signal.SIGCONT)


async def answers(shop: serving.Running, case: Case, until: float) -> list[Verdict]:
    """One every half minute, as Argo asks."""
    found = [await shop.judge.answer(ask(case), shop.now)]
    while shop.now < RELEASED + until:
        shop.now += 30
        found.append(await shop.judge.answer(ask(case), shop.now))
    return found


@pytest.mark.parametrize("name", USED)
async def test_a_backend_that_is_gone_for_some_looks_leaves_the_verdict_right(
    name, program, prometheus, tmp_path
):
    """Meanwhile flows are undecided with the reason; afterwards what is broken is stopped, and only that."""
    case = CASES[name]
    async with released(case, program, prometheus, tmp_path, 600) as (shop, jaeger):
        stop(jaeger)
        gone = await answers(shop, case, 210)
        go_on(jaeger)
        back = await answers(shop, case, 600)

    cannot = finding(gone[-1], "place-order.availability")
    assert {verdict.outcome for verdict in gone} == {Outcome.INCONCLUSIVE}
    assert cannot.sentence.startswith(
        "place-order.availability: cannot judge, source jaeger: no answer within"
    )
    assert back[-1].outcome is (Outcome.FAIL if case.check else Outcome.INCONCLUSIVE)
    assert not case.check or finding(back[-1], case.check).outcome is Outcome.FAIL
    assert not finding(back[-1], "place-order.availability").set_aside


async def _stutter(jaeger: Jaeger) -> None:
    """Most of the time it stands still."""
    while True:
        stop(jaeger)
        await asyncio.sleep(0.15)
        go_on(jaeger)
        await asyncio.sleep(0.05)


async def test_a_slow_backend_is_caught_up_with(program, prometheus, tmp_path):
    """Half an hour late, with two seconds for a question: nothing is passed over, and harm is found."""
    case = CASES["deleted"]
    async with released(case, program, prometheus, tmp_path, 1800) as (shop, jaeger):
        await shop.judge.answer(ask(case), shop.now)
        stuttering = asyncio.create_task(_stutter(jaeger))
        shop.now += 1800
        found = []
        while not found or (found[-1].block or 0) < 58:
            shop.now += 3
            found.append(await shop.judge.answer(ask(case), shop.now))
            print(found[-1].block, found[-1].sentence)
        stuttering.cancel()

    assert len(found) < 40
    assert finding(found[-1], case.check).outcome is Outcome.FAIL
    assert not [one for one in found[-1].findings if one.set_aside]
