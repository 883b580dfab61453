"""
Gates for people, at the paths and with the answers of Flagger's load tester.

    gate/approve   200 OK          rollback/check   200 Approved, 403 Forbidden
    gate/halt      403 Forbidden   rollback/open    202
    gate/check     200 Approved, 403 Forbidden      rollback/close   202
    gate/open, gate/close          202

(flagger v1.44.0, pkg/loadtester/server.go:34-240.) Other than there, a gate belongs to one hook type and,
where one is given, one revision; it is kept in the store, closes by itself and is audited with who did it.
Closed is what nobody opened. An open rollback gate is a person's order.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

from aiohttp import web
from pydantic import AfterValidator

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.errors import AskError, NotFoundError
from firedamp.ports import Gate, GatedHook, Store, Token
from firedamp.units import seconds

_HOOKS: tuple[str, ...] = get_args(GatedHook)
_ROLLBACK = "rollback"
_DAY_SECONDS = 86400.0
_LONGEST_SECONDS = 30 * _DAY_SECONDS
_APPROVED = 200, "Approved"
_FORBIDDEN = 403, "Forbidden"

Answer = tuple[int, str]
#: Raises ForbiddenError where a token's role does not include this one.
Permitted = Callable[[Token, str], None]


def _hook(text: str) -> str:
    if text not in _HOOKS:
        raise ValueError(f"allowed are {', '.join(_HOOKS)}; for rollback use the addresses below /rollback")
    return text


def _expires(text: str) -> str:
    wrong = "a duration above 0 and of at most 30d is allowed; write it like 30m or 24h"
    try:
        lasting = seconds(text)
    except ValueError:
        raise ValueError(wrong) from None
    if not 0 < lasting <= _LONGEST_SECONDS:
        raise ValueError(wrong)
    return text


class Query(_wire.Body):
    """What may stand in the address; it goes before what the body says."""

    name: _wire.Name | None = None
    namespace: _wire.Name | None = None
    hook: Annotated[str, AfterValidator(_hook)] | None = None
    revision: _wire.Label | None = None
    expires: Annotated[str, AfterValidator(_expires)] | None = None


class Order(_wire.Body):
    """Which gate is meant, from address and body together."""

    name: _wire.Name
    namespace: _wire.Name
    hook: Annotated[str, AfterValidator(_hook)] = "*"
    revision: _wire.Label = ""
    expires: Annotated[str, AfterValidator(_expires)] = "24h"


@dataclass(frozen=True, slots=True)
class Call:
    """One call, understood."""

    order: Order
    hook: str
    token: Token
    now: float

    def concerns(self, gate: Gate) -> bool:
        """Whether closing means this gate too: afterwards nothing may answer for what was closed."""
        if (gate.namespace, gate.service) != (self.order.namespace, self.order.name):
            return False
        return self._is_hook(gate.hook) and (
            not self.order.revision or gate.revision in (self.order.revision, "")
        )

    def _is_hook(self, hook: str) -> bool:
        if self.hook == "*":
            return hook in _HOOKS
        return hook == self.hook or (hook == "*" and self.hook != _ROLLBACK)

    def gate(self, *, is_open: bool) -> Gate:
        return Gate(
            namespace=self.order.namespace,
            service=self.order.name,
            hook=self.hook,
            revision=self.order.revision,
            is_open=is_open,
            expires=self.now + seconds(self.order.expires),
            by=self.token.name,
            at=self.now,
        )


def routes(
    store: Store,
    settings: Settings,
    grants: _wire.Grants,
    *,
    permitted: Permitted,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The addresses of this contract; `grants` finds the token of a path secret and a namespace."""
    contract = _Gates(store, settings, grants, permitted, clock)
    return [
        web.route("*", "/flagger/v1/{secret}/{kind:gate|rollback}/{action}", contract.handle),
    ]


