"""Lists of releases, narrowed and paged by key: ids only grow, so a page never shifts while others arrive."""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Change:
    """A release that was opened, judged, told of or ended; `at` is when, by the store's own clock."""

    release_id: int
    namespace: str
    at: float


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

    async def newest(
        self, services: Sequence[tuple[str, str]], *, limit: int
    ) -> Mapping[tuple[str, str], Sequence[Release]]:
        """So many of the newest releases of each of these services (namespace and name), newest first."""
        ...

    async def changes(self, since: float | None, *, limit: int = 500) -> tuple[float, Sequence[Change]]:
        """
        The newest change of each release that changed at or after a time, in order of time.

        Args:
            since: by the store's clock; None for none of them, to learn what time it is there.
            limit: how many at the most; the others come with the next question.

        Returns:
            A time up to which changes were told, and the changes. One that was being written meanwhile may
            come later with an earlier time: ask from a few seconds before, and know what was told already.
        """
        ...
