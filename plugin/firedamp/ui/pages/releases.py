"""The list of releases."""

from dataclasses import dataclass

from firedamp.ui.pages.shell import Instant, Mark, Shell


@dataclass(frozen=True, slots=True)
class Row:
    """One release in the list."""

    link: str
    mark: Mark
    sentence: str
    service: str
    revision: str
    attempt: int
    state: str
    started: Instant


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of releases."""

    shell: Shell
    rows: tuple[Row, ...]
    namespace: str
    service: str
    next: str
    url: str
