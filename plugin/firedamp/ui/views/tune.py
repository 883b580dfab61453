"""The page on which people tune a service, and see first what that would have changed."""

from dataclasses import dataclass

from aiohttp import web

from firedamp.judge.tuned import Tuning
from firedamp.ui.views.site import Site


@dataclass(frozen=True, slots=True)
class TuneViews:
    """A service's tuned settings."""

    site: Site
    tuning: Tuning

    def routes(self) -> list[web.RouteDef]:
        return []
