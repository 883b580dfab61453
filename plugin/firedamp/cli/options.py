"""
Options that several commands share, and the settings they name.

The settings pull in the checks and with them scipy (0.7 s), so they are imported where they are read:
`--help` must answer at once.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firedamp.errors import AskError

if TYPE_CHECKING:
    from firedamp.config import Service, Settings

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="FIREDAMP_CONFIG", help="Settings file (YAML).", show_envvar=True),
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Namespace of the service.")]
Canary = Annotated[
    str, typer.Option(help="Canary's name in the metrics: pod-template hash, version ...", show_default=False)
]
Baseline = Annotated[
    str, typer.Option(help="Baseline's name, where old pods run beside the canary.", show_default=False)
]
Main = Annotated[str, typer.Option(help="Name of the old version that serves the rest.", show_default=False)]
Server = Annotated[
    str,
    typer.Option(envvar="FIREDAMP_URL", help="Ask this server instead of judging here.", show_default=False),
]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with the server's token; else FIREDAMP_TOKEN.", show_default=False)
]


class Shape(StrEnum):
    """What a report is printed as."""

    TEXT = "text"
    JSON = "json"


def settings(path: Path | None) -> "Settings":
    """Read the settings; ConfigError says what is wrong with them."""
    from firedamp.config.load import load

    return load(path)


def service(found: "Settings", namespace: str, name: str) -> "Service":
    """
    The service to work on.

    Raises:
        ConfigError: it is in the settings neither by name nor by defaults; says what to add.
    """
    from firedamp.config.load import service_to_add
    from firedamp.errors import ConfigError

    service = found.service(namespace, name)
    if service is None:
        raise ConfigError(
            f"service {namespace}/{name} is not in the settings; add: {service_to_add(namespace, name)}"
        )
    return service


def arms(canary: str, baseline: str, main: str) -> dict[str, str]:
    """The cohorts' names as a question carries them: those that were given."""
    given = {"baseline": baseline, "main": main, "canary": canary}
    return {arm: value for arm, value in given.items() if value}


def read(how: Callable[[str], float], text: str, option: str) -> float | None:
    """
    An option's value; None where it is empty.

    Raises:
        AskError: it cannot be read; names the option.
    """
    try:
        return how(text) if text else None
    except ValueError as error:
        raise AskError(f"{option}: {error}") from error
