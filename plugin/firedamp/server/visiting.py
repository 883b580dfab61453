"""
Who stands at the door: the token of a request, how it came, and the secret that the forms are sealed with.

    proxied   a trusted proxy signed a person in; forms are bound to a cookie of their own
    bearer    Authorization: Bearer; no other site can make a browser send it, so forms need no seal
    session   a cookie from the login; forms are bound to its secret
    anybody   no token is asked for; Host and Origin are what guards the forms
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from firedamp.access import (
    ANYBODY,
    PROXIED,
    SEAL,
    Keyring,
    Proxies,
    Sessions,
    caller,
    form_cookie,
    new_secret,
    session_cookie,
    unsealed,
)
from firedamp.config import Settings
from firedamp.ports import Token
from firedamp.server.returning import typed

_MOST_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who asks.

    Attributes:
        secret: what forms are sealed with; "" where they need no seal.
        cookie: a cookie that the answer has to set, so that the secret comes back; "" for none.
    """

    token: Token
    secret: str = ""
    cookie: str = ""

    @property
    def browser(self) -> bool:
        """Whether a browser adds by itself what says who asks, so that other sites could use it."""
        return bool(self.secret)

    @property
    def session(self) -> bool:
        """Whether the secret is that of a session."""
        return self.browser and self.token.digest != PROXIED


@dataclass(frozen=True, slots=True)
class Callers:
    """Finds out who asks."""

    settings: Settings
    keyring: Keyring
    sessions: Sessions
    proxies: Proxies | None

    @property
    def secure(self) -> bool:
        """Whether people reach us by https only."""
        return self.settings.public_url is not None and self.settings.public_url.scheme == "https"

    def address(self, request: web.Request) -> str:
        """From where somebody asks, as far as proxies of ours can tell."""
        auth = self.settings.auth
        trusted = (*auth.forwarded_by, *(auth.proxy.addresses if auth.proxy else ()))
        return caller(request.remote, request.headers.getall("X-Forwarded-For", []), trusted)

    async def of(self, request: web.Request, now: float) -> Caller | None:
        """
        Who asks; None where nobody says so in a way that holds.

        Raises:
            AskError: a trusted proxy's headers are not what they should be.
        """
        if not self.settings.auth.required:
            return Caller(ANYBODY)
        person = self.proxies.person(request.remote, request.headers) if self.proxies else None
        if person is not None:
            return self._proxied(person, request)
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if secret:
            token = await self.keyring.bearer(secret.strip()) if scheme.lower() == "bearer" else None
            return None if token is None else Caller(token)
        return await self._session(request, now)

    async def still(self, callers: Sequence[Caller], now: float) -> Sequence[bool]:
        """
        Of each who came in whether they would now, as who they were then; the store is asked once for all.

        Whom a proxy has signed in it alone can sign out, so they would.
        """
        signed = await self.sessions.tokens({one.secret for one in callers if one.session}, now)
        return [await self._holds(one, signed) for one in callers]

    async def _holds(self, caller: Caller, signed: Mapping[str, Token]) -> bool:
        if caller.session:
            return signed.get(caller.secret) == caller.token
        digest = caller.token.digest
        return digest in (ANYBODY.digest, PROXIED) or await self.keyring.of_digest(digest) == caller.token

    async def _session(self, request: web.Request, now: float) -> Caller | None:
        secret = request.cookies.get(session_cookie(secure=self.secure), "")
        token = await self.sessions.token(secret, now) if secret else None
        return None if token is None else Caller(token, secret)

    def _proxied(self, person: Token, request: web.Request) -> Caller:
        known = request.cookies.get(form_cookie(secure=self.secure), "")
        cookie = "" if 0 < len(known) <= _MOST_CHARACTERS else new_secret("fdf")
        # Two people who share a browser, one after the other, must not share their forms.
        return Caller(person, f"{cookie or known} {person.name}", cookie)


async def unsealed_by(caller: Caller, request: web.Request, now: float) -> str | None:
    """
    Why a form is of no page that was drawn for this caller: its seal is missing, another's, or too old.

    Raises:
        RefusedError: it is no form.
    """
    fields = await typed(request)
    return unsealed(caller.secret, fields.get(SEAL, ""), now) if caller.browser else None
