"""
The address: who may send what, how much at once, and when to come again.

Requests are inflated and read by one thread of our own, in the order in which they came; many waiting for it
are too many. Limits are those of 16 MiB per request, plain or inflated (the specification recommends 64 MiB;
a collector's batch of 8,192 spans has about 4), and 64 MiB for all requests that are coming in.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from firedamp.contracts import _wire
from firedamp.contracts.otlp import answers
from firedamp.contracts.otlp.bodies import Room, busy, encoding, inflated
from firedamp.contracts.otlp.reading import Read, Reader
from firedamp.errors import AskError, ForbiddenError
from firedamp.tracing.intake import Interest, Keeping, Row

_MEBIBYTE = 1 << 20


class Intake(Protocol):
    """Where spans go."""

    interest: Interest
    keeping: Keeping

    async def take(self, rows: Sequence[Row], elsewhen: int = 0, nameless: int = 0) -> None:
        """Remember spans; when this returns they may be acknowledged."""
        ...


@dataclass(frozen=True, slots=True)
class Most:
    """
    How much is taken.

    Attributes:
        body_bytes: of a request, as sent and again when inflated.
        held_bytes: of all requests together that are coming in.
        waiting: requests that have come in and are not yet read.
    """

    body_bytes: int = 16 * _MEBIBYTE
    held_bytes: int = 64 * _MEBIBYTE
    waiting: int = 16


_USUAL = Most()


class Receiver:
    """
    The addresses of this contract; `close` ends its thread.

    Args:
        intake: where spans go.
        most: how much is taken.
        clock: Unix seconds.
    """

    def __init__(
        self, intake: Intake, most: Most = _USUAL, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._intake = intake
        self._most = most
        self._clock = clock
        self._reader = Reader(intake.interest, intake.keeping)
        self._room = Room(most.held_bytes)
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "otlp")

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/traces", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """Take a request's spans, or say why not."""
        kind = request.content_type
        try:
            _allowed(request)
            read = await self._read(request, kind)
        except AskError as error:
            return answers.refused(kind, error)
        await self._intake.take(read.rows, read.elsewhen, read.nameless)
        return answers.accepted(kind, read.told(self._intake.keeping))

    def close(self) -> None:
        """Take no more; what is being read is finished."""
        self._thread.shutdown()

    async def _read(self, request: web.Request, kind: str) -> Read:
        packing = encoding(request)
        data = await self._room.body(request, self._most.body_bytes)
        if self._waiting >= self._most.waiting:
            raise busy(f"{self._waiting} requests are waiting to be read, the most allowed")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._understood, data, packing, kind)
        finally:
            self._waiting -= 1

    def _understood(self, data: bytes, packing: str, kind: str) -> Read:
        plain = inflated(data, self._most.body_bytes) if packing == "gzip" else data
        try:
            return self._reader.read(kind, plain, self._clock())
        except ValueError as error:
            raise _wire.RefusedError(
                f"the body is no ExportTraceServiceRequest in {kind}: {error}; send what the type says"
            ) from error


def _allowed(request: web.Request) -> None:
    """
    Hold the sender to types, and to a token that is good for everything.

    Raises:
        RefusedError: the body is of another type.
        ForbiddenError: the token is bound to namespaces; spans are of all of them.
    """
    token = request.get(_wire.TOKEN)
    if token is not None and token.namespaces:
        raise ForbiddenError(
            f"the token is bound to {', '.join(token.namespaces)}: spans come from everywhere; "
            "use a token without namespaces"
        )
    if request.content_type not in (answers.PROTOBUF, answers.JSON):
        written = _wire.shown(request.headers.get("Content-Type", ""))
        raise _wire.RefusedError(
            f"Content-Type is {written}: {answers.PROTOBUF} and {answers.JSON} are read; send one of them",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
