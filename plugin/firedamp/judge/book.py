"""What the judge may look up about services, without knowing how settings are written."""

from dataclasses import dataclass
from typing import Protocol

from firedamp.decision.parameters import Parameters
from firedamp.model import Mode


@dataclass(frozen=True, slots=True)
class Profile:
    """
    How one service is judged now.

    Attributes:
        source: name of the source of its metrics; empty where there is none.
        tracer: name of the source of its traces; likewise.
    """

    parameters: Parameters
    source: str
    mode: Mode
    tracer: str = ""


class Book(Protocol):
    """Services by name."""

    def profile(self, namespace: str, service: str) -> Profile | None:
        """How this service is judged; None for one that is set up neither by hand nor by defaults."""
        ...

    def freeze(self, namespace: str, service: str, now: float) -> str:
        """Name of the freeze in force, empty without one."""
        ...

    def remedy(self, namespace: str, service: str) -> str:
        """What to add to the settings so that this service can be judged."""
        ...
