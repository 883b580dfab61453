"""The page of all releases."""

from dataclasses import dataclass

from aiohttp import web

from firedamp.model import Release
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site, asked, number
from firedamp.ui.wording import releases as wording

_ROWS = 50
_FILTERS = ("namespace", "service", "before")


@dataclass(frozen=True, slots=True)
class ReleasesViews:
    """The list."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.releases)]

    async def releases(self, request: web.Request) -> web.Response:
        site, filters = self.site, asked(request, _FILTERS)
        before = number(filters["before"], "before") if filters["before"] else None
        found: list[Release] = []
        for namespace in site.namespaces(request, filters["namespace"]):
            found += await site.store.releases(
                namespace=namespace, service=filters["service"] or None, before=before, limit=_ROWS + 1
            )
        newest = sorted(found, key=lambda release: -release.id)
        shown = wording.listing(
            site.shell(request, "Releases", section="/", twin=wording.twin(filters)),
            newest[:_ROWS],
            filters,
            more=len(newest) > _ROWS,
            now=site.clock(),
            url=site.url(request),
        )
        return page("releases.html", shown)
