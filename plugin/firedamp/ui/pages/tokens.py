"""What the page of tokens shows: who has one, a form for another, and a new secret, once."""

from collections.abc import Mapping
from dataclasses import dataclass

from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Choice
from firedamp.ui.pages.shell import Instant, Mark, Shell


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One credential; `revocable` where it can be revoked here."""

    name: str
    mark: Mark
    role: str
    kind: str
    where: str
    made: Instant | None
    revocable: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was just made; its secret is shown this once."""

    name: str
    secret: str
    use: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """A token about to be revoked, and what that means."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to say beside the list: what was done, what is about to be, what cannot be."""

    closed_to: str = ""
    fault: str = ""
    done: str = ""
    made: Made | None = None
    leaving: Leaving | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens; no form where whoever looks may make none."""

    shell: Shell
    rows: tuple[TokenRow, ...]
    form: Mapping[str, Entry] | None
    roles: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    said: Said
