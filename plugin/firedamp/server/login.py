"""
Logging in and out: a token against a session's cookie.

The cookie is HttpOnly and SameSite=Lax, so that a permalink in a chat finds its reader logged in, and Secure
where people reach us by https. After the login only addresses of our own are gone to. Wrong tokens are
counted by address; whoever sends too many waits, and nobody else does.
"""

import math
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from urllib.parse import parse_qsl

from aiohttp import web

from firedamp.access import Attempts, session_cookie
from firedamp.server.admitting import Door
from firedamp.ui import login_page

_MOST_FIELDS = 8
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Login:
    """The addresses of the login; `attempts` are those of this replica."""

    door: Door
    attempts: Attempts = field(default_factory=Attempts)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.form),
            web.post("/login", self.enter),
            web.post("/logout", self.leave),
        ]

    async def form(self, request: web.Request) -> web.Response:
        return login_page(then=_own(request.query.get("next", "/")))

    async def enter(self, request: web.Request) -> web.Response:
        given = await _fields(request)
        then = _own(given.get("next", "/"))
        address = self.door.callers.address(request)
        if wait := math.ceil(self.attempts.wait(address, monotonic())):
            return _too_many(wait, then)
        secret = await self.door.login(given.get("token", "").strip())
        if secret is None:
            sentence = "No such token: it is unknown or revoked, or a path secret, which opens no page."
            return login_page(sentence, then=then, status=HTTPStatus.FORBIDDEN)
        self.attempts.give_back(address)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": then})
        self.door.give(response, self._cookie, secret)
        return response

    async def leave(self, request: web.Request) -> web.Response:
        if secret := request.cookies.get(self._cookie):
            await self.door.callers.sessions.end(secret)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/login"})
        response.del_cookie(self._cookie, httponly=True, samesite="Lax", secure=self.door.callers.secure)
        return response

    @property
    def _cookie(self) -> str:
        return session_cookie(secure=self.door.callers.secure)


def _too_many(wait: int, then: str) -> web.Response:
    sentence = f"Too many attempts came from your address, all of them wrong: wait {wait} s, then try again."
    response = login_page(sentence, then=then, status=HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(wait)
    return response


async def _fields(request: web.Request) -> dict[str, str]:
    """The form's fields; nothing where it is no such form."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        text = (await request.read()).decode()
        return dict(parse_qsl(text, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def _own(path: str) -> str:
    """The path, where it is one of ours; to a browser, two slashes begin another host's address."""
    plain = path.isascii() and path.isprintable() and "\\" not in path and len(path) <= _LONGEST
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
