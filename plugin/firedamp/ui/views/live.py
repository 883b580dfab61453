"""Where pages listen: to all releases, or to one of them."""

from dataclasses import dataclass

from aiohttp import web

from firedamp.ports import Store
from firedamp.ui.live import Live
from firedamp.ui.views.site import Holder, release_of


@dataclass(frozen=True, slots=True)
class LiveViews:
    """Events for the pages of releases; `holder` finds the token of a request."""

    live: Live
    store: Store
    holder: Holder

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/live/releases", self.releases), web.get("/live/releases/{id}", self.release)]

    async def releases(self, request: web.Request) -> web.StreamResponse:
        return await self.live.listen(request, self.holder(request))

    async def release(self, request: web.Request) -> web.StreamResponse:
        token = self.holder(request)
        release = await release_of(request, self.store, token)
        return await self.live.listen(request, token, release.id)
