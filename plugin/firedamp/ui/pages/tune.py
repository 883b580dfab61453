"""What the page shows on which a service is tuned: a form, what a change would have made, all versions."""

from dataclasses import dataclass

from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Choice, Hidden
from firedamp.ui.pages.shell import Instant, Mark, Shell


@dataclass(frozen=True, slots=True)
class Field:
    """
    One value that may be tuned.

    Attributes:
        label: what people call it.
        entry: what stands in the form, and what is wrong with that.
        hint: how it is written.
        now: the value in force, with its unit.
        origin: whose it is: the settings', or which version's, by whom and since when.
        choices: of which it is one; empty where it is typed.
    """

    label: str
    entry: Entry
    hint: str
    now: str
    origin: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Values that belong together, with a sentence about them."""

    title: str
    about: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check as it is judged now, in a line."""

    name: str
    link: str
    kind: str
    values: str
    tuned: str


@dataclass(frozen=True, slots=True)
class Side:
    """Where a release came to stand."""

    mark: Mark
    sentence: str
    look: str


@dataclass(frozen=True, slots=True)
class Row:
    """A release as it was judged, and as it would have been; its link is to the look where they part."""

    link: str
    name: str
    started: Instant
    then: Side
    now: Side
    note: str
    label: str


@dataclass(frozen=True, slots=True)
class Aside:
    """A release that cannot be compared, and why."""

    link: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What a change would have made of the last releases, as far as that is known.

    Attributes:
        difference: the change in words.
        sentence: how many verdicts differ, of how many.
        progress: how far it is, or why it went no further; "" where all were judged.
        going_on: what is sent to judge more of them; empty where there are no more.
        save: what is sent to put the change into force; empty where it changes nothing.
        note: what was typed as the reason.
        others: checks that may be changed along with it, by the address of their form.
    """

    difference: tuple[str, ...]
    sentence: str
    progress: str
    going_on: Hidden
    rows: tuple[Row, ...]
    same: tuple[Row, ...]
    aside: tuple[Aside, ...]
    save: Hidden
    note: str
    others: Hidden


@dataclass(frozen=True, slots=True)
class Version:
    """
    One version of what people tuned; `note` says what it changed, and why.

    Attributes:
        in_force: whether it is the newest and is followed.
        back: what is sent to see what going back to it would change; empty where it cannot be read.
    """

    number: int
    by: str
    at: Instant
    note: str
    in_force: bool
    back: Hidden


@dataclass(frozen=True, slots=True)
class Tune:
    """
    The page of one service.

    Attributes:
        address: of this page, to which forms are sent.
        state: whose values are in force, in a sentence.
        done: what was just done.
        misfit: why what people tuned is not followed.
        fault: why nothing was done.
        closed_to: why no form is drawn; "" where one is.
        check: whose values are in the form; "" where there is no check.
        checks: all of them, to choose from.
        groups: the values, those of the check first.
        sent: what the form sends beside its fields.
        faulty: a field is not as it should be.
        cut: said where older versions are left out.
        back: what is sent to see what going back to the settings would change; empty where nothing would.
        export: the service's entry in a settings file.
    """

    shell: Shell
    namespace: str
    service: str
    service_link: str
    address: str
    state: str
    done: str
    misfit: str
    fault: str
    closed_to: str
    check: str
    checks: tuple[Choice, ...]
    lines: tuple[CheckLine, ...]
    groups: tuple[Group, ...]
    sent: Hidden
    faulty: bool
    outcome: Outcome | None
    versions: tuple[Version, ...]
    cut: str
    back: Hidden
    export: str
