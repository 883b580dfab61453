"""`firedamp outcome SERVICE HOW`: report how a release ended."""

import asyncio
import getpass
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firedamp.cli import options
from firedamp.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from firedamp.model import Release


def outcome(
    service: Annotated[str, typer.Argument(help="Service released.")],
    how: Annotated[str, typer.Argument(help="How it ended: promoted, aborted, ...")],
    namespace: options.Namespace = "default",
    revision: Annotated[str, typer.Option(help="Name of the new version; default: the latest release.")] = "",
    config: options.Config = None,
    server: options.Server = "",
    token_file: options.TokenFile = None,
) -> None:
    """Report how a release ended, so that it is closed and can be learned from."""
    if server:
        asyncio.run(_told(server, token_file, body(service, how, namespace, revision)))
        typer.echo(f"{namespace}/{service}: {how}")
        return
    release = asyncio.run(_ended(config, namespace, service, revision or None, how))
    if release is None:
        raise NotFoundError(f"no release of {namespace}/{service} is known")
    typer.echo(f"{release.key}: {release.outcome}")


def body(service: str, how: str, namespace: str, revision: str) -> dict[str, Any]:
    """The report as the API takes it."""
    report = {"service": service, "namespace": namespace, "outcome": how}
    return report | ({"revision": revision} if revision else {})


async def _told(url: str, token_file: "Path | None", report: dict[str, Any]) -> None:
    from firedamp.cli.remote import Server, token

    async with Server(url, token(token_file)) as server:
        await server.call("POST", "/api/v1/outcomes", report)


async def _ended(
    config: "Path | None", namespace: str, service: str, revision: str | None, how: str
) -> "Release | None":
    from firedamp.wiring import living

    async with living(options.settings(config)) as alive:
        release = await alive.judge.ended(
            namespace, service, revision, outcome=how, by=getpass.getuser(), now=time.time()
        )
        # Nobody else learns from it once this program is gone.
        await alive.judge.settled()
        return release
