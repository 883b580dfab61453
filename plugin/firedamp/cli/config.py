"""`firedamp config`: the settings' schema, a check of a settings file, and what it comes to."""

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
def export(config: options.Config = None) -> None:
    """Print the settings as firedamp sees them: file, environment and defaults together."""
    import yaml

    settings = options.settings(config)
    typer.echo(
        yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True), nl=False
    )
