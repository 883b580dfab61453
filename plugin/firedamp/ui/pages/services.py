"""Services with their last releases; one of them; and the record of one of its checks."""

from dataclasses import dataclass

from firedamp.ui.pages.shell import Instant, Mark, Shell


@dataclass(frozen=True, slots=True)
class Tick:
    """One release in a strip; `text` says all of it."""

    link: str
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One service in the list; its strip is in order, the newest last."""

    namespace: str
    service: str
    link: str
    checks: str
    strip: tuple[Tick, ...]
    last: Instant | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All services."""

    shell: Shell
    cards: tuple[Card, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of a service, with what it said of the newest release."""

    name: str
    link: str
    kind: str
    tier: str
    mark: Mark | None
    sentence: str
    worth: str


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release of a service."""

    link: str
    mark: Mark
    revision: str
    sentence: str
    state: str
    label: str
    started: Instant


@dataclass(frozen=True, slots=True)
class OneService:
    """
    One service.

    Attributes:
        worth: how right its verdicts were, in sentences.
        tune: where it is tuned; "" where nobody configured it.
    """

    shell: Shell
    namespace: str
    service: str
    facts: tuple[tuple[str, str], ...]
    checks: tuple[CheckRow, ...]
    strip: tuple[Tick, ...]
    releases: tuple[ReleaseRow, ...]
    all: str
    worth: tuple[str, ...]
    tune: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a check said of one release, at its last look."""

    link: str
    revision: str
    started: Instant
    mark: Mark
    baseline: str
    canary: str
    effect: str
    p_value: str
    label: str


@dataclass(frozen=True, slots=True)
class Record:
    """A check over the releases of its service."""

    shell: Shell
    namespace: str
    service: str
    service_link: str
    check: str
    summary: str
    entries: tuple[Entry, ...]
    looked: int
    worth: tuple[str, ...]
    tune: str
