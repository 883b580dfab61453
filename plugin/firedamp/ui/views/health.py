"""The page of health."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from firedamp.ports import Health
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site
from firedamp.ui.wording import health as wording


@dataclass(frozen=True, slots=True)
class HealthViews:
    """How firedamp itself is doing."""

    site: Site
    health: Callable[[], Awaitable[Health]]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/health", self.shown)]

    async def shown(self, request: web.Request) -> web.Response:
        shell = self.site.shell(request, "Health", section="/health", twin="/api/v1/health")
        found = (await self.health()).told(self.site.holder(request))
        return page("health.html", wording.page(shell, found))
