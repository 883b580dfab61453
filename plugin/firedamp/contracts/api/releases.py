"""Releases and their looks."""

from aiohttp import web

from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, namespaces, query
from firedamp.model import Release

_TIMELINE_LOOKS = 500
_LOOKS_PER_ANSWER = 1 << 20


class Releases(Room):
    """The list, one release, its looks."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        a, c, op = answers, calls, Operation
        return [
            (op("GET", "/releases", "viewer", a.ReleasePage, query=c.ReleasesCall), self.releases),
            (op("GET", "/releases/{id}", "viewer", a.ReleaseDetail), self.release),
            (op("GET", "/releases/{id}/looks", "viewer", a.LookPage, query=c.LooksCall), self.looks),
        ]

    async def releases(self, request: web.Request) -> answers.ReleasePage:
        call = query(calls.ReleasesCall, request)
        found: list[Release] = []
        for namespace in namespaces(request, call.namespace):
            found += await self.store.releases(
                namespace=namespace, service=call.service, before=call.before, limit=call.limit
            )
        page = sorted(found, key=lambda release: -release.id)[: call.limit]
        return answers.ReleasePage(
            releases=[rendering.release_answer(release, self.settings.public_url) for release in page],
            next=page[-1].id if len(page) == call.limit else None,
        )

    async def release(self, request: web.Request) -> answers.ReleaseDetail:
        release = await self.release_of(request)
        last = await self.store.last_look(release.id)
        newest = last.evidence.block.index if last else 0
        looks = await self.store.looks(release.id, after=newest - _TIMELINE_LOOKS)
        return rendering.release_detail(release, last, looks, self.settings.public_url)

    async def looks(self, request: web.Request) -> answers.LookPage:
        release = await self.release_of(request)
        call = query(calls.LooksCall, request)
        after = -1 if call.after is None else min(call.after, _LOOKS_PER_ANSWER)
        page = await self.store.looks(release.id, after=after, limit=call.limit)
        return answers.LookPage(
            looks=[rendering.look_answer(look) for look in page],
            next=page[-1].evidence.block.index if len(page) == call.limit else None,
        )
