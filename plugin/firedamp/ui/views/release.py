"""The page of one release, at its newest look or at an earlier one."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from firedamp.errors import NotFoundError
from firedamp.judge import orders
from firedamp.judge.browsing import browsed
from firedamp.model import Mode, Release
from firedamp.ports import Gate
from firedamp.ui.rendering import long_page
from firedamp.ui.views.site import Site, asked
from firedamp.ui.wording import release as wording
from firedamp.ui.wording.seen import Refused, seen

_NOTES = 50


@dataclass(frozen=True, slots=True)
class ReleaseViews:
    """One release: its verdict, its checks, its looks."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get(r"/releases/{id:[^/.]+}", self.release)]

    async def release(self, request: web.Request) -> web.Response:
        wanted = asked(request, ("look", "check"))
        release = await self.site.release(request)
        return await drawn(self.site, request, release, look=wanted["look"], check=wanted["check"])


async def drawn(
    site: Site,
    request: web.Request,
    release: Release,
    *,
    look: str = "",
    check: str = "",
    refused: Refused | None = None,
    status: int = HTTPStatus.OK,
) -> web.Response:
    """
    The page of a release; with what was sent and not taken, where something was.

    Raises:
        NotFoundError: there is no such look, or no such check at it.
    """
    found = await browsed(site.store, release, look)
    if check and found.finding(check) is None:
        raise NotFoundError(
            f"check {check[:80]!r} says nothing at this look; the release's page has them all"
        )
    key = release.key
    events = await site.store.events(
        namespace=key.namespace, service=key.service, revision=key.revision, limit=_NOTES
    )
    shown = seen(
        found,
        only=check,
        links=site.settings.links,
        now=site.clock(),
        may_rule=site.lets(request, "ruler", key.namespace),
        tunable=_tunable(site, release),
        refused=refused,
    )
    held = await _held(site, release)
    shell = site.shell(request, wording.title(release), section="/", twin=shown.twin)
    return await long_page("release.html", lambda: wording.detail(shell, shown, events, held), status=status)


async def _held(site: Site, release: Release) -> Gate | None:
    """What a person ordered that keeps a running release from going on."""
    if release.ended is not None:
        return None
    key, now = release.key, site.clock()
    off, hold = [
        await site.store.gate(key.namespace, key.service, mode.value, key.revision, now)
        for mode in (Mode.OFF, Mode.HOLD)
    ]
    return off or await orders.back(site.store, release, now) or hold


def _tunable(site: Site, release: Release) -> frozenset[str]:
    """The checks of a release that the settings name today."""
    service = site.settings.service(release.key.namespace, release.key.service)
    return frozenset(check.name for check in service.parameters().checks) if service else frozenset()
