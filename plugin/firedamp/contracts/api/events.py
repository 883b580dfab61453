"""The audit trail."""

from aiohttp import web

from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, namespaces, query
from firedamp.ports import Event


class Events(Room):
    """What people and programs did, newest first."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        return [
            (Operation("GET", "/events", "viewer", answers.EventList, query=calls.EventsCall), self.events)
        ]

    async def events(self, request: web.Request) -> answers.EventList:
        call = query(calls.EventsCall, request)
        found: list[Event] = []
        for namespace in namespaces(request, call.namespace):
            found += await self.store.events(
                namespace=namespace, service=call.service, revision=call.revision, limit=call.limit
            )
        newest = sorted(found, key=lambda event: -event.at)[: call.limit]
        return answers.EventList(events=[rendering.event_answer(event) for event in newest])
