"""
Secrets, their digests, and what a token is good for.

A file of a token (a mounted secret) holds the secret and, after it, words that say what it is good for:

    k3J...            an asker, for all namespaces
    k3J... role=gatekeeper namespaces=shop,web
    k3J... role=gatekeeper namespaces=shop path
    k3J... role=viewer
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from firedamp.access.roles import PROGRAMS, ROLES
from firedamp.errors import ConfigError
from firedamp.ports import Token

_LEAST_CHARACTERS = 16
_MOST_BYTES = 4096

#: Who asks where no token is asked for (`auth.required: false`).
ANYBODY = Token(name="anybody", digest="", role="admin", path=True)


def new_secret(prefix: str = "fd") -> str:
    """A fresh secret of 192 random bits; it is a URL path segment as it stands."""
    return f"{prefix}_{secrets.token_urlsafe(24)}"


def digest(secret: str) -> str:
    """Hex SHA-256 of a secret: what is kept of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matching(tokens: Iterable[Token], secret: str) -> Token | None:
    """The token of this secret, in time that depends on the number of tokens only."""
    wanted, found = digest(secret), None
    for token in tokens:
        if hmac.compare_digest(token.digest, wanted) and token.revoked is None:
            found = token
    return found


def read_file(name: str, path: Path) -> Token:
    """
    The token that a file holds.

    Raises:
        ConfigError: it cannot be read, is empty or too short, or says what nobody understands.
    """
    words = _words(name, path)
    if not words or len(words[0]) < _LEAST_CHARACTERS:
        raise ConfigError(
            f"auth.token_files.{name}: {path} holds no secret of at least {_LEAST_CHARACTERS} characters; "
            "write one with: openssl rand -hex 24"
        )
    token = Token(name=name, digest=digest(words[0]), role="asker")
    for word in words[1:]:
        token = _described(token, word, f"auth.token_files.{name}: {path}")
    if token.path and token.role not in PROGRAMS:
        raise ConfigError(
            f"auth.token_files.{name}: {path}: a path secret is a program's, and {token.role} is a role of "
            f"people; write one of {', '.join(PROGRAMS)}"
        )
    return token


def _words(name: str, path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"auth.token_files.{name}: {path} is larger than {_MOST_BYTES} bytes")
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"auth.token_files.{name}: {path} cannot be read ({error})") from error


def _described(token: Token, word: str, where: str) -> Token:
    key, _, value = word.partition("=")
    match key:
        case "role" if value in ROLES:
            return replace(token, role=value)
        case "namespaces" if value:
            return replace(token, namespaces=tuple(filter(None, value.split(","))))
        case "path" if not value:
            return replace(token, path=True)
        case _:
            # The word itself may be a piece of the secret: a message never repeats it.
            roles = ", ".join(ROLES)
            raise ConfigError(
                f"{where}: after the secret only role= ({roles}), namespaces=one,two and path are known"
            )
