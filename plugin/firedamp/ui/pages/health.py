"""What the page of health shows: what is wrong first, then how everything is doing."""

from dataclasses import dataclass

from firedamp.ui.pages.shell import Mark, Shell


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as it should be, and what to do about it."""

    mark: Mark
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source, as this replica has seen it."""

    name: str
    kind: str
    mark: Mark
    answered: str
    failed: str


@dataclass(frozen=True, slots=True)
class WorkRow:
    """Work beside the answers, as this replica has seen it."""

    what: str
    mark: Mark
    done: str
    failed: str


@dataclass(frozen=True, slots=True)
class Health:
    """How this replica is doing."""

    shell: Shell
    mark: Mark
    sentence: str
    wrong: tuple[Wrong, ...]
    sources: tuple[SourceRow, ...]
    work: tuple[WorkRow, ...]
    facts: tuple[tuple[str, str], ...]
    intake: tuple[tuple[str, str], ...]
