"""`firedamp config`: the settings' schema, a check of a settings file, and what it comes to."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from firedamp import words
from firedamp.cli import options

app = typer.Typer(no_args_is_help=True, help="Look at the settings.")


@app.command()
def schema() -> None:
    """Print the JSON schema of the settings file."""
    from firedamp.config.load import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command()
def check(path: Annotated[Path, typer.Argument(help="Settings file (YAML).")]) -> None:
    """Read a settings file; name every fault with its place and the nearest right word."""
    settings = options.settings(path)
    checks = sum(len(service.parameters().checks) for service in settings.services)
    counted = f"{words.plural(len(settings.services), 'service')}, {words.plural(checks, 'check')}"
    typer.echo(f"{path}: in order, {counted}")
    for service in settings.services:
        if not service.parameters().checks:
            typer.echo(
                f"{path}: {service.namespace}/{service.name} has no checks and can only stay undecided"
            )


@app.command()
def export(
    config: options.Config = None,
    service: Annotated[
        str, typer.Option(help="Only this service's entry, as namespace/name.", show_default=False)
    ] = "",
    tuned: Annotated[
        bool, typer.Option(help="With what people tuned merged in, which is read from the store.")
    ] = True,
) -> None:
    """
    Print the settings as firedamp sees them: file, environment, defaults and what people tuned together.

    What is printed is a settings file that judges by the same; comments say which values were tuned, by
    whom, and since which version. Of secrets it names the files, as the settings do.
    """
    from firedamp.cli import export as exporting

    typer.echo(asyncio.run(exporting.exported(options.settings(config), service, with_tuned=tuned)), nl=False)