@dataclass(frozen=True, slots=True)
class _Gates:
    store: Store
    settings: Settings
    grants: _wire.Grants
    permitted: Permitted
    clock: Callable[[], float]

    async def handle(self, request: web.Request) -> web.Response:
        return await _wire.safely(
            self._answer(request),
            refuse=_refused,
            # Closed is the safe side of every gate, the rollback gate included.
            instead=lambda: _wire.text_answer(
                "Forbidden: firedamp itself is in trouble; its log says more", 403
            ),
            route="gates",
        )

    async def _answer(self, request: web.Request) -> web.Response:
        kind, action = request.match_info["kind"], request.match_info["action"]
        if (kind, action) in _CONSTANT:
            status, line = _CONSTANT[kind, action]
            return _wire.text_answer(line, status)
        answered = self._actions().get(action)
        if answered is None:
            known = ", ".join([*self._actions(), *(one for place, one in _CONSTANT if place == kind)])
            raise NotFoundError(
                f"{kind}/{_wire.shown(action)} is unknown: allowed are {known}; mend the address"
            )
        if action != "check":
            _wire.method(request, "POST", "PUT")
        status, line = await answered(await self._call(request, kind))
        return _wire.text_answer(line, status)

    def _actions(self) -> dict[str, Callable[[Call], Awaitable[Answer]]]:
        return {"check": self._check, "open": self._open, "close": self._close}

    async def _call(self, request: web.Request, kind: str) -> Call:
        query = _wire.read(Query, _wire.from_query(request.rel_url.raw_query_string))
        given = await self._body(request) | query.model_dump(exclude_none=True)
        if kind == _ROLLBACK and "hook" in given:
            shown = _wire.shown(given["hook"])
            raise _wire.RefusedError(f"hook is {shown}: none is allowed below /rollback; leave it out")
        order = _wire.read(Order, given)
        token = await _wire.admitted(self.grants, request, order.namespace)
        return Call(order, order.hook if kind == "gate" else _ROLLBACK, token, self.clock())

    async def _body(self, request: web.Request) -> dict[str, Any]:
        data = await _wire.body(request, self.settings.limits.body_bytes)
        if not data:
            return {}
        # No media type is asked for: people open gates with `curl -d`, which calls it a form.
        payload = _wire.read(_wire.Payload, _wire.from_json(data))
        told = {key: text for key, text in payload.metadata.items() if key in ("hook", "revision", "expires")}
        checksum = {"revision": payload.checksum} if payload.checksum else {}
        return {"name": payload.service, "namespace": payload.namespace} | checksum | told

    async def _check(self, call: Call) -> Answer:
        order = call.order
        gate = await self.store.gate(order.namespace, order.name, call.hook, order.revision, call.now)
        return _FORBIDDEN if gate is None else _APPROVED

    async def _open(self, call: Call) -> Answer:
        self.permitted(call.token, "ruler")
        gate = call.gate(is_open=True)
        await self.store.set_gate(gate)
        until = datetime.fromtimestamp(gate.expires, UTC).isoformat(timespec="seconds")
        return 202, f"open until {until}: {gate.hook} of {gate.namespace}/{gate.service}"

    async def _close(self, call: Call) -> Answer:
        self.permitted(call.token, "ruler")
        known = await self.store.gates(call.order.namespace)
        opened = [gate for gate in known if gate.is_open and call.concerns(gate)]
        closed = [replace(gate, is_open=False, by=call.token.name, at=call.now) for gate in opened]
        for gate in closed or [call.gate(is_open=False)]:
            await self.store.set_gate(gate)
        return 202, f"closed: {call.hook} of {call.order.namespace}/{call.order.name}"


#: Answers that need no gate and tell nothing.
_CONSTANT = {("gate", "approve"): (200, "OK"), ("gate", "halt"): _FORBIDDEN}


def _refused(error: AskError) -> web.Response:
    return _wire.text_answer(str(error), _wire.status_of(error), getattr(error, "allow", ""))
