"""The pages of services, and of a check over the releases of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from firedamp.errors import NotFoundError
from firedamp.judge import catalogue
from firedamp.judge.worth import record
from firedamp.model import Release
from firedamp.ui.rendering import long_page, page
from firedamp.ui.views.site import Site
from firedamp.ui.wording import services as wording


@dataclass(frozen=True, slots=True)
class ServicesViews:
    """All services, one, and one of its checks."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/services", self.services),
            web.get("/services/{namespace}/{service}", self.service),
            web.get("/services/{namespace}/{service}/checks/{check}", self.check),
        ]

    async def services(self, request: web.Request) -> web.Response:
        site = self.site
        configured = [(one.namespace, one.name) for one in site.services(request)]
        known = await catalogue.known(site.store, configured, site.namespaces(request, ""))
        told = await site.store.newest(known[: catalogue.MOST_SERVICES], limit=catalogue.MOST_RELEASES)
        found = [wording.Judged(*name, site.settings.service(*name), each) for name, each in told.items()]
        shell = site.shell(request, "Services", section="/services", twin="/api/v1/services")
        cut, now = len(known) > catalogue.MOST_SERVICES, site.clock()
        return await long_page("services.html", lambda: wording.overview(shell, found, cut=cut, now=now))

    async def service(self, request: web.Request) -> web.Response:
        store, found = self.site.store, await self._asked(request)
        look = await store.last_look(found.releases[0].id) if found.releases else None
        labels = await store.labels([release.id for release in found.releases])
        title = f"{found.namespace}/{found.name}"
        twin = f"/api/v1{request.rel_url.raw_path}"
        shell = self.site.shell(request, title, section="/services", twin=twin)
        told = await record(store, found.namespace, found.name)
        shown = wording.one_service(shell, found, look, labels, told, now=self.site.clock())
        return page("service.html", shown)

    async def check(self, request: web.Request) -> web.Response:
        found, name = await self._asked(request, catalogue.MOST_RECORDED), request.match_info["check"]
        said = await self._said(found.releases, name)
        if all(one.finding is None for one in said) and not _configured(found, name):
            raise NotFoundError(
                "no such check has judged a release of this service, and none is configured; look at the "
                "service's page"
            )
        title = f"{name} of {found.namespace}/{found.name}"
        twin = f"/api/v1{request.rel_url.raw_path}"
        shell = self.site.shell(request, title, section="/services", twin=twin)
        told = await record(self.site.store, found.namespace, found.name)
        return page("record.html", wording.record(shell, found, name, said, told, now=self.site.clock()))

    async def _asked(self, request: web.Request, most: int = catalogue.MOST_RELEASES) -> wording.Judged:
        """The service of the address, where the token is good for its namespace."""
        namespace, name = request.match_info["namespace"], request.match_info["service"]
        self.site.namespaces(request, namespace)
        found = await self._judged((namespace, name), most)
        by_hand = any((one.namespace, one.name) == (namespace, name) for one in self.site.settings.services)
        if not by_hand and not found.releases:
            raise NotFoundError(
                "no such service is configured, and none has asked for a verdict yet; look at the list of "
                "services"
            )
        return found

    async def _judged(self, name: catalogue.Name, most: int = catalogue.MOST_RELEASES) -> wording.Judged:
        releases = await catalogue.newest(self.site.store, name, most)
        return wording.Judged(*name, self.site.settings.service(*name), releases)

    async def _said(self, releases: Sequence[Release], check: str) -> list[wording.Said]:
        store = self.site.store
        labels = await store.labels([release.id for release in releases])
        found = await catalogue.last_said(store, releases, check)
        return [wording.Said(one, found.get(one.id), labels.get(one.id)) for one in releases]


def _configured(found: wording.Judged, check: str) -> bool:
    return found.settings is not None and any(one.name == check for one in found.settings.checks)
