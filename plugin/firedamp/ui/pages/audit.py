"""What the page of the audit trail shows: who did what, newest first."""

from dataclasses import dataclass

from firedamp.ui.pages.gates import Choice
from firedamp.ui.pages.shell import Instant, Shell


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done."""

    at: Instant
    kind: str
    by: str
    text: str
    service: str
    revision: str
    link: str


@dataclass(frozen=True, slots=True)
class Audit:
    """
    A page of the trail.

    Attributes:
        kinds: what it can be narrowed to.
        older: where it goes on; "" at its end.
        narrowed: whether a filter is in force.
    """

    shell: Shell
    lines: tuple[Line, ...]
    namespace: str
    service: str
    by: str
    since: str
    until: str
    kinds: tuple[Choice, ...]
    older: str
    narrowed: bool
