"""What `firedamp judge` is asked to do, read from its options before anything heavy is loaded."""

from dataclasses import dataclass
from pathlib import Path

from firedamp.cli.render import Format
from firedamp.model import Ask


@dataclass(frozen=True, slots=True)
class Order:
    """
    What the command line asks for.

    Attributes:
        server: address of a server to ask; empty to judge here.
        patience_seconds: how long to watch; None until the service's decide-by.
        window: past window in Unix seconds; None for the present.
    """

    ask: Ask
    config: Path | None
    server: str
    token_file: Path | None
    shape: Format
    watch: bool
    patience_seconds: float | None
    every_seconds: float
    window: tuple[float, float] | None
