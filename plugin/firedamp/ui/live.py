"""
Pages that keep up with the judge: server-sent events, one for every look and every change of a release.

The store is asked twice a second for all who listen, however many there are, and only for what changed since;
so looks of other replicas show as well. An event says which releases changed and nothing else: a page then
asks for itself again, as whoever may read it.

Nobody hears more than their session is worth: before anything is told, and every two seconds, one question
is asked for all who listen, and the lines of those who are logged out end. Their browsers come back by
themselves and are refused, which the page then says. After ten minutes every line begins anew.

Source: HTML Living Standard, 9.2 Server-sent events.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from firedamp.errors import StoreError
from firedamp.ports import Change, Store, Token

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back
}
#: A browser that lost us tries again after so long.
_RETRY = b"retry: 1000\n\n"
_BEAT = b": beat\n\n"
_LEAVING = "this server is leaving; another one answers in a moment"
#: There is no room: the page asks by itself meanwhile. A refusal would keep the browser from coming again.
_FULL = b"retry: 30000\nevent: full\ndata: {}\n\n"
#: What was being written at one question may be told at a later one, with an earlier time.
_OVERLAP_SECONDS = 5.0
#: Of each of these requests whether whoever sent it would be let in now; may raise StoreError.
Still = Callable[[Sequence[web.Request]], Awaitable[Sequence[bool]]]
_log = structlog.get_logger("firedamp.ui")


@dataclass(slots=True, eq=False)
class _Listener:
    """One page that is open somewhere: what it may hear, and what it has not heard yet."""

    request: web.Request
    namespaces: frozenset[str]
    release_id: int | None
    over: bool = False
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    unheard: dict[int, None] = field(default_factory=dict)

    def hear(self, changes: Sequence[Change]) -> None:
        mine = [one.release_id for one in changes if self._concerns(one)]
        if mine:
            self.unheard |= dict.fromkeys(mine)
            self.waiting.set()

    def leave(self) -> None:
        self.over = True
        self.waiting.set()

    def take(self) -> list[int]:
        taken = list(self.unheard)
        self.unheard.clear()
        self.waiting.clear()
        return taken

    def _concerns(self, change: Change) -> bool:
        allowed = not self.namespaces or change.namespace in self.namespaces
        return allowed and self.release_id in (None, change.release_id)


class Live:
    """
    Tells all open pages what changes.

    Args:
        still: whether those who listen still may.
        most: so many may listen at once.
        poll_seconds: how often the store is asked while anybody listens.
        still_seconds: how often that is asked where there is nothing to tell.
        beat_seconds: a sign of life for proxies on the way.
        longest_seconds: then the page must come again.
    """

    def __init__(
        self,
        store: Store,
        still: Still,
        *,
        most: int = 200,
        poll_seconds: float = 0.5,
        still_seconds: float = 2.0,
        beat_seconds: float = 15.0,
        longest_seconds: float = 600.0,
    ) -> None:
        self._store, self._still = store, still
        self._most = most
        self._poll_seconds, self._still_seconds = poll_seconds, still_seconds
        self._beat_seconds, self._longest_seconds = beat_seconds, longest_seconds
        self._listeners: set[_Listener] = set()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    async def listen(
        self, request: web.Request, token: Token, release_id: int | None = None
    ) -> web.StreamResponse:
        """Answer with events until the page goes, its time is over, or we leave."""
        if self._closed:
            return web.Response(status=503, text=_LEAVING, headers={"Retry-After": "1"})
        if len(self._listeners) >= self._most:
            return web.Response(body=_FULL, headers=_HEADERS)
        listener = _Listener(request, frozenset(token.namespaces), release_id)
        self._listeners.add(listener)
        try:
            await self._begin()
            response = web.StreamResponse(headers=_HEADERS)
            with suppress(ConnectionError):  # the page is gone
                await response.prepare(request)
                await self._tell(response, listener)
            return response
        finally:
            self._listeners.discard(listener)

    async def close(self, app: web.Application | None = None) -> None:
        """Let all go."""
        del app
        self._closed = True
        for listener in self._listeners:
            listener.leave()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _begin(self) -> None:
        """See to it that the store is watched, from now on."""
        if self._watching is None or self._watching.done():
            since, _ = await self._store.changes(None)
            if self._watching is None or self._watching.done():
                self._watching = asyncio.create_task(self._watch(since))

    async def _tell(self, response: web.StreamResponse, listener: _Listener) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._longest_seconds
        await response.write(_RETRY)
        while loop.time() < until:
            told = await self._next(listener)
            if listener.over:
                return
            await response.write(_event(told))

    async def _next(self, listener: _Listener) -> list[int]:
        try:
            async with asyncio.timeout(self._beat_seconds):
                await listener.waiting.wait()
        except TimeoutError:
            return []
        return listener.take()

    async def _watch(self, since: float) -> None:
        told: frozenset[tuple[int, float]] = frozenset()
        begun, asked = since, 0.0
        while self._listeners and not self._closed:
            await asyncio.sleep(self._poll_seconds)
            try:
                newest, found = await self._store.changes(max(begun, since - _OVERLAP_SECONDS))
                fresh = [one for one in found if (one.release_id, one.at) not in told]
                asked = await self._let_go(asked, telling=bool(fresh))
            except StoreError as error:
                _log.warning("changes_not_read", error=str(error))
                continue
            since, told = newest, frozenset((one.release_id, one.at) for one in found)
            for listener in self._listeners:
                listener.hear(fresh)

    async def _let_go(self, asked: float, *, telling: bool) -> float:
        """End the lines of those who may listen no longer, where it is time to ask; when was asked last."""
        now = asyncio.get_running_loop().time()
        if not telling and now - asked < self._still_seconds:
            return asked
        listeners = list(self._listeners)
        still = await self._still([one.request for one in listeners])
        for listener, may in zip(listeners, still, strict=True):
            if not may:
                listener.leave()
        return now


def _event(release_ids: list[int]) -> bytes:
    if not release_ids:
        return _BEAT
    return f"event: look\ndata: {json.dumps({'releases': release_ids})}\n\n".encode()
