"""
Browser sessions: a signed cookie instead of a table.

The cookie says which token logged in and until when, signed with a key made of that token's digest. A revoked
token ends its sessions, every replica can check them, and none has to be kept. Whoever could read the digests
could forge one; therefore a session only reads, which such a person can do anyway.
"""

import base64
import hashlib
import hmac
from dataclasses import replace

from firedamp.access.keyring import Keyring
from firedamp.ports import Token

COOKIE = "firedamp_session"
SESSION_SECONDS = 12 * 3600
_MOST_CHARACTERS = 1024


class Sessions:
    """Makes cookies and reads them back."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def cookie(self, token: Token, now: float) -> str:
        """The value of a session's cookie, good for 12 hours."""
        expires = int(now) + SESSION_SECONDS
        name = base64.urlsafe_b64encode(token.name.encode()).decode()
        return f"{name}.{expires}.{_signature(token, expires)}"

    async def token(self, cookie: str, now: float) -> Token | None:
        """The token that logged in, as an asker; None when expired, forged or revoked."""
        parts = _parts(cookie)
        if parts is None or now >= parts[1]:
            return None
        name, expires, signature = parts
        token = await self._keyring.named(name)
        if token is None or not hmac.compare_digest(_signature(token, expires), signature):
            return None
        return replace(token, role="asker")


def _parts(cookie: str) -> tuple[str, int, str] | None:
    if len(cookie) > _MOST_CHARACTERS or not cookie.isascii() or cookie.count(".") != 2:
        return None
    name, expires, signature = cookie.split(".")
    try:
        return base64.urlsafe_b64decode(name).decode(), int(expires), signature
    except ValueError:
        return None


def _signature(token: Token, expires: int) -> str:
    text = f"firedamp session {token.name} {expires}"
    return hmac.new(bytes.fromhex(token.digest), text.encode(), hashlib.sha256).hexdigest()
