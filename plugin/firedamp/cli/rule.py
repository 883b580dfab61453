"""`firedamp rule RELEASE CHECK WORD`: say what a failing warn check is."""

import asyncio
import getpass
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from firedamp.cli import options

if TYPE_CHECKING:
    from pathlib import Path


class Word(StrEnum):
    """What a person may say of a failing warn check."""

    REAL = "real"
    FALSE_ALARM = "false-alarm"
    WITHDRAWN = "withdrawn"


def rule(
    release: Annotated[int, typer.Argument(help="Number of the release, as in its permalink.")],
    check: Annotated[str, typer.Argument(help="The failing warn check.")],
    word: Annotated[Word, typer.Argument(help="real rolls back; false-alarm withholds nothing.")],
    note: Annotated[str, typer.Option(help="Why, for the sentence and the audit trail.")] = "",
    config: options.Config = None,
    server: options.Server = "",
    token_file: options.TokenFile = None,
) -> None:
    """Rule on a failing warn check of a running release, or withdraw what was ruled."""
    if server:
        asyncio.run(told(server, token_file, release, check, word, note))
    else:
        asyncio.run(_spoken(config, release, check, word, note))
    typer.echo(f"release {release}: {check} {word.value.replace('-', ' ')}")


async def told(url: str, token_file: "Path | None", release: int, check: str, word: Word, note: str) -> None:
    """Rule at a server that runs."""
    from urllib.parse import urlencode

    from firedamp.cli.remote import Server, token

    address, told = f"/api/v1/releases/{release}/rulings", {"check": check, "note": note}
    async with Server(url, token(token_file)) as there:
        if word is Word.WITHDRAWN:
            await there.call("DELETE", f"{address}?{urlencode(told)}")
        else:
            await there.call("POST", address, {**told, "word": word.value})


async def _spoken(config: "Path | None", release: int, check: str, word: Word, note: str) -> None:
    from firedamp.judge.rulings import spoken
    from firedamp.model import Ruled, Ruling
    from firedamp.store import open_store

    async with await open_store(options.settings(config).store.address()) as store:
        await spoken(store, Ruling(release, check, Ruled(word), getpass.getuser(), time.time(), note))
