"""
Browser sessions: a random secret in a cookie, and its digest in the store.

A session is as good as the token that signed in: it has that one's name, role and namespaces, and ends with
it, be it revoked or rotated. Whoever reads the store finds digests and can forge no session.
"""

from firedamp.access.keyring import Keyring
from firedamp.access.tokens import digest, new_secret
from firedamp.ports import Session, Store, Token

SESSION_SECONDS = 12 * 3600
_SESSION, _FORM = "firedamp_session", "firedamp_form"
_MOST_CHARACTERS = 128


def session_cookie(*, secure: bool) -> str:
    """
    The name of the cookie that holds a session's secret.

    With the prefix a browser takes it from this very host only, over https, for all of its paths
    (RFC 6265bis, 4.1.3.2), so that no neighbour can plant one.
    """
    return f"__Host-{_SESSION}" if secure else _SESSION


def form_cookie(*, secure: bool) -> str:
    """The name of the cookie to which forms are bound where a proxy does the signing in."""
    return f"__Host-{_FORM}" if secure else _FORM


class Sessions:
    """Begins sessions, knows them again, and ends them."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    async def begin(self, token: Token, now: float) -> str:
        """The secret of a new session, good for 12 hours."""
        secret = new_secret("fds")
        session = Session(digest(secret), token.digest, float(int(now)), float(int(now) + SESSION_SECONDS))
        await self._store.begin_session(session)
        return secret

    async def token(self, secret: str, now: float) -> Token | None:
        """The token that signed in; None when the session is expired, ended or none, or its token revoked."""
        if len(secret) > _MOST_CHARACTERS or not secret.isascii():
            return None
        session = await self._store.session(digest(secret))
        if session is None or now >= session.expires:
            return None
        return await self._keyring.of_digest(session.token)

    async def end(self, secret: str) -> None:
        """Forget a session, also where it is none."""
        await self._store.end_session(digest(secret[:_MOST_CHARACTERS]))
