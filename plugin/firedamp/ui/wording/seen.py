"""What the page of a release is made from: the release at one of its looks, and how it is shown."""

from dataclasses import dataclass, field, fields
from typing import Any

from firedamp.config.links import Links
from firedamp.judge.browsing import Browsed


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A word that was not taken.

    Attributes:
        check: of which it was; "" for the release's label.
        note: as it was typed.
        why: what was wrong.
    """

    check: str
    note: str
    why: str


@dataclass(frozen=True)
class Seen(Browsed):
    """
    A release as somebody looks at it.

    Attributes:
        only: the one check that is shown; "" for all.
        links: where queries can be opened.
        now: Unix seconds.
        may_rule: whoever looks may rule and label.
        tunable: checks that the settings name today.
        refused: what they sent and why it was not taken; nothing mostly.
    """

    only: str = ""
    links: Links = field(default_factory=Links)
    now: float = 0.0
    may_rule: bool = False
    tunable: frozenset[str] = frozenset()
    refused: Refused | None = None

    @property
    def address(self) -> str:
        """Of the page."""
        return f"/releases/{self.release.id}"

    @property
    def twin(self) -> str:
        """Of the same as JSON."""
        return f"/api/v1/releases/{self.release.id}"

    @property
    def at(self) -> str:
        """What an address says of the look that is shown; nothing where it is the last."""
        return f"look={self.look.evidence.block.index}" if self.look and self.is_past else ""


def seen(found: Browsed, **more: Any) -> Seen:  # noqa: ANN401 - the fields of Seen
    """A release at one of its looks, to be shown."""
    own = {one.name: getattr(found, one.name) for one in fields(Browsed)}
    return Seen(**own, **more)
