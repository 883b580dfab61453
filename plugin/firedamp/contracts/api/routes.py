"""Handlers of the API: read, ask the judge or the store, answer."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from firedamp.config import Settings
from firedamp.contracts import _wire
from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation, document
from firedamp.errors import AskError, ForbiddenError, NotFoundError
from firedamp.model import Ask, Controller, Question, Release
from firedamp.ports import Event, Gate, Judging, Store, Token

Call = TypeVar("Call", bound=BaseModel)
#: Whether a token's role is at least this one.
May = Callable[[Token, str], bool]
Handler = Callable[[web.Request], Awaitable[BaseModel]]

_TIMELINE_LOOKS = 500
_LOOKS_PER_ANSWER = 1 << 20
_JSON = "application/json"


def routes(
    judge: Judging, store: Store, settings: Settings, *, may: May, clock: Callable[[], float] = time.time
) -> list[web.RouteDef]:
    """The addresses of the API, and the document that describes them."""
    api = _Api(_wire.desk(judge, settings.limits), store, settings, may, clock)
    table = api.table()
    described = document([operation for operation, _ in table])
    return [
        *(web.route(one.method, one.path, partial(api.answered, one, handler)) for one, handler in table),
        web.get("/api/v1/openapi.json", partial(_document, described)),
    ]


async def _document(described: dict[str, object], request: web.Request) -> web.Response:
    del request
    return _wire.json_answer(described)


@dataclass(frozen=True, slots=True)
class _Api:
    desk: _wire.Desk
    store: Store
    settings: Settings
    may: May
    clock: Callable[[], float]

    def table(self) -> list[tuple[Operation, Handler]]:
        """Every address with what it takes, what it answers, and the role that it needs."""
        a, c, op = answers, calls, Operation
        return [
            (op("POST", "/judge", "asker", a.VerdictAnswer, body=c.JudgeCall), self.judge),
            (op("GET", "/releases", "asker", a.ReleasePage, query=c.ReleasesCall), self.releases),
            (op("GET", "/releases/{id}", "asker", a.ReleaseDetail), self.release),
            (op("GET", "/releases/{id}/looks", "asker", a.LookPage, query=c.LooksCall), self.looks),
            (op("POST", "/outcomes", "gatekeeper", a.OutcomeAnswer, body=c.OutcomeCall), self.outcome),
            (op("GET", "/services", "asker", a.ServiceList, query=c.NamespaceCall), self.services),
            (op("GET", "/gates", "asker", a.GateList, query=c.NamespaceCall), self.gates),
            (op("PUT", "/gates", "gatekeeper", a.GateAnswer, body=c.GateCall), self.set_gate),
            (op("PUT", "/holds", "gatekeeper", a.GateAnswer, body=c.HoldCall), self.hold),
            (op("DELETE", "/holds", "gatekeeper", a.GateAnswer, query=c.LiftCall), self.lift),
            (op("GET", "/events", "asker", a.EventList, query=c.EventsCall), self.events),
        ]

    async def answered(self, operation: Operation, handler: Handler, request: web.Request) -> web.Response:
        """Check the role, answer, and say in words what was wrong with the question."""
        try:
            self._role(request, operation.role)
            answer = await handler(request)
        except AskError as error:
            return _wire.refused_json(error)
        text = answer.model_dump_json(exclude_none=True)
        return web.Response(text=text, content_type=_JSON, headers={"Cache-Control": "no-store"})

    def _role(self, request: web.Request, role: str) -> None:
        token = request[_wire.TOKEN]
        if not self.may(token, role):
            raise ForbiddenError(
                f"token {_wire.shown(token.name)} has role {token.role!r}: {role!r} is needed here; "
                "use a token with that role"
            )

    async def judge(self, request: web.Request) -> answers.VerdictAnswer:
        call = await self._body(calls.JudgeCall, request)
        _wire.within(request, call.namespace)
        ask = Ask(
            namespace=call.namespace,
            service=call.service,
            question=Question(call.question),
            controller=Controller.API,
            revision=call.revision or None,
            arms=call.cohorts.named(),
            weight=call.weight,
            step=call.step or None,
            experiment=call.experiment,
        )
        return rendering.verdict_answer(await self.desk.answer(ask, self.clock()), self.settings.public_url)

    async def releases(self, request: web.Request) -> answers.ReleasePage:
        call = _query(calls.ReleasesCall, request)
        found: list[Release] = []
        for namespace in _namespaces(request, call.namespace):
            found += await self.store.releases(
                namespace=namespace, service=call.service, before=call.before, limit=call.limit
            )
        page = sorted(found, key=lambda release: -release.id)[: call.limit]
        return answers.ReleasePage(
            releases=[rendering.release_answer(release, self.settings.public_url) for release in page],
            next=page[-1].id if len(page) == call.limit else None,
        )

    async def release(self, request: web.Request) -> answers.ReleaseDetail:
        release = await self._release(request)
        last = await self.store.last_look(release.id)
        newest = last.evidence.block.index if last else 0
        looks = await self.store.looks(release.id, after=newest - _TIMELINE_LOOKS)
        return rendering.release_detail(release, last, looks, self.settings.public_url)

    async def looks(self, request: web.Request) -> answers.LookPage:
        release = await self._release(request)
        call = _query(calls.LooksCall, request)
        after = -1 if call.after is None else min(call.after, _LOOKS_PER_ANSWER)
        page = await self.store.looks(release.id, after=after, limit=call.limit)
        return answers.LookPage(
            looks=[rendering.look_answer(look) for look in page],
            next=page[-1].evidence.block.index if len(page) == call.limit else None,
        )

    async def outcome(self, request: web.Request) -> answers.OutcomeAnswer:
        call = await self._body(calls.OutcomeCall, request)
        _wire.within(request, call.namespace)
        release = await self.desk.ended(
            call.namespace,
            call.service,
            call.revision or None,
            outcome=call.outcome,
            by=_by(request),
            now=self.clock(),
        )
        if release is None:
            which = f" {_wire.shown(call.revision)}" if call.revision else ""
            raise NotFoundError(
                f"no release{which} of {call.namespace}/{call.service} is known: "
                "only a release that was asked about can end; see /api/v1/releases"
            )
        return answers.OutcomeAnswer(release=rendering.release_answer(release, self.settings.public_url))

    async def services(self, request: web.Request) -> answers.ServiceList:
        call = _query(calls.NamespaceCall, request)
        wanted = _namespaces(request, call.namespace)
        mine = [one for one in self.settings.services if None in wanted or one.namespace in wanted]
        return answers.ServiceList(
            services=[rendering.service_answer(service) for service in mine],
            by_default=bool(self.settings.defaults.checks),
        )

    async def gates(self, request: web.Request) -> answers.GateList:
        call = _query(calls.NamespaceCall, request)
        found: list[Gate] = []
        for namespace in _namespaces(request, call.namespace):
            found += await self.store.gates(namespace)
        return answers.GateList(gates=[rendering.gate_answer(gate) for gate in found])

    async def set_gate(self, request: web.Request) -> answers.GateAnswer:
        call = await self._body(calls.GateCall, request)
        return await self._switch(request, call, call.hook, call.revision, is_open=call.open)

    async def hold(self, request: web.Request) -> answers.GateAnswer:
        call = await self._body(calls.HoldCall, request)
        return await self._switch(request, call, call.mode, "", is_open=True)

    async def lift(self, request: web.Request) -> answers.GateAnswer:
        call = _query(calls.LiftCall, request)
        return await self._switch(request, call, call.mode, "", is_open=False)

    async def _switch(
        self,
        request: web.Request,
        call: calls.GateCall | calls.HoldCall | calls.LiftCall,
        hook: str,
        revision: str,
        *,
        is_open: bool,
    ) -> answers.GateAnswer:
        _wire.within(request, call.namespace)
        now = self.clock()
        gate = Gate(
            namespace=call.namespace,
            service=call.service,
            hook=hook,
            revision=revision,
            is_open=is_open,
            expires=now + getattr(call, "expires", 0.0),
            by=_by(request),
            at=now,
            note=getattr(call, "note", ""),
        )
        await self.store.set_gate(gate)
        return rendering.gate_answer(gate)

    async def events(self, request: web.Request) -> answers.EventList:
        call = _query(calls.EventsCall, request)
        found: list[Event] = []
        for namespace in _namespaces(request, call.namespace):
            found += await self.store.events(
                namespace=namespace, service=call.service, revision=call.revision, limit=call.limit
            )
        newest = sorted(found, key=lambda event: -event.at)[: call.limit]
        return answers.EventList(events=[rendering.event_answer(event) for event in newest])

    async def _release(self, request: web.Request) -> Release:
        text = request.match_info["id"]
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else 0
        release = await self.store.release(number)
        if release is None:
            raise NotFoundError(
                f"release {_wire.shown(text)} is not known: ids are whole numbers; see /api/v1/releases"
            )
        _wire.within(request, release.key.namespace)
        return release

    async def _body(self, call: type[Call], request: web.Request) -> Call:
        if query := request.rel_url.raw_query_string:
            raise AskError(
                f"query {_wire.shown(query)} stands beside a body: only the body is read; move it there"
            )
        _wire.content_type(request, _JSON)
        return _wire.read(call, _wire.from_json(await _wire.body(request, self.settings.limits.body_bytes)))


def _query(call: type[Call], request: web.Request) -> Call:
    return _wire.read(call, _wire.from_query(request.rel_url.raw_query_string))


def _namespaces(request: web.Request, wanted: str | None) -> Sequence[str | None]:
    """The namespaces to look in: the one asked for, else those of the token, else all (None)."""
    if wanted is not None:
        _wire.within(request, wanted)
        return [wanted]
    token = request[_wire.TOKEN]
    return token.namespaces or [None]


def _by(request: web.Request) -> str:
    token = request[_wire.TOKEN]
    return token.name
