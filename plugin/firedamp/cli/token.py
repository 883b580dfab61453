"""
`firedamp token`: make, list and revoke credentials in the store.

Whoever reaches the store is an administrator; the audit trail names the user of the machine.
"""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from firedamp.cli import options
from firedamp.cli.instants import written

if TYPE_CHECKING:
    from firedamp.access import Issuer
    from firedamp.config import Settings
    from firedamp.ports import Store, Token

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Credentials of callers.")


class Role(StrEnum):
    """What a token is good for; the first two are programs', the last is both's, the others people's."""

    ASKER = "asker"
    GATEKEEPER = "gatekeeper"
    VIEWER = "viewer"
    RULER = "ruler"
    TUNER = "tuner"
    ADMIN = "admin"


_ROLES = (
    "Programs: asker (verdicts), gatekeeper (also gates). People: viewer (reads), ruler (also rules, labels, "
    "gates), tuner (also tunes). Both: admin (all)."
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    role: Annotated[Role, typer.Option(help=_ROLES)] = Role.ASKER,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", "-n", help="Good for this one only; repeatable.")
    ] = None,
    path: Annotated[bool, typer.Option("--path", help="A secret path segment for Flagger's hooks.")] = False,
    config: options.Config = None,
) -> None:
    """Make a token and print its secret, once; only its digest is kept."""
    from firedamp.ports import Token

    wanted = Token(name, "", role.value, tuple(namespace or ()), path)
    typer.echo(within(options.settings(config), lambda store: issuer(store).make(wanted, by(), time.time())))


@app.command(name="list")
def show(config: options.Config = None) -> None:
    """List tokens: name, role, namespaces, when made, whether revoked; never a secret."""
    for token in within(options.settings(config), lambda store: store.tokens()):
        typer.echo(line(token))


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Name of the token.")], config: options.Config = None
) -> None:
    """Make a token useless from now on."""
    within(options.settings(config), lambda store: issuer(store).revoke(name, by(), time.time()))
    typer.echo(f"{name}: revoked; replicas notice within seconds")


def line(token: "Token") -> str:
    """A token as a line of a list."""
    state = f"revoked {written(token.revoked)}" if token.revoked is not None else "in force"
    where = ",".join(token.namespaces) or "all namespaces"
    kind = "path" if token.path else "bearer"
    return f"{token.name:<20} {token.role:<10} {kind:<6} {where:<24} made {written(token.created)}  {state}"


def issuer(store: "Store") -> "Issuer":
    """What makes and revokes tokens of a store, with a line in its audit trail for each."""
    from firedamp.access import Issuer, Keyring

    return Issuer(store, Keyring(store))


def by() -> "Token":
    """Whoever types this, as an administrator of everything."""
    from firedamp.ports import Token

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "somebody"
    return Token(f"{user} (command line)", "", "admin")


def within(settings: "Settings", work: "Callable[[Store], Awaitable[T]]") -> T:
    """Do one thing in the store of the settings."""
    from firedamp.store import open_store

    async def done() -> T:
        async with await open_store(settings.store.address()) as store:
            return await work(store)

    return asyncio.run(done())
