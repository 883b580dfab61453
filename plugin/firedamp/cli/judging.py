"""What `firedamp judge` does: asks here or a server, once, again and again, or in the past."""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from firedamp.cli import exits, options, render
from firedamp.cli.exits import Exit
from firedamp.cli.instants import clock_time, written
from firedamp.cli.order import Order
from firedamp.cli.progress import Progress
from firedamp.cli.remote import Server, token
from firedamp.cli.render import Format
from firedamp.cli.watching import Asking, past, settled, watch
from firedamp.config import Settings
from firedamp.errors import AskError
from firedamp.model import Mode, Verdict
from firedamp.wiring import Living, living

#: How long a server is asked where nobody says how long.
_SERVER_PATIENCE_SECONDS = 7200.0
#: A source that is down stretches decide-by; so many times it is waited for.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Somebody who judges: answers at a Unix time, says where to read on, and when time is over."""

    ask: Asking
    link: Callable[[Verdict], str | None]
    over: Callable[[Verdict], Awaitable[bool]]


async def run(order: Order) -> Exit:
    """Judge, print, and say the verdict's exit code."""
    async with _judging(order) as judged:
        if order.window is not None:
            verdict = await _past(order, judged, order.window)
        elif order.watch:
            verdict = await _watched(order, judged)
        else:
            verdict = await judged.ask(time.time())
        typer.echo(render.verdict(verdict, order.shape, judged.link(verdict)))
    return code(verdict)


def code(verdict: Verdict) -> Exit:
    """The verdict's exit code; in shadow mode nothing blocks."""
    return Exit.PASS if verdict.mode is Mode.SHADOW else exits.of(verdict.outcome)


@asynccontextmanager
async def _judging(order: Order) -> AsyncIterator[Judged]:
    if order.server and order.window:
        raise AskError("a past window is judged here, from the source: leave --server out")
    if order.server:
        async with _remote(order) as judged:
            yield judged
        return
    with TemporaryDirectory(prefix="firedamp-") as folder:
        settings = options.settings(order.config)
        options.service(settings, order.ask.namespace, order.ask.service)
        if order.window:
            settings = _forgetful(settings, Path(folder))
        async with living(settings) as alive:
            yield _local(order, alive)


def _forgetful(settings: Settings, folder: Path) -> Settings:
    """The same settings with a store of their own: the past leaves no trace among real releases."""
    store = settings.store.model_copy(update={"url": f"sqlite:///{folder}/past.db", "password_file": None})
    return settings.model_copy(update={"store": store})


def _local(order: Order, alive: Living) -> Judged:
    public = alive.settings.public_url
    service = alive.settings.service(order.ask.namespace, order.ask.service)
    assert service is not None
    decide_by = service.window.deadline_seconds

    async def ask(now: float) -> Verdict:
        verdict = await alive.judge.answer(order.ask, now)
        if order.window or not order.watch:
            # No time passes before the next question, or there is none: what the past tells is waited for.
            await alive.judge.settled()
        return verdict

    def link(verdict: Verdict) -> str | None:
        kept = order.window is None and public is not None and verdict.release_id is not None
        return f"{str(public).rstrip('/')}/releases/{verdict.release_id}" if kept else None

    async def decided(verdict: Verdict) -> bool:
        look = None if verdict.release_id is None else await alive.store.last_look(verdict.release_id)
        return look is not None and look.standing.elapsed_seconds >= decide_by

    patience = order.patience_seconds or _PATIENCE * decide_by
    return Judged(ask, link, _either(decided, patience))


@asynccontextmanager
async def _remote(order: Order) -> AsyncIterator[Judged]:
    links: dict[int | None, str] = {}
    async with Server(order.server, token(order.token_file)) as server:
        # The server has its own clock: time is over by its times, never by ours.

        async def ask(now: float) -> Verdict:
            del now
            verdict, link = await server.judge(order.ask)
            links[verdict.release_id] = link
            return verdict

        async def decided(verdict: Verdict) -> bool:
            decide_by = await server.decide_by(order.ask.namespace, order.ask.service)
            if decide_by is None or verdict.release_id is None:
                return False
            return verdict.at - await server.started(verdict.release_id) >= decide_by

        patience = order.patience_seconds or _SERVER_PATIENCE_SECONDS
        yield Judged(ask, lambda verdict: links.get(verdict.release_id), _either(decided, patience))


def _either(
    decided: Callable[[Verdict], Awaitable[bool]], patience_seconds: float
) -> Callable[[Verdict], Awaitable[bool]]:
    """Time is over when the release is decided, or when nobody wants to wait any longer."""
    begun = time.monotonic()

    async def over(verdict: Verdict) -> bool:
        return time.monotonic() - begun >= patience_seconds or await decided(verdict)

    return over


async def _watched(order: Order, judged: Judged) -> Verdict:
    answers = watch(judged.ask, every_seconds=order.every_seconds, over=judged.over, clock=time.time)
    with Progress(f"{order.ask.namespace}/{order.ask.service}", sys.stderr) as progress:
        async for verdict in answers:
            progress.saw(verdict)
    return verdict


async def _past(order: Order, judged: Judged, window: tuple[float, float]) -> Verdict:
    begin, end = window
    loud = order.shape is Format.TEXT
    looks = past(judged.ask, begin=begin, end=end, every_seconds=order.every_seconds)
    seen = None
    async for verdict in looks:
        if verdict.block is not None and verdict.block != seen:
            seen = verdict.block
            typer.echo(line(verdict), err=not loud)
    typer.echo(_closing(verdict, end), err=not loud)
    return verdict


def line(verdict: Verdict) -> str:
    """One look of the past as a line."""
    block = "-" if verdict.block is None else verdict.block
    return f"{clock_time(verdict.at)}  look {block:>4}  {render.headline(verdict)}"


def _closing(verdict: Verdict, end: float) -> str:
    if settled(verdict):
        return f"the verdict fell at {written(verdict.at)}, look {verdict.block}: {verdict.outcome}"
    return f"no verdict until {written(end)}"
