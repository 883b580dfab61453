"""Work beside the answers: a few things at once, each once at a time, none for ever, and never an error."""

import asyncio

import pytest
from structlog.testing import capture_logs

from firedamp.decision.frozen import UnfitError
from firedamp.errors import SourceDownError, StoreError
from firedamp.judge.background import Background
from firedamp.telemetry import Work


def background(*, at_once: int = 2, patience_seconds: float = 5.0) -> Background:
    return Background(Work.LEARNING, at_once=at_once, patience_seconds=patience_seconds)


async def test_work_under_way_is_not_begun_again():
    """Its name tells; when it is done it may be begun again."""
    done, working = [], background()

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(len(done))

    for _ in range(3):
        working.begin("one", work)
    await working.settled()
    working.begin("one", work)
    await working.settled()

    assert done == [0, 1]


async def test_so_many_things_run_at_once():
    """The others wait for their turn, and have it."""
    running, most, working = set(), [], background(at_once=2)

    def work(number: int):
        async def one() -> None:
            running.add(number)
            most.append(len(running))
            await asyncio.sleep(0.01)
            running.remove(number)

        return one

    for number in range(5):
        working.begin(f"number {number}", work(number))
    await working.settled()

    assert len(most) == 5
    assert max(most) == 2


@pytest.mark.parametrize(
    "trouble", [SourceDownError("refused"), StoreError("disk full"), UnfitError("too large")]
)
async def test_trouble_is_a_line_in_the_log(trouble):
    """What went wrong, and with what; nobody else hears of it."""
    working = background()

    async def fail() -> None:
        raise trouble

    with capture_logs() as logs:
        working.begin("history of shop", fail)
        await working.settled()

    assert logs == [
        {"event": "learning", "what": "history of shop", "error": str(trouble), "log_level": "warning"}
    ]


async def test_what_takes_too_long_is_given_up():
    """With the time it was given."""
    working = background(patience_seconds=0.01)
    with capture_logs() as logs:
        working.begin("history of shop", asyncio.Event().wait)
        await working.settled()

    assert [one["error"] for one in logs] == ["not done within 0.01 s"]


async def test_closing_gives_up_what_is_under_way():
    """At once, and without a line."""
    working = background()
    with capture_logs() as logs:
        working.begin("history of shop", asyncio.Event().wait)
        await asyncio.wait_for(working.close(), 1.0)

    assert logs == []
