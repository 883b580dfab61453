"""The page of all releases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from firedamp.errors import AskError
from firedamp.judge.silent import silent
from firedamp.model import Controller, Judged, Outcome, Release
from firedamp.ports import Gate, Wanted
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site, asked, number
from firedamp.ui.wording import releases as wording

_ROWS = 50


@dataclass(frozen=True, slots=True)
class ReleasesViews:
    """The list."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.releases)]

    async def releases(self, request: web.Request) -> web.Response:
        site, query = self.site, asked(request, (*wording.FILTERS, "before", "after"))
        found = await self._found(wanted(query, site.namespaces(request, query["namespace"])), query)
        twin = wording.address("/api/v1/releases", query)
        shown = wording.listing(
            site.shell(request, "Releases", section="/", twin=twin),
            found,
            query,
            now=site.clock(),
            url=site.url(request),
            services=(one.name for one in site.services(request)),
        )
        return page("releases.html", shown)

    async def _found(self, wanted: Wanted, query: Mapping[str, str]) -> wording.Page:
        store = self.site.store
        before, after = _place(query, "before"), _place(query, "after")
        found = await store.listed(wanted, before=before, after=after, limit=_ROWS + 1)
        beyond = len(found) > _ROWS
        shown = found[-_ROWS:] if after is not None else found[:_ROWS]
        return wording.Page(
            shown,
            await store.labels([release.id for release in shown]),
            await silent(store, shown),
            await self._orders(shown),
            newer=beyond if after is not None else before is not None,
            older=beyond if after is None else True,
        )

    async def _orders(self, releases: Sequence[Release]) -> Sequence[Gate]:
        namespaces = {release.key.namespace for release in releases if release.ended is None}
        if not namespaces:
            return ()
        return await self.site.store.switches(sorted(namespaces), since=self.site.clock())


def wanted(query: Mapping[str, str], namespaces: Sequence[str | None]) -> Wanted:
    """
    What the filters of an address mean.

    Raises:
        AskError: one of them means nothing.
    """
    return Wanted(
        namespaces=tuple(one for one in namespaces if one is not None),
        service=query["service"] or None,
        verdict=Outcome(text) if (text := _one_of(query, "verdict", list(Outcome))) else None,
        controller=Controller(text) if (text := _one_of(query, "controller", list(Controller))) else None,
        running={"running": True, "ended": False}.get(_one_of(query, "state", ["running", "ended"])),
        label=Judged(text) if (text := _one_of(query, "label", list(Judged))) else None,
        since=_moment(query, "since"),
        until=_moment(query, "until"),
    )


def _one_of(query: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    if query[name] and query[name] not in known:
        raise AskError(f"{name} is {query[name][:40]!r}: {', '.join(known)} are known; choose one of them")
    return query[name]


def _moment(query: Mapping[str, str], name: str) -> float | None:
    """A time as forms send it (without a zone, meaning UTC) or as programs write it."""
    if not query[name]:
        return None
    try:
        moment = datetime.fromisoformat(query[name])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise AskError(f"{name} is {query[name][:40]!r}; write a time in UTC like 2026-11-22T03:00") from None


def _place(query: Mapping[str, str], name: str) -> int | None:
    return number(query[name], name) if query[name] else None
