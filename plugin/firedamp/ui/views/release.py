"""The page of one release."""

from dataclasses import dataclass

from aiohttp import web

from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site
from firedamp.ui.wording import release as wording

_LOOKS = 500
_NOTES = 50


@dataclass(frozen=True, slots=True)
class ReleaseViews:
    """One release: its verdict, its checks, its looks."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/releases/{id}", self.release)]

    async def release(self, request: web.Request) -> web.Response:
        site = self.site
        release = await site.release(request)
        last = await site.store.last_look(release.id)
        newest = last.evidence.block.index if last else 0
        looks = await site.store.looks(release.id, after=newest - _LOOKS)
        key = release.key
        events = await site.store.events(
            namespace=key.namespace, service=key.service, revision=key.revision, limit=_NOTES
        )
        shell = site.shell(
            request, wording.title(release), section="/", twin=f"/api/v1/releases/{release.id}"
        )
        return page("release.html", wording.detail(shell, release, looks, events, now=site.clock()))
