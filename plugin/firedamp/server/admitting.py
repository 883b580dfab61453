"""
Who comes in: methods, hosts, other sites' requests, and the token that a request carries.

A token is asked for everywhere but at the probes, the login, the API's document and below `/flagger/`, where
the contract itself holds the path's secret against the namespace in the body. A browser changes things by
the forms of our own pages alone, each sealed for its session; the addresses of programs take no browser's
word for anything but reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from firedamp.access import (
    ANYBODY,
    SAFE,
    SESSION_SECONDS,
    cross_site,
    form_cookie,
    loopback_host,
    may,
    permitted,
    seal,
)
from firedamp.config import Settings
from firedamp.contracts._wire import TOKEN, shown
from firedamp.errors import ForbiddenError
from firedamp.ports import Token
from firedamp.server.clock import now
from firedamp.server.observing import Handler
from firedamp.server.places import is_open, least_role, of_people
from firedamp.server.refusing import refused
from firedamp.server.returning import returned
from firedamp.server.visiting import Caller, Callers, unsealed_by

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_CALLER = web.RequestKey("caller", Caller)
_NOBODY = (
    "no valid token came with this: Authorization: Bearer is expected; send a token of this installation "
    "(the first start printed one, firedamp token add makes others)"
)
_ENDED = (
    "nobody is logged in here, or no longer: nothing was changed; log in, then come back to this page and "
    "send again what you typed"
)
_LEFT = "nobody is logged in here, or no longer; load the page again to log in"
_READ_ONLY = (
    "read_only is true in the settings: people look and change nothing here; "
    "ask whoever runs firedamp to set read_only: false"
)
_NO_BROWSER = (
    "a browser's session is good for reading here: change things on the pages, or send a token with "
    "Authorization: Bearer"
)


@dataclass(frozen=True, slots=True)
class Door:
    """Lets requests in, with the token that they carry."""

    settings: Settings
    callers: Callers

    async def grants(self, secret: str, namespace: str) -> Token | None:
        """The token of a path's secret, for contracts whose callers can send no header."""
        if not self.settings.auth.required:
            return ANYBODY
        token = await self.callers.keyring.path(secret, namespace)
        return token if token is not None and may(token, "asker") else None

    async def login(self, secret: str) -> str | None:
        """The secret of a new session for a bearer token; None where it is none."""
        token = await self.callers.keyring.bearer(secret)
        return None if token is None else await self.callers.sessions.begin(token, now())

    async def still(self, requests: Sequence[web.Request]) -> Sequence[bool]:
        """Of each request that was let in whether whoever sent it would be let in now."""
        return await self.callers.still([one[_CALLER] for one in requests], now())

    def sealed(self, request: web.Request) -> str:
        """The seal of the forms of a page that is drawn now; "" where they need none."""
        caller = request.get(_CALLER)
        return seal(caller.secret, now()) if caller is not None and caller.browser else ""

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
        if is_open(request.path):
            return await handler(request)
        caller = await self.callers.of(request, now())
        if caller is None:
            return await self._unknown(request)
        return await self._entered(request, caller, handler)

    async def _entered(self, request: web.Request, caller: Caller, handler: Handler) -> web.StreamResponse:
        request[TOKEN], request[_CALLER] = caller.token, caller
        permitted(caller.token, least_role(request.path))
        if request.method not in SAFE and (fault := await self._changing(request, caller)):
            return await returned(request, HTTPStatus.FORBIDDEN, fault, self.sealed(request))
        response = await handler(request)
        if caller.cookie and not response.prepared:
            self.give(response, form_cookie(secure=self.callers.secure), caller.cookie)
        return response

    async def _changing(self, request: web.Request, caller: Caller) -> str | None:
        """
        Let through what may change something; why not, where the form is not of a page for this caller.

        Raises:
            ForbiddenError: a person may not, or not in this way.
        """
        page = of_people(request.path)
        if caller.browser and not page:
            raise ForbiddenError(_NO_BROWSER)
        if self.settings.read_only and (page or not may(caller.token, "asker")):
            raise ForbiddenError(_READ_ONLY)
        return await unsealed_by(caller, request, now()) if page else None

    def give(self, response: web.StreamResponse, name: str, value: str) -> None:
        """Set a cookie that no script reads and no other site's form sends along."""
        response.set_cookie(
            name,
            value,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self.callers.secure,
        )

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

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        if of_people(request.path):
            if request.method not in SAFE:
                return await returned(request, HTTPStatus.UNAUTHORIZED, _ENDED, "")
            if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
                # A script that asks for its page anew must not take the login's for it.
                return refused(request, HTTPStatus.UNAUTHORIZED, _LEFT)
            location = {"Location": f"/login?next={quote(request.path_qs)}"}
            return web.Response(status=HTTPStatus.SEE_OTHER, headers=location)
        return refused(
            request, HTTPStatus.UNAUTHORIZED, _NOBODY, {"WWW-Authenticate": 'Bearer realm="firedamp"'}
        )
