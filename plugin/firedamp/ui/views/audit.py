"""The page of the audit trail."""

from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from firedamp.errors import AskError
from firedamp.ports import Sifted
from firedamp.ui.rendering import page
from firedamp.ui.views.site import Site, asked, number
from firedamp.ui.wording import audit as wording

_LINES = 50


@dataclass(frozen=True, slots=True)
class AuditViews:
    """Who did what."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/audit", self.audit)]

    async def audit(self, request: web.Request) -> web.Response:
        site, filters = self.site, asked(request, wording.FILTERS)
        names = [one for one in site.namespaces(request, filters["namespace"]) if one is not None]
        sifted = Sifted(
            namespaces=tuple(names),
            service=filters["service"] or None,
            kind=filters["kind"] or None,
            by=filters["by"] or None,
            since=_moment("since", filters["since"]),
            until=_moment("until", filters["until"]),
        )
        before = number(filters["before"], "before") if filters["before"] else None
        found = await site.store.trail(sifted, before=before, limit=_LINES + 1)
        shown = wording.page(
            site.shell(request, "Audit", section="/audit", twin=wording.twin(filters)),
            found[:_LINES],
            filters,
            more=len(found) > _LINES,
            now=site.clock(),
        )
        return page("audit.html", shown)


def _moment(name: str, text: str) -> float | None:
    """An instant of the address, in UTC as a browser's field writes it."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        raise AskError(f"{name} is {text[:40]!r}: write it like 2026-05-01T12:30, in UTC") from None
