"""`firedamp db`: look after the store's schema."""

import asyncio

import typer

from firedamp.cli import options

app = typer.Typer(no_args_is_help=True, help="The store.")


@app.callback()
def group() -> None:
    """Keep `db` a group of commands, though it has only one so far."""


@app.command()
def upgrade(config: options.Config = None) -> None:
    """Bring the store to the newest schema; serve does so by itself when it starts."""
    from firedamp.store import migrate
    from firedamp.store.migrations import head

    settings = options.settings(config)
    asyncio.run(migrate(settings.store.address()))
    typer.echo(f"{settings.store.url}: schema {head()}")
