"""
The socket's side: connections that dawdle are closed, and what is no HTTP is refused in words.

aiohttp has no timeout for the head of a request and none for its body. A head has `header_seconds` from the
opening of the connection, or from its first byte where the connection was kept alive; a body has
`body_seconds` from the end of its head. Bodies are never decompressed: nobody who asks us compresses, and a
bomb needs a fuse.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import StreamReader, web

from firedamp.config import Limits

#: Longer than the pause between two questions of a controller, shorter than a proxy's patience.
_KEEPALIVE_SECONDS = 75.0
_LINGERING_SECONDS = 2.0
_SHUTDOWN_SECONDS = 15.0
_MOST_CONNECTIONS = 4096
_LINE_BYTES = 8190
_HEADER_LINES = 100
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "firedamp"}
_log = structlog.get_logger("firedamp.server")


class GuardedHandler(web.RequestHandler):
    """One connection, with a clock for heads and one for bodies."""

    __slots__ = ("_body", "_body_timer", "_guard", "_head_began", "_head_timer")

    def __init__(self, manager: web.Server, *, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp tests it for truth; its default logs paths
            keepalive_timeout=_KEEPALIVE_SECONDS,
            lingering_time=_LINGERING_SECONDS,
            max_line_size=_LINE_BYTES,
            max_field_size=_LINE_BYTES,
            max_headers=_HEADER_LINES,
            auto_decompress=False,
        )
        self._guard = limits
        self._head_timer: asyncio.TimerHandle | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._body: StreamReader | None = None
        self._head_began = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect_head()
        if self._manager is not None and len(self._manager.connections) > _MOST_CONNECTIONS:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop(self._head_timer)
        self._stop(self._body_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        heads = self._request_count
        super().data_received(data)
        if self._request_count > heads:
            self._stop(self._head_timer)
            self._head_timer, self._head_began = None, False
            # The parser found something new while a body was open: its chunks are broken, and aiohttp
            # does not tell the one who reads it.
            self._give_up(self._body, "its chunks are broken")
            self._expect_body()
        elif self._waiter is not None and not self._waiter.done():
            self._head_began = True
            self._expect_head()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(self._guard.header_seconds, self._head_overdue)

    def _head_overdue(self) -> None:
        if self.transport is not None and self._head_began:
            sentence = (
                f"the head of the request is not complete after {self._guard.header_seconds:g} s, the most "
                "allowed; send it at once"
            )
            # mypy takes a transport for one that only reads.
            self.transport.write(_raw(HTTPStatus.REQUEST_TIMEOUT, sentence))
        self.force_close()

    def _expect_body(self) -> None:
        bodies = [payload for _, payload in self._messages if not payload.is_eof()]
        self._stop(self._body_timer)
        self._body = bodies[-1] if bodies else None
        if bodies:
            self._body_timer = self._loop.call_later(self._guard.body_seconds, self._body_overdue)

    def _body_overdue(self) -> None:
        sentence = f"it is not complete after {self._guard.body_seconds:g} s, the most allowed"
        self._give_up(self._body, sentence)

    def _give_up(self, body: StreamReader | None, sentence: str) -> None:
        """Tell whoever reads this body, and let the connection end with the answer."""
        if body is None or body.is_eof():
            return
        body.set_exception(web.RequestPayloadError(sentence))
        body.feed_eof()
        self.close()

    def _stop(self, timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """
        Refuse what aiohttp could not read; nothing of it is repeated, for it may hold a secret.

        Raises:
            ConnectionError: a part of the answer has gone out already.
        """
        del message
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer has gone out already")
        _log.warning("unreadable_request", status=status, error=type(exc).__name__)
        response = web.Response(text=_words(status), status=status, headers=_HEADERS)
        response.content_type = "application/json"
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; what aiohttp refuses on its own (`Expect: nonsense`) is put into JSON."""
        if isinstance(resp, web.HTTPExpectationFailed):
            sentence = f"{resp.reason}: only Expect: 100-continue is allowed; leave the header out"
            resp = web.json_response({"error": sentence}, status=resp.status, headers=_HEADERS)
        return await super().finish_response(request, resp, start_time)


def _words(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return json.dumps({"error": "firedamp itself is in trouble; its log says more"})
    return json.dumps(
        {
            "error": "this is no valid HTTP/1.1 request, or a line of its head has more than "
            f"{_LINE_BYTES:,} bytes, or there are more than {_HEADER_LINES} headers, the most allowed; "
            "mend it or send less"
        }
    )


def _raw(status: HTTPStatus, sentence: str) -> bytes:
    body = json.dumps({"error": sentence}).encode()
    head = {**_HEADERS, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {text}" for name, text in head.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Address:
    """Where the application answers."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@asynccontextmanager
async def serving(
    app: web.Application, limits: Limits, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Address]:
    """
    Serve until the context ends; then stop listening, finish what was begun, and close.

    Raises:
        OSError: the address is taken or not ours.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: _connection(runner, limits, loop), host, port)
        try:
            yield _address(listener)
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def _connection(runner: web.AppRunner, limits: Limits, loop: asyncio.AbstractEventLoop) -> GuardedHandler:
    manager = runner.server
    if manager is None:
        raise ConnectionError("the server is being closed")
    return GuardedHandler(manager, limits=limits, loop=loop)


def _address(listener: asyncio.Server) -> Address:
    name: tuple[Any, ...] = listener.sockets[0].getsockname()
    return Address(str(name[0]), int(name[1]))
