"""
The tokens in force: those of the store and those of mounted files, read again every few seconds.

A token revoked on one replica stops working on the others within `fresh_seconds`, and a mounted secret
that changes is taken up without a restart. While the store is down the last known tokens stay good: our own
trouble must not lock out the controllers that wait for an answer.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from firedamp.access.tokens import digest, matching, new_secret, read_file
from firedamp.errors import ConfigError, ConflictError, StoreError
from firedamp.ports import Store, Token

_log = structlog.get_logger("firedamp.access")

FIRST = "first"


class Keyring:
    """Finds the token of a secret."""

    def __init__(
        self,
        store: Store,
        files: Mapping[str, str] | None = None,
        *,
        fresh_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._files = {name: Path(path) for name, path in (files or {}).items()}
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._read_at: float | None = None
        self._tokens: tuple[Token, ...] = ()

    async def start(self) -> None:
        """
        Read all tokens once.

        Raises:
            ConfigError: a token's file is not usable.
            StoreError: the store cannot be read.
        """
        self._tokens = (*self._from_files(), *await self._store.tokens())
        self._read_at = self._clock()

    async def bearer(self, secret: str) -> Token | None:
        """The token of a secret that came in a header; path secrets are none."""
        token = matching(await self._in_force(), secret)
        return token if token is not None and not token.path else None

    async def path(self, secret: str, namespace: str | None = None) -> Token | None:
        """The token of a secret that came in a path, good for this namespace."""
        token = matching(await self._in_force(), secret)
        if token is None or not token.path:
            return None
        bound = token.namespaces and namespace is not None and namespace not in token.namespaces
        return None if bound else token

    async def of_digest(self, wanted: str) -> Token | None:
        """The bearer token of this digest, for sessions."""
        found = [one for one in await self._in_force() if one.digest == wanted]
        return next((one for one in found if one.revoked is None and not one.path), None)

    async def known(self) -> tuple[Token, ...]:
        """Every token of files and store, revoked ones included, for those who manage them."""
        return await self._in_force()

    def forget(self) -> None:
        """Read the tokens anew before the next one is looked for: they were just changed here."""
        self._read_at = None if self._read_at is None else self._read_at - self._fresh_seconds

    async def _in_force(self) -> tuple[Token, ...]:
        now = self._clock()
        if self._read_at is None or now - self._read_at >= self._fresh_seconds:
            await self._refresh(now)
        return self._tokens

    async def _refresh(self, now: float) -> None:
        try:
            await self.start()
        except (StoreError, ConfigError) as error:
            if self._read_at is None:
                raise
            self._read_at = now
            _log.warning("tokens_not_refreshed", error=str(error))

    def _from_files(self) -> tuple[Token, ...]:
        return tuple(read_file(name, path) for name, path in self._files.items())


async def first_token(store: Store, now: float) -> str | None:
    """
    Make the first bearer token where the store has none, and return its secret; None where it has one.

    Two replicas may start together: the one that comes second says nothing.
    """
    if await store.tokens():
        return None
    secret = new_secret()
    try:
        await store.add_token(Token(name=FIRST, digest=digest(secret), role="admin", created=now))
    except ConflictError:
        return None
    return secret
