"""
What the rooms of the API have in common: who asks, what they sent, and what a handler may use.

A room is one subject (releases, gates, ...): a module with its own table of operations and their handlers.
`routes` joins the tables and asks for roles, so that a room reads, acts and answers, and nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.contracts.api.openapi import Operation
from firedamp.errors import AskError, NotFoundError
from firedamp.model import Release
from firedamp.ports import Store

JSON = "application/json"

Call = TypeVar("Call", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[BaseModel]]
#: An address with what it takes, what it answers and the role that it needs; and who answers there.
Row = tuple[Operation, Handler]


@dataclass(frozen=True, slots=True)
class Room(ABC):
    """What a room works with; each gives its rows."""

    desk: _wire.Desk
    store: Store
    settings: Settings
    clock: Callable[[], float]

    @abstractmethod
    def rows(self) -> list[Row]:
        """The room's table."""

    async def body(self, call: type[Call], request: web.Request) -> Call:
        """A call out of a body of JSON."""
        if query := request.rel_url.raw_query_string:
            raise AskError(
                f"query {_wire.shown(query)} stands beside a body: only the body is read; move it there"
            )
        _wire.content_type(request, JSON)
        return _wire.read(call, _wire.from_json(await _wire.body(request, self.settings.limits.body_bytes)))

    async def release_of(self, request: web.Request) -> Release:
        """The release of the address, where the token is good for its namespace."""
        text = request.match_info["id"]
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else 0
        release = await self.store.release(number)
        mine = request[_wire.TOKEN].namespaces
        # Whether somebody else has a release of this number is theirs to know.
        if release is None or (mine and release.key.namespace not in mine):
            raise NotFoundError(
                f"release {_wire.shown(text)} is not known here: ids are whole numbers, and a token may be "
                "bound to other namespaces; see /api/v1/releases"
            )
        return release


def query(call: type[Call], request: web.Request) -> Call:
    """A call out of the address."""
    return _wire.read(call, _wire.from_query(request.rel_url.raw_query_string))


def namespaces(request: web.Request, wanted: str | None) -> Sequence[str | None]:
    """The namespaces to look in: the one asked for, else those of the token, else all (None)."""
    if wanted is not None:
        _wire.within(request, wanted)
        return [wanted]
    token = request[_wire.TOKEN]
    return token.namespaces or [None]


def by(request: web.Request) -> str:
    """Who asks, as the audit trail names them."""
    token = request[_wire.TOKEN]
    return token.name
