"""The addresses of the API: the tables of its rooms joined, roles asked for, troubles put into words."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.contracts.api.audit import Audit
from firedamp.contracts.api.checks import Checks
from firedamp.contracts.api.gates import Gates
from firedamp.contracts.api.health import Healths
from firedamp.contracts.api.openapi import Operation, document
from firedamp.contracts.api.releases import Releases
from firedamp.contracts.api.room import JSON, Handler, Room
from firedamp.contracts.api.rulings import Rulings
from firedamp.contracts.api.services import Services
from firedamp.contracts.api.tokens import Tokens
from firedamp.contracts.api.tuning import Tunings
from firedamp.contracts.api.verdicts import Outcomes, Verdicts
from firedamp.errors import AskError
from firedamp.judge.tuned import Tuning
from firedamp.ports import Judging, Office, Store, Token

#: Raises ForbiddenError where a token's role does not include this one.
Permitted = Callable[[Token, str], None]

#: In the order in which the document shows them.
ROOMS: tuple[type[Room], ...] = (
    Verdicts,
    Releases,
    Rulings,
    Checks,
    Outcomes,
    Services,
    Gates,
    Audit,
)


def routes(
    judge: Judging,
    store: Store,
    settings: Settings,
    *,
    permitted: Permitted,
    office: Office,
    tuning: Tuning,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The addresses of the API, and the document that describes them."""
    desk = _wire.desk(judge, settings.limits)
    rooms = [
        *(room(desk, store, settings, clock) for room in ROOMS),
        Tunings(desk, store, settings, clock, tuning),
        Tokens(desk, store, settings, clock, office.keys),
        Healths(desk, store, settings, clock, office.health),
    ]
    table = [row for room in rooms for row in room.rows()]
    described = document([operation for operation, _ in table])
    door = _Door(permitted)
    return [
        *(web.route(one.method, one.path, partial(door.answered, one, handler)) for one, handler in table),
        web.get("/api/v1/openapi.json", partial(_document, described)),
    ]


async def _document(described: dict[str, object], request: web.Request) -> web.Response:
    del request
    return _wire.json_answer(described)


@dataclass(frozen=True, slots=True)
class _Door:
    permitted: Permitted

    async def answered(self, operation: Operation, handler: Handler, request: web.Request) -> web.Response:
        """Check the role, answer, and say in words what was wrong with the question."""
        try:
            self.permitted(request[_wire.TOKEN], operation.role)
            answer = await handler(request)
        except AskError as error:
            return _wire.refused_json(error)
        text = answer.model_dump_json(exclude_none=True)
        return web.Response(text=text, content_type=JSON, headers={"Cache-Control": "no-store"})
