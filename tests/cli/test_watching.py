"""Asking again and again: when it stops, and what it survives."""

import itertools
from dataclasses import replace

import pytest

from cli.examples import FAILED, PASSED, WAITING
from firedamp.cli.remote import ServerDownError
from firedamp.cli.watching import past, settled, watch
from firedamp.model import Question


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, now=1000.0):
        self.now = now

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


def answering(*answers):
    """Asks that bring these answers in turn, the last one for ever; errors are raised."""
    asked = []
    coming = itertools.chain(answers, itertools.repeat(answers[-1]))

    async def ask(now):
        asked.append(now)
        answer = next(coming)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask, asked


async def never(verdict):
    return False


async def collected(ask, time, over=never):
    return [one async for one in watch(ask, every_seconds=30, over=over, clock=time.clock, sleep=time.sleep)]


@pytest.mark.parametrize("last", [FAILED, PASSED])
async def test_it_stops_when_the_verdict_falls(last):
    """Pass and fail end the waiting; what came before is told too."""
    ask, asked = answering(WAITING, WAITING, last)

    answers = await collected(ask, Time())

    assert answers == [WAITING, WAITING, last]
    assert asked == [1000, 1030, 1060]


async def test_it_stops_when_time_is_over():
    """An undecided release is not waited for beyond its time."""
    time = Time()
    ask, asked = answering(WAITING)

    async def over(verdict):
        return time.now >= 1090

    await collected(ask, time, over)

    assert asked == [1000, 1030, 1060, 1090]


async def test_a_server_may_restart():
    """A few failures in a row are a restart, not the end of the job."""
    ask, _ = answering(*[ServerDownError("gone")] * 4, PASSED)

    assert await collected(ask, Time()) == [PASSED]


async def test_a_server_that_is_gone_ends_it():
    """Nobody waits for ever for a server that does not come back."""
    ask, asked = answering(ServerDownError("gone"))

    with pytest.raises(ServerDownError):
        await collected(ask, Time())
    assert len(asked) == 5


def test_a_guard_is_never_settled_by_a_pass():
    """A guard goes on as long as the release does; only harm ends it."""
    assert not settled(replace(PASSED, question=Question.GUARD))
    assert settled(replace(FAILED, question=Question.GUARD))


async def test_the_past_is_asked_in_its_own_time():
    """Every question is put at its own instant, none after the window's end."""
    ask, asked = answering(WAITING)

    answers = [one async for one in past(ask, begin=0.0, end=100.0, every_seconds=30.0)]

    assert asked == [0.0, 30.0, 60.0, 90.0]
    assert len(answers) == 4


async def test_the_past_ends_with_its_verdict():
    """The look at which the verdict fell is the last one."""
    ask, asked = answering(WAITING, FAILED)

    answers = [one async for one in past(ask, begin=0.0, end=100.0, every_seconds=30.0)]

    assert answers[-1] == FAILED
    assert len(asked) == 2
