"""Handlers of the pages: read from the store, show."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from firedamp.config import Settings
from firedamp.errors import AskError, ForbiddenError, NotFoundError
from firedamp.model import Release
from firedamp.ports import Store, Token
from firedamp.ui import wording
from firedamp.ui.rendering import page, stylesheet

#: The token that a request carries.
Holder = Callable[[web.Request], Token]

_ROWS = 50
_LOOKS = 500
_NOTES = 50
_FILTERS = ("namespace", "service", "before")
_LONGEST = 253


def routes(
    store: Store, settings: Settings, holder: Holder, *, clock: Callable[[], float] = time.time
) -> list[web.RouteDef]:
    """The addresses of the pages and their stylesheet; `holder` finds the token of a request."""
    views = _Views(store, settings, holder, clock)
    return [
        web.get("/", views.releases),
        web.get("/releases/{id}", views.release),
        web.get("/static/firedamp.css", stylesheet),
    ]


@dataclass(frozen=True, slots=True)
class _Views:
    store: Store
    settings: Settings
    holder: Holder
    clock: Callable[[], float]

    async def releases(self, request: web.Request) -> web.Response:
        asked, token = _asked(request), self.holder(request)
        before = _number(asked["before"], "before") if asked["before"] else None
        found: list[Release] = []
        for namespace in _namespaces(token, asked["namespace"]):
            found += await self.store.releases(
                namespace=namespace, service=asked["service"] or None, before=before, limit=_ROWS + 1
            )
        newest = sorted(found, key=lambda release: -release.id)
        shown = wording.listing(
            newest[:_ROWS],
            asked,
            more=len(newest) > _ROWS,
            now=self.clock(),
            url=self._url(request),
            who=_who(token),
        )
        return page("releases.html", shown)

    async def release(self, request: web.Request) -> web.Response:
        release = await self.store.release(_number(request.match_info["id"], "id"))
        if release is None or not _mine(self.holder(request), release.key.namespace):
            raise NotFoundError("this release is not known here, or your token is not good for its namespace")
        last = await self.store.last_look(release.id)
        newest = last.evidence.block.index if last else 0
        looks = await self.store.looks(release.id, after=newest - _LOOKS)
        key = release.key
        events = await self.store.events(
            namespace=key.namespace, service=key.service, revision=key.revision, limit=_NOTES
        )
        return page(
            "release.html",
            wording.detail(release, looks, events, now=self.clock(), who=_who(self.holder(request))),
        )

    def _url(self, request: web.Request) -> str:
        return str(self.settings.public_url or f"http://{request.host}").rstrip("/")


def _asked(request: web.Request) -> dict[str, str]:
    """The filters of the address; what is no filter is left alone, as a bookmark may carry anything."""
    asked = {name: request.query.get(name, "") for name in _FILTERS}
    for name, text in asked.items():
        if len(text) > _LONGEST or not text.isprintable():
            raise AskError(f"{name} has {len(text)} characters or unprintable ones: {_LONGEST} are allowed")
    return asked


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise NotFoundError(f"{name} is {text[:20]!r}: releases are numbered")
    return int(text)


def _namespaces(token: Token, wanted: str) -> Sequence[str | None]:
    if wanted and not _mine(token, wanted):
        raise ForbiddenError(f"your token is not good for namespace {wanted!r}")
    return [wanted] if wanted else token.namespaces or [None]


def _mine(token: Token, namespace: str) -> bool:
    return not token.namespaces or namespace in token.namespaces


def _who(token: Token) -> str:
    """Who is logged in; nobody where no token is asked for."""
    return token.name if token.digest else ""
