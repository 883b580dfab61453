"""Asks again and again until a verdict falls; waiting and the clock are arguments."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from firedamp.cli.remote import ServerDownError
from firedamp.model import Outcome, Question, Verdict

#: Puts the question at a Unix time.
Asking = Callable[[float], Awaitable[Verdict]]

#: A server that is restarted answers again soon; one that is gone does not.
_FAILURES = 5


def settled(verdict: Verdict) -> bool:
    """Nothing will change: harm is proven, or the question is answered with pass (a guard never is)."""
    if verdict.question is Question.GUARD:
        return verdict.outcome is Outcome.FAIL
    return verdict.outcome is not Outcome.INCONCLUSIVE


async def watch(
    ask: Asking,
    *,
    every_seconds: float,
    over: Callable[[Verdict], Awaitable[bool]],
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Verdict]:
    """
    Every answer, until one settles the question or time is over.

    Args:
        ask: puts the question.
        every_seconds: distance of two questions.
        over: whether time is over, given the answer.
        clock: says the Unix time.
        sleep: waits so many seconds.

    Raises:
        ServerDownError: the server failed to answer several times in a row.
    """
    failures = 0
    while True:
        try:
            verdict = await ask(clock())
        except ServerDownError:
            failures += 1
            if failures >= _FAILURES:
                raise
        else:
            failures = 0
            yield verdict
            if settled(verdict) or await over(verdict):
                return
        await sleep(every_seconds)


async def past(ask: Asking, *, begin: float, end: float, every_seconds: float) -> AsyncIterator[Verdict]:
    """Every answer as it would have been given between two instants, until one settles the question."""
    now = begin
    while now <= end:
        verdict = await ask(now)
        yield verdict
        if settled(verdict):
            return
        now += every_seconds
