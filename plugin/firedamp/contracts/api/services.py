"""The services of the settings."""

from aiohttp import web

from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, namespaces, query


class Services(Room):
    """What is judged, and by which checks."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        operation = Operation("GET", "/services", "viewer", answers.ServiceList, query=calls.NamespaceCall)
        return [(operation, self.services)]

    async def services(self, request: web.Request) -> answers.ServiceList:
        call = query(calls.NamespaceCall, request)
        wanted = namespaces(request, call.namespace)
        mine = [one for one in self.settings.services if None in wanted or one.namespace in wanted]
        return answers.ServiceList(
            services=[rendering.service_answer(service) for service in mine],
            by_default=bool(self.settings.defaults.checks),
        )
