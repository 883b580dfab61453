"""
A small Kubernetes API: Rollouts, Canaries and events of one cluster, over HTTP.

It keeps what the real one does with them: names once per namespace, pages with a mark where the next one
begins, merge patches by their content type only, an event in the namespace of what it is about, and no answer
without the right token.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Object = dict[str, Any]
TOKEN = "eyJ-the-token-of-a-service-account"


@dataclass
class FakeKubernetes:
    """
    Attributes:
        token: that everybody has to show; None where nobody has to.
        installed: kinds that there are, as addresses have them.
        trouble: statuses that the next calls are answered with instead, in turn.
        forgetful: an event expires at the moment in which its name is taken.
        delay_seconds: how long each answer takes.
        calls: method and address of each call, in order.
    """

    token: str | None = TOKEN
    installed: set[str] = field(default_factory=lambda: {"rollouts", "canaries"})
    trouble: list[int] = field(default_factory=list)
    forgetful: bool = False
    delay_seconds: float = 0.0
    calls: list[tuple[str, str]] = field(default_factory=list)
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    events: dict[tuple[str, str], Object] = field(default_factory=dict)

    def has(self, plural: str, name: str, namespace: str = "shop", **parts: Object) -> None:
        """There is an object with these parts."""
        metadata = {"name": name, "namespace": namespace, "uid": f"uid-of-{name}", "resourceVersion": "7"}
        self.objects[plural, namespace, name] = {"metadata": metadata, **parts}

    def routes(self) -> list[web.RouteDef]:
        objects = "/apis/{group}/{version}/namespaces/{namespace}/{plural}"
        events = "/api/v1/namespaces/{namespace}/events"
        return [
            web.get(objects, self._list),
            web.get(objects + "/{name}", self._get),
            web.post(events, self._create),
            web.patch(events + "/{name}", self._patch),
        ]

    @web.middleware
    async def guarding(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Everybody needs the token, and trouble strikes before anything is done."""
        self.calls.append((request.method, request.path))
        await asyncio.sleep(self.delay_seconds)
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized")
        if self.trouble:
            answer = _status(self.trouble.pop(0), "etcdserver: request timed out")
            answer.headers["Location"] = request.path
            return answer
        return await handler(request)

    async def _list(self, request: web.Request) -> web.Response:
        plural, namespace = request.match_info["plural"], request.match_info["namespace"]
        if plural not in self.installed:
            return web.Response(status=404, text="404 page not found")
        found = [one for key, one in sorted(self.objects.items()) if key[:2] == (plural, namespace)]
        begin, limit = int(request.query.get("continue", "0")), int(request.query["limit"])
        after = str(begin + limit) if begin + limit < len(found) else ""
        return web.json_response({"items": found[begin : begin + limit], "metadata": {"continue": after}})

    async def _get(self, request: web.Request) -> web.Response:
        place = tuple(request.match_info[key] for key in ("plural", "namespace", "name"))
        found = self.objects.get(place)
        return web.json_response(found) if found else _status(404, f'"{place[2]}" not found')

    async def _create(self, request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        namespace, name = request.match_info["namespace"], event["metadata"]["name"]
        if namespace != event["involvedObject"]["namespace"] or namespace != event["metadata"]["namespace"]:
            return _status(422, "involvedObject.namespace: Invalid value: does not match event.namespace")
        if (namespace, name) in self.events:
            if self.forgetful:
                del self.events[namespace, name]
            return _status(409, f'events "{name}" already exists')
        self.events[namespace, name] = event
        return web.json_response(event, status=201)

    async def _patch(self, request: web.Request) -> web.Response:
        if request.content_type != "application/merge-patch+json":
            return _status(415, f"the body of the request was in an unknown format: {request.content_type}")
        place = (request.match_info["namespace"], request.match_info["name"])
        if place not in self.events:
            return _status(404, f'events "{place[1]}" not found')
        self.events[place] |= json.loads(await request.read())
        return web.json_response(self.events[place])


def _status(code: int, message: str) -> web.Response:
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(told, status=code)


@asynccontextmanager
async def listening(cluster: FakeKubernetes, trust: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its address, while it listens; encrypted where there is a context."""
    app = web.Application(middlewares=[cluster.guarding])
    app.add_routes(cluster.routes())
    server = TestServer(app, scheme="https" if trust else "http")
    await server.start_server(ssl=trust)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()
