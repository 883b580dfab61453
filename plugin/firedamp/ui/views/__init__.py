"""Handlers of the pages: read the store, put it into words, show; a module per page."""

import time
from collections.abc import Callable

from aiohttp import web

from firedamp.config import Settings
from firedamp.ports import Office, Store
from firedamp.ui import assets
from firedamp.ui.views.audit import AuditViews
from firedamp.ui.views.downloads import DownloadViews
from firedamp.ui.views.gates import GatesViews
from firedamp.ui.views.health import HealthViews
from firedamp.ui.views.release import ReleaseViews
from firedamp.ui.views.releases import ReleasesViews
from firedamp.ui.views.rulings import RulingsViews
from firedamp.ui.views.services import ServicesViews
from firedamp.ui.views.site import Holder, May, Sealed, Site
from firedamp.ui.views.tokens import TokensViews

_VIEWS = (ReleasesViews, ReleaseViews, DownloadViews, RulingsViews, ServicesViews, GatesViews, AuditViews)


def routes(
    store: Store,
    settings: Settings,
    holder: Holder,
    *,
    may: May,
    sealed: Sealed,
    office: Office,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The addresses of the pages and what they are made with; `holder` finds the token of a request."""
    site = Site(store, settings, holder, may, sealed, clock)
    return [
        *(route for views in _VIEWS for route in views(site).routes()),
        *TokensViews(site, office.keys).routes(),
        *HealthViews(site, office.health).routes(),
        *assets.routes(),
    ]
