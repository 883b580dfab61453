"""
Browser sessions: a random secret in a cookie, and its digest in the store.

A session is as good as the token that signed in: it has that one's name, role and namespaces, and ends with
it, be it revoked or rotated. Whoever reads the store finds digests and can forge no session.
"""

from collections.abc import Collection, Mapping

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
        return (await self.tokens([secret], now)).get(secret)

    async def tokens(self, secrets: Collection[str], now: float) -> Mapping[str, Token]:
        """The tokens of those secrets whose sessions hold; the store is asked once for all of them."""
        by_digest = {digest(secret): secret for secret in secrets}
        found = await self._store.sessions(list(by_digest)) if by_digest else ()
        tokens = [(one, await self._keyring.of_digest(one.token)) for one in found if now < one.expires]
        return {by_digest[one.digest]: token for one, token in tokens if token is not None}

    async def end(self, secret: str) -> None:
        """Forget a session, also where it is none."""
        await self._store.end_session(digest(secret[:_MOST_CHARACTERS]))
