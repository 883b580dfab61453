"""
Previews: what a change of a service's parameters would have made of its last releases.

The newest releases are judged again one after the other, in a thread and some looks at a time, so that
questions of controllers are answered meanwhile; one preview at a time, and none for longer than its time.
What was compared by then is the answer, and it says of how many. Nothing is written.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from firedamp import words
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Again, Change, Compared, Incomparable
from firedamp.model import Look, Release
from firedamp.ports import Store

#: So many releases are looked at where nobody says otherwise, and at most.
USUAL, MOST = 50, 200
#: So long a preview may take.
SECONDS = 30.0
_LOOKS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What is known so far.

    Attributes:
        wanted: releases to be compared.
        compared: those that are, newest first.
        aside: those that tell nothing, with the reason.
        over: nothing more will come.
    """

    wanted: int
    compared: tuple[Compared, ...] = ()
    aside: tuple[Incomparable, ...] = ()
    over: bool = False

    @property
    def differing(self) -> tuple[Compared, ...]:
        """Releases whose verdict would have been another one."""
        return tuple(one for one in self.compared if one.differs)

    @property
    def left(self) -> int:
        """Releases for which there was no time, or none yet."""
        return self.wanted - len(self.compared) - len(self.aside)

    @property
    def summary(self) -> str:
        """How many verdicts differ, of how many, and how many releases say nothing."""
        of = words.plural(len(self.compared), "verdict")
        told = f"{len(self.differing)} of {of} {'differs' if len(self.differing) == 1 else 'differ'}"
        aside = f"; {words.plural(len(self.aside), 'release')} cannot be compared" if self.aside else ""
        left = (
            f"; for {words.plural(self.left, 'release')} there was no time" if self.over and self.left else ""
        )
        return f"{told}{aside}{left}"

    def after(self, found: Compared | Incomparable) -> "Preview":
        """The same with one more release."""
        if isinstance(found, Compared):
            return replace(self, compared=(*self.compared, found))
        return replace(self, aside=(*self.aside, found))


class Previews:
    """Makes previews out of a store, one at a time."""

    def __init__(
        self, store: Store, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._alone = asyncio.Semaphore(1)

    async def made(
        self, namespace: str, service: str, in_force: Parameters, change: Change, releases: int = USUAL
    ) -> Preview:
        """The whole preview, or what there was time for."""
        found = [one async for one in self.each(namespace, service, in_force, change, releases)]
        return found[-1]

    async def each(
        self, namespace: str, service: str, in_force: Parameters, change: Change, releases: int = USUAL
    ) -> AsyncIterator[Preview]:
        """
        The preview as it grows: first without any release, then after each one, at last over.

        Who leaves before it is over closes it, for others wait (`contextlib.aclosing`).

        Args:
            namespace: of the service.
            service: its name.
            in_force: how it is judged now; releases of other checks or cohorts tell nothing.
            change: what would be other than now.
            releases: so many of the newest, at most `MOST`.
        """
        until = self._clock() + self._seconds
        newest = await self._store.releases(
            namespace=namespace, service=service, limit=max(1, min(releases, MOST))
        )
        preview = Preview(len(newest))
        yield preview
        async with self._alone:
            for release in newest:
                found = await self._again(release, in_force, change, until)
                if found is None:
                    break
                preview = preview.after(found)
                yield preview
        yield replace(preview, over=True)

    async def _again(
        self, release: Release, in_force: Parameters, change: Change, until: float
    ) -> Compared | Incomparable | None:
        """The release judged again; None where the time is over."""
        if (reason := tuning.obstacle(release, in_force)) is not None:
            return Incomparable(release, reason)
        last = await self._store.last_look(release.id)
        if last is None:
            return Incomparable(release, "no look was taken of it")
        found = await self._folded(release, last, change, until)
        if isinstance(found, Compared) and found.differs and tuning.is_of_other_version(last):
            return await self._by_us(found, last, until)
        return found

    async def _by_us(self, found: Compared, last: Look, until: float) -> Compared | Incomparable | None:
        """The same where this version judges the release as the one that took its looks did."""
        as_was = await self._folded(found.release, last, Change(), until)
        if isinstance(as_was, Compared) and not as_was.differs:
            return found
        reason = f"firedamp {last.version} took its looks, and this version judges them otherwise"
        return None if as_was is None else Incomparable(found.release, reason)

    async def _folded(
        self, release: Release, last: Look, change: Change, until: float
    ) -> Compared | Incomparable | None:
        again = tuning.begin(release, last, change)
        while isinstance(again, Again) and not again.is_over:
            if self._clock() >= until:
                return None
            after = again.session.blocks - 1
            looks = await self._store.looks(release.id, after=after, limit=_LOOKS_AT_ONCE)
            if not looks:
                return Incomparable(release, "its looks are not there any more")
            again = await asyncio.to_thread(again.taken, looks)
        if isinstance(again, Incomparable):
            return again
        return tuning.compared(again, await self._store.rulings(release.id))
