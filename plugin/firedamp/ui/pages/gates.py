"""What the page of gates shows: switches that people threw, a form to throw one, and what that would do."""

from collections.abc import Mapping
from dataclasses import dataclass

from firedamp.ui.forms import Entry
from firedamp.ui.pages.shell import Instant, Link, Mark, Shell

#: Fields of a form that nobody fills in: name and value.
Hidden = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Act:
    """A button with all that it sends."""

    label: str
    about: str
    fields: Hidden


@dataclass(frozen=True, slots=True)
class Switch:
    """One gate, hold or kill switch."""

    mark: Mark
    what: str
    service: str
    revision: str
    by: str
    note: str
    at: Instant
    until: Instant
    act: Act | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several; `chosen` is how it is drawn."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to happen, in words, before somebody says yes."""

    title: str
    sentence: str
    warning: str
    label: str
    fields: Hidden


@dataclass(frozen=True, slots=True)
class Gates:
    """
    The switches in force and those that were thrown back a moment ago.

    Attributes:
        done: what was just done; "" where nothing was.
        release: the release that it was done about, where there is one.
        form: the fields of a new one; none where whoever looks may throw none.
        closed_to: why no form is drawn; "" where one is.
    """

    shell: Shell
    namespace: str
    service: str
    done: str
    open: tuple[Switch, ...]
    closed: tuple[Switch, ...]
    cut: str
    form: Mapping[str, Entry] | None
    hooks: tuple[Choice, ...]
    closed_to: str
    plan: Plan | None
    release: Link | None = None
