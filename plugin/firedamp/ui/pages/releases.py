"""The list of releases."""

from dataclasses import dataclass

from firedamp.ui.pages.shell import Instant, Mark, Shell


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter."""

    value: str
    word: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """
    What the list is narrowed by, as it stands in the form.

    Attributes:
        texts: name to what was typed.
        choices: name to all that can be chosen.
        said: what the list is narrowed by; "" nothing.
        more: whether one of the rarer filters is among it.
        services: names to propose.
    """

    texts: dict[str, str]
    choices: dict[str, tuple[Choice, ...]]
    said: str
    more: bool
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """
    One release in the list.

    Attributes:
        state: "running" or how it ended; `quiet_for` says how long nobody has asked about a running one.
        order: a person's hold, or kill switch, while it runs.
        share: the canary's, as last told; "" unknown.
        analysed: how long it has been judged.
        label: what people said afterwards of the verdict; "" nothing.
    """

    id: int
    link: str
    mark: Mark
    sentence: str
    namespace: str
    service: str
    service_link: str
    revision: str
    attempt: int
    controller: str
    running: bool
    state: str
    order: Mark | None
    quiet_for: str
    share: str
    analysed: str
    label: str
    started: Instant


@dataclass(frozen=True, slots=True)
class Listing:
    """
    A page of releases.

    Attributes:
        here: the address of this very page, to ask for it again.
        newer, older: the pages beside it; "" where there is none.
        troubles: what keeps the newest looks from seeing anything.
        labelled: whether any release shown has a label.
    """

    shell: Shell
    rows: tuple[Row, ...]
    filters: Filters
    here: str
    newer: str
    older: str
    troubles: tuple[str, ...]
    labelled: bool
    url: str
