"""Handlers of the pages: read the store, put it into words, show; a module per page."""

from aiohttp import web

from firedamp.judge.tuned import Tuning
from firedamp.ports import Office
from firedamp.ui import assets
from firedamp.ui.views.audit import AuditViews
from firedamp.ui.views.downloads import DownloadViews
from firedamp.ui.views.gates import GatesViews
from firedamp.ui.views.health import HealthViews
from firedamp.ui.views.release import ReleaseViews
from firedamp.ui.views.releases import ReleasesViews
from firedamp.ui.views.rulings import RulingsViews
from firedamp.ui.views.services import ServicesViews
from firedamp.ui.views.site import Site
from firedamp.ui.views.tokens import TokensViews
from firedamp.ui.views.tune import TuneViews

_VIEWS = (ReleasesViews, ReleaseViews, DownloadViews, RulingsViews, ServicesViews, GatesViews, AuditViews)


def routes(site: Site, *, office: Office, tuning: Tuning) -> list[web.RouteDef]:
    """The addresses of the pages of a site."""
    return [
        *(route for views in _VIEWS for route in views(site).routes()),
        *TokensViews(site, office.keys).routes(),
        *TuneViews(site, tuning).routes(),
        *HealthViews(site, office.health).routes(),
        *assets.routes(),
    ]
