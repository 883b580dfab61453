"""What the page of a release is made from: the release at one of its looks, and how it is shown."""

from dataclasses import dataclass, field, fields

from firedamp.config.links import Links
from firedamp.judge.browsing import Browsed


@dataclass(frozen=True)
class Seen(Browsed):
    """
    A release as somebody looks at it.

    Attributes:
        only: the one check that is shown; "" for all.
        links: where queries can be opened.
        now: Unix seconds.
    """

    only: str = ""
    links: Links = field(default_factory=Links)
    now: float = 0.0

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


def seen(found: Browsed, *, only: str, links: Links, now: float) -> Seen:
    """A release at one of its looks, to be shown."""
    own = {one.name: getattr(found, one.name) for one in fields(Browsed)}
    return Seen(**own, only=only, links=links, now=now)
