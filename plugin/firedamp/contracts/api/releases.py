"""Releases and their looks."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from firedamp.contracts.api import answers, calls, rendering
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, namespaces, query
from firedamp.judge.browsing import browsed
from firedamp.judge.silent import silent
from firedamp.model import Controller, Judged, Outcome
from firedamp.ports import Wanted

_LOOKS_PER_ANSWER = 1 << 20
_EVENTS = 50
_RUNNING = {"running": True, "ended": False}


class Releases(Room):
    """The list, one release, its looks."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        a, c, op = answers, calls, Operation
        return [
            (op("GET", "/releases", "viewer", a.ReleasePage, query=c.ReleasesCall), self.releases),
            (op("GET", "/releases/{id}", "viewer", a.ReleaseDetail, query=c.LookCall), self.release),
            (op("GET", "/releases/{id}/looks", "viewer", a.LookPage, query=c.LooksCall), self.looks),
        ]

    async def releases(self, request: web.Request) -> answers.ReleasePage:
        call = query(calls.ReleasesCall, request)
        wanted = _wanted(call, namespaces(request, call.namespace))
        page = await self.store.listed(wanted, before=call.before, after=call.after, limit=call.limit)
        labels = await self.store.labels([release.id for release in page])
        url = self.settings.public_url
        return answers.ReleasePage(
            releases=[rendering.release_answer(one, url, labels.get(one.id)) for one in page],
            next=page[-1].id if len(page) == call.limit else None,
            troubles=list(await silent(self.store, page)),
        )

    async def release(self, request: web.Request) -> answers.ReleaseDetail:
        release = await self.release_of(request)
        call = query(calls.LookCall, request)
        found = await browsed(self.store, release, "" if call.look is None else str(call.look))
        key = release.key
        events = await self.store.events(
            namespace=key.namespace, service=key.service, revision=key.revision, limit=_EVENTS
        )
        told = await asyncio.to_thread(rendering.release_detail, found, self.settings.public_url)
        return told.model_copy(update={"events": [rendering.event_answer(one) for one in events]})

    async def looks(self, request: web.Request) -> answers.LookPage:
        release = await self.release_of(request)
        call = query(calls.LooksCall, request)
        after = -1 if call.after is None else min(call.after, _LOOKS_PER_ANSWER)
        page = await self.store.looks(release.id, after=after, limit=call.limit)
        rulings = await self.store.rulings(release.id)
        return answers.LookPage(
            looks=await asyncio.to_thread(lambda: [rendering.look_answer(look, rulings) for look in page]),
            next=page[-1].evidence.block.index if len(page) == call.limit else None,
        )


def _wanted(call: calls.ReleasesCall, namespaces: Sequence[str | None]) -> Wanted:
    return Wanted(
        namespaces=tuple(one for one in namespaces if one is not None),
        service=call.service,
        verdict=None if call.verdict is None else Outcome(call.verdict),
        controller=None if call.controller is None else Controller(call.controller),
        running=None if call.state is None else _RUNNING[call.state],
        label=None if call.label is None else Judged(call.label),
        since=call.since,
        until=call.until,
    )
