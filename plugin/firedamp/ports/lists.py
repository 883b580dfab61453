"""Lists of releases, narrowed and paged by key: ids only grow, so a page never shifts while others arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from firedamp.model import Controller, Judged, Outcome, Release


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Which releases a list shows; what is left at its default leaves all of them.

    Attributes:
        namespaces: those of them; empty for all.
        running: only those that have not ended (True), or that have (False).
        label: what people said of the verdict, in their newest word.
        since, until: Unix times that enclose the start: since <= started < until.
    """

    namespaces: tuple[str, ...] = ()
    service: str | None = None
    revision: str | None = None
    verdict: Outcome | None = None
    controller: Controller | None = None
    running: bool | None = None
    label: Judged | None = None
    since: float | None = None
    until: float | None = None


class Lists(Protocol):
    """The part of the store that lists are made of. Every method may raise StoreError."""

    async def listed(
        self, wanted: Wanted, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> Sequence[Release]:
        """
        A page of releases, newest first.

        Args:
            wanted: which ones.
            before: only ids below it: the page that follows one which ends with it.
            after: only ids above it, the nearest ones: the page that one which begins with it follows.
            limit: how many at the most.
        """
        ...
