"""Gates, holds and kill switches: what a person may order by hand."""

from aiohttp import web

from firedamp.contracts import _wire
from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, by, namespaces, query
from firedamp.ports import Gate


class Gates(Room):
    """Switches, each with its end."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        a, c, op = answers, calls, Operation
        return [
            (op("GET", "/gates", "viewer", a.GateList, query=c.GatesCall), self.gates),
            (op("PUT", "/gates", "ruler", a.GateAnswer, body=c.GateCall), self.set_gate),
            (op("PUT", "/holds", "ruler", a.GateAnswer, body=c.HoldCall), self.hold),
            (op("DELETE", "/holds", "ruler", a.GateAnswer, query=c.LiftCall), self.lift),
        ]

    async def gates(self, request: web.Request) -> answers.GateList:
        call = query(calls.GatesCall, request)
        names = [one for one in namespaces(request, call.namespace) if one is not None]
        found = await self.store.switches(
            names, service=call.service, since=self.clock(), limit=call.limit + 1
        )
        told = [rendering.gate_answer(gate) for gate in found[: call.limit]]
        return answers.GateList(gates=told, more=len(found) > len(told))

    async def set_gate(self, request: web.Request) -> answers.GateAnswer:
        call = await self.body(calls.GateCall, request)
        return await self._switch(request, call, call.hook, call.revision, is_open=call.open)

    async def hold(self, request: web.Request) -> answers.GateAnswer:
        call = await self.body(calls.HoldCall, request)
        return await self._switch(request, call, call.mode, "", is_open=True)

    async def lift(self, request: web.Request) -> answers.GateAnswer:
        call = query(calls.LiftCall, request)
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
            by=by(request),
            at=now,
            note=getattr(call, "note", ""),
        )
        await self.store.set_gate(gate)
        return rendering.gate_answer(gate)
