"""
The desk where contracts put their questions, and the edge where our own trouble ends.

Callers take a 5xx for evidence against the canary: Argo aborts after five errors in a row, Flagger counts a
failed check and loses the text. So whatever goes wrong on our side becomes a verdict, here and nowhere else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from aiohttp import web

from firedamp import telemetry
from firedamp.config import Limits
from firedamp.contracts._wire.reading import shown
from firedamp.errors import AskError, ForbiddenError
from firedamp.model import Ask, Outcome, Verdict
from firedamp.ports import Judging, Release, Token

T = TypeVar("T")
#: Who holds this path secret and may use it for this namespace; None for nobody.
Grants = Callable[[str, str], Awaitable[Token | None]]

#: Where the middleware that reads bearer tokens leaves the token of a request.
TOKEN = web.RequestKey("token", Token)

#: A judge keeps to the deadline itself; this much later its answer is no longer waited for.
_GRACE_SECONDS = 1.0
_log = structlog.get_logger()


async def safely(
    work: Awaitable[T], *, refuse: Callable[[AskError], T], instead: Callable[[], T], route: str
) -> T:
    """
    Answer whatever happens.

    Args:
        work: the answer in the making.
        refuse: makes an answer of a question that cannot be understood.
        instead: makes an answer of any exception that nobody foresaw; it is logged and counted.
        route: what the log and the metric call it.
    """
    try:
        return await work
    except AskError as error:
        return refuse(error)
    except Exception:  # noqa: BLE001 - the one place: an error of ours must not count against a canary
        _log.exception("contract_trouble", route=route)
        telemetry.INTERNAL_ERRORS.labels(route).inc()
        return instead()


@dataclass(frozen=True, slots=True)
class StandIn(Verdict):
    """What the desk says in the judge's place: the judge could not be asked, not even for the mode."""


@dataclass(slots=True)
class Desk:
    """
    Puts questions to the judge: so many at once, each within its time, and trouble comes back as a verdict.

    A question that takes too long is not thrown away: its look goes on and the next one finds it done.
    """

    judge: Judging
    limits: Limits = field(default_factory=Limits)
    _open: set[asyncio.Task[Verdict]] = field(default_factory=set, init=False)

    async def answer(self, ask: Ask, now: float, within_seconds: float | None = None) -> Verdict:
        """Answer within the time given (default: the deadline of the settings and a second)."""
        if len(self._open) >= self.limits.concurrent:
            telemetry.OVERLOADED.inc()
            return _undecided(ask, now, f"{len(self._open)} questions are open, the most allowed; ask again")
        seconds = within_seconds or self.limits.deadline + _GRACE_SECONDS
        task = asyncio.create_task(self._asked(ask, now))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        return task.result() if done else _undecided(ask, now, f"no answer within {seconds:g} s; ask again")

    async def _asked(self, ask: Ask, now: float) -> Verdict:
        return await safely(
            self.judge.answer(ask, now),
            refuse=lambda error: _undecided(ask, now, str(error)),
            instead=lambda: _undecided(ask, now, "firedamp itself is in trouble; its log says more"),
            route="judge",
        )

    async def ended(
        self, namespace: str, service: str, revision: str | None, *, outcome: str, by: str, now: float
    ) -> Release | None:
        return await self.judge.ended(namespace, service, revision, outcome=outcome, by=by, now=now)

    async def told_weight(
        self, namespace: str, service: str, revision: str | None, *, weight: float, now: float
    ) -> None:
        await self.judge.told_weight(namespace, service, revision, weight=weight, now=now)

    async def close(self) -> None:
        """Give up looks that still go on."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


def desk(judge: Judging, limits: Limits) -> Desk:
    """The desk of this judge: the one handed in where the contracts share one."""
    return judge if isinstance(judge, Desk) else Desk(judge, limits)


def _undecided(ask: Ask, now: float, sentence: str) -> StandIn:
    return StandIn(Outcome.INCONCLUSIVE, ask.question, sentence, at=now)


def within(request: web.Request, namespace: str) -> None:
    """
    Hold the bearer of a token to its namespaces.

    Raises:
        ForbiddenError: the namespace is not one of them.
    """
    token = request.get(TOKEN)
    if token is not None and token.namespaces and namespace not in token.namespaces:
        raise ForbiddenError(_not_yours(namespace))


async def admitted(grants: Grants, request: web.Request, namespace: str) -> Token:
    """
    The token behind the secret segment of the path.

    Raises:
        ForbiddenError: there is none, or not for this namespace; the secret is not repeated.
    """
    token = await grants(request.match_info["secret"], namespace)
    if token is None:
        raise ForbiddenError(_not_yours(namespace))
    return token


def _not_yours(namespace: str) -> str:
    return (
        f"this credential is not good for namespace {shown(namespace)}: "
        "a token is limited to its namespaces; use one that was made for it"
    )
