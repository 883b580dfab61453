"""Making and revoking tokens by hand of an administrator, with a line in the audit trail for each."""

from collections.abc import Sequence
from dataclasses import replace

from firedamp.access.keyring import Keyring
from firedamp.access.roles import PROGRAMS, ROLES, permitted
from firedamp.access.tokens import digest, new_secret
from firedamp.errors import AskError, ConflictError, ForbiddenError, NotFoundError, UnsuitedError
from firedamp.ports import Event, Store, Token


class Issuer:
    """Issues tokens of the store; those of mounted files belong to whoever mounts them."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    async def known(self, by: Token) -> Sequence[Token]:
        _of_all(by)
        self._keyring.forget()
        return await self._keyring.known()

    async def make(self, wanted: Token, by: Token, now: float) -> str:
        _of_all(by)
        _sound(wanted)
        if any(one.name == wanted.name for one in await self._keyring.known()):
            raise _taken(wanted.name)
        secret = new_secret("fdp" if wanted.path else "fd")
        try:
            await self._store.add_token(replace(wanted, digest=digest(secret), created=now, revoked=None))
        except ConflictError as error:
            raise _taken(wanted.name) from error
        where = ", ".join(wanted.namespaces) or "all namespaces"
        kind = "path secret" if wanted.path else "token"
        await self._tell(f"made {kind} {wanted.name}: {wanted.role} for {where}", by, now)
        return secret

    async def revoke(self, name: str, by: Token, now: float) -> None:
        _of_all(by)
        _of_all(by)
        if not await self._store.revoke_token(name, now):
            raise NotFoundError(
                f"no token {name!r} is in force in the store; look at the list, and take mounted ones out of "
                "auth.token_files"
            )
        await self._tell(f"revoked token {name}", by, now)

    async def _tell(self, text: str, by: Token, now: float) -> None:
        self._keyring.forget()
        await self._store.record(Event(now, "token", "", "", "", by.name, text))


def _of_all(by: Token) -> None:
    """Whoever is bound to some namespaces knows and changes nothing of the tokens for others."""
    permitted(by, "admin")
    if by.namespaces:
        raise ForbiddenError(
            f"{by.name!r} is bound to {', '.join(by.namespaces)}: tokens are the affair of administrators "
            "of all namespaces; ask one of them"
        )


def _sound(wanted: Token) -> None:
    if wanted.role not in ROLES:
        raise AskError(f"role is {wanted.role!r}: allowed are {', '.join(ROLES)}; choose one")
    if wanted.path and wanted.role not in PROGRAMS:
        raise AskError(
            f"a path secret is a program's, and {wanted.role} is a role of people; choose one of "
            f"{', '.join(PROGRAMS)}"
        )


def _taken(name: str) -> UnsuitedError:
    return UnsuitedError(f"a token {name!r} exists already; revoked names are not used again: choose another")
