"""The page of one release, at its newest look or at an earlier one."""

from dataclasses import dataclass

from aiohttp import web

from firedamp.errors import NotFoundError
from firedamp.judge.browsing import browsed
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site, asked
from firedamp.ui.wording import release as wording
from firedamp.ui.wording.seen import seen

_NOTES = 50


@dataclass(frozen=True, slots=True)
class ReleaseViews:
    """One release: its verdict, its checks, its looks."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get(r"/releases/{id:[^/.]+}", self.release)]

    async def release(self, request: web.Request) -> web.Response:
        site, wanted = self.site, asked(request, ("look", "check"))
        release = await site.release(request)
        found = await browsed(site.store, release, wanted["look"])
        check = wanted["check"]
        if check and found.finding(check) is None:
            raise NotFoundError(
                f"check {check[:80]!r} says nothing at this look; the release's page has them all"
            )
        key = release.key
        events = await site.store.events(
            namespace=key.namespace, service=key.service, revision=key.revision, limit=_NOTES
        )
        shell = site.shell(
            request, wording.title(release), section="/", twin=f"/api/v1/releases/{release.id}"
        )
        shown = seen(found, only=check, links=site.settings.links, now=site.clock())
        response = page("release.html", wording.detail(shell, shown, events))
        response.enable_compression()
        return response
