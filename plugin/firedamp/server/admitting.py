"""
Who comes in: methods, hosts, other sites' requests, and the token that a request carries.

A bearer token is asked for everywhere but at the probes, the login, the API's document and below `/flagger/`,
where the contract itself holds the path's secret against the namespace in the body. What a page may do with a
session's cookie is reading only.
"""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from firedamp.access import ANYBODY, COOKIE, Keyring, Sessions, cross_site, loopback_host
from firedamp.config import Settings
from firedamp.contracts._wire import TOKEN, shown
from firedamp.ports import Token
from firedamp.server.clock import now
from firedamp.server.observing import Handler
from firedamp.server.refusing import refused

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_OPEN = frozenset({"/livez", "/readyz", "/startupz", "/metrics", "/login", "/logout", "/api/v1/openapi.json"})
_OPEN_BELOW = ("/static/", "/flagger/")
_NOBODY = (
    "no valid token came with this: Authorization: Bearer is expected; send a token of this installation "
    "(the first start printed one, firedamp token add makes others)"
)


@dataclass(frozen=True, slots=True)
class Door:
    """Lets requests in, with the token that they carry."""

    settings: Settings
    keyring: Keyring
    sessions: Sessions

    async def grants(self, secret: str, namespace: str) -> Token | None:
        """The token of a path's secret, for contracts whose callers can send no header."""
        if not self.settings.auth.required:
            return ANYBODY
        return await self.keyring.path(secret, namespace)

    async def login(self, secret: str) -> str | None:
        """A session's cookie for a bearer token; None where it is none."""
        token = await self.keyring.bearer(secret)
        return None if token is None else self.sessions.cookie(token, now())

    @property
    def secure(self) -> bool:
        """Whether people reach us by https only."""
        return self.settings.public_url is not None and self.settings.public_url.scheme == "https"

    def middleware(self) -> Middleware:
        """`admit` in the shape that aiohttp wants."""

        @web.middleware
        async def admitting(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.admit(request, handler)

        return admitting

    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or go on with the token that the request carries."""
        if request.match_info.http_exception is not None:
            return await handler(request)  # 404 and 405 are the same for everybody
        if request.method not in METHODS:
            sentence = f"method is {shown(request.method)}: {', '.join(METHODS)} are allowed; use one of them"
            return refused(request, HTTPStatus.METHOD_NOT_ALLOWED, sentence, {"Allow": ", ".join(METHODS)})
        if foreign := self._foreign(request):
            return refused(request, HTTPStatus.FORBIDDEN, foreign)
        if not _is_open(request.path):
            token = await self._token(request)
            if token is None:
                return self._unknown(request)
            request[TOKEN] = token
        return await handler(request)

    def _foreign(self, request: web.Request) -> str | None:
        """Why a request is another site's: forged by a page, or led here by a name that is not ours."""
        if not self.settings.auth.required and loopback_host(self.settings.listen.host):
            host = urlsplit(f"//{request.host}").hostname or ""
            if not loopback_host(host) and request.host not in self._hosts():
                return (
                    f"Host is {shown(request.host)}: without tokens only localhost is served, or a page "
                    "elsewhere could reach this service through your browser; use http://localhost"
                )
        fault = cross_site(request.method, request.headers, self._hosts() | {request.host})
        if fault is None:
            return None
        return f"{fault}: requests of other sites are not allowed to change anything; use the page itself"

    def _hosts(self) -> frozenset[str]:
        url = self.settings.public_url
        return frozenset({urlsplit(str(url)).netloc}) if url is not None else frozenset()

    async def _token(self, request: web.Request) -> Token | None:
        if not self.settings.auth.required:
            return ANYBODY
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if secret:
            return await self.keyring.bearer(secret.strip()) if scheme.lower() == "bearer" else None
        cookie = request.cookies.get(COOKIE)
        return await self.sessions.token(cookie, now()) if cookie else None

    def _unknown(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/" or request.path.startswith("/releases/"):
            location = {"Location": f"/login?next={quote(request.path)}"}
            return web.Response(status=HTTPStatus.SEE_OTHER, headers=location)
        return refused(
            request, HTTPStatus.UNAUTHORIZED, _NOBODY, {"WWW-Authenticate": 'Bearer realm="firedamp"'}
        )


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_BELOW)
