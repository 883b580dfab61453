"""
Previews: what a change of a service's parameters would have made of its last releases.

The newest releases are judged again one after the other, in a thread and some looks at a time, so that
questions of controllers are answered meanwhile; one preview at a time, and none for longer than its time.
What was compared by then is the answer, and it says of how many. Nothing is written.

What came out is remembered for a while, so that whoever asks again goes on where the last answer ended: a
page asks for a moment at a time, and shows how far it is.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from firedamp import words
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Again, Change, Compared, Incomparable
from firedamp.model import Look, Release, Ruling
from firedamp.ports import Store

#: So many releases are looked at where nobody says otherwise, and at most.
USUAL, MOST = 50, 200
#: So long a preview may take.
SECONDS = 30.0
#: So long a page waits before it shows what there is.
MOMENT = 2.0
_LOOKS_AT_ONCE = 20
_REMEMBERED = 1000

Found = Compared | Incomparable
#: What a result depends on: the release, the change, and the last look with what was ruled while it runs.
_Key = tuple[int, str, tuple[int, tuple[Ruling, ...]] | None]


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
    def counted(self) -> str:
        """How many verdicts differ, of how many."""
        of = words.plural(len(self.compared), "verdict")
        return f"{len(self.differing)} of {of} {'differs' if len(self.differing) == 1 else 'differ'}"

    @property
    def summary(self) -> str:
        """The same, and how many releases say nothing."""
        aside = f"; {words.plural(len(self.aside), 'release')} cannot be compared" if self.aside else ""
        left = (
            f"; for {words.plural(self.left, 'release')} there was no time" if self.over and self.left else ""
        )
        return f"{self.counted}{aside}{left}"

    def after(self, found: Found) -> "Preview":
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
        self._known: OrderedDict[_Key, Found] = OrderedDict()
        self._judged = 0

    async def made(
        self,
        namespace: str,
        service: str,
        in_force: Parameters,
        change: Change,
        releases: int = USUAL,
        *,
        moment: float = math.inf,
    ) -> Preview:
        """The whole preview, or what there was time for; with a moment, what was found in it and before."""
        growing = self.each(namespace, service, in_force, change, releases, moment=moment)
        return [one async for one in growing][-1]

    async def each(
        self,
        namespace: str,
        service: str,
        in_force: Parameters,
        change: Change,
        releases: int = USUAL,
        *,
        moment: float = math.inf,
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
            moment: after so many seconds, and one release at least that nobody knew yet, it is left there.
        """
        asked = self._clock()
        until, soon = asked + self._seconds, asked + moment
        newest = await self._store.releases(
            namespace=namespace, service=service, limit=max(1, min(releases, MOST))
        )
        preview = Preview(len(newest))
        yield preview
        if await self._others_took_the_time():
            yield replace(preview, over=True)
            return
        try:
            before = self._judged
            for release in newest:
                if self._judged > before and self._clock() >= soon:
                    return
                found = await self._again(release, in_force, change, until)
                if found is None:
                    break
                preview = preview.after(found)
                yield preview
        finally:
            self._alone.release()
        yield replace(preview, over=True)

    async def _others_took_the_time(self) -> bool:
        """Wait until nobody else's preview is being made, but no longer than one may take."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._alone.acquire()
        except TimeoutError:
            return True
        return False

    async def _again(
        self, release: Release, in_force: Parameters, change: Change, until: float
    ) -> Found | None:
        """The release judged again, now or before; None where the time is over."""
        if (reason := tuning.obstacle(release, in_force)) is not None:
            return Incomparable(release, reason)
        key: _Key = (release.id, tuning.to_json(change), None)
        if release.ended is not None and key in self._known:
            return replace(self._known[key], release=release)
        last = await self._store.last_look(release.id)
        if last is None:
            return Incomparable(release, "no look was taken of it")
        spoken = tuple(await self._store.rulings(release.id))
        if release.ended is None:
            key = (*key[:2], (last.evidence.block.index, spoken))
        if key not in self._known:
            found = await self._judged_now(release, last, change, spoken, until)
            if found is None:
                return None
            self._remember(key, found)
        return replace(self._known[key], release=release)

    async def _judged_now(
        self, release: Release, last: Look, change: Change, spoken: tuple[Ruling, ...], until: float
    ) -> Found | None:
        found = await self._folded(release, last, change, spoken, until)
        if isinstance(found, Compared) and found.differs and tuning.is_of_other_version(last):
            return await self._by_us(found, last, spoken, until)
        return found

    def _remember(self, key: _Key, found: Found) -> None:
        """Keep what came out, without the settings and the noise of the release, which are long."""
        self._judged += 1
        self._known[key] = replace(found, release=replace(found.release, parameters="", noise=""))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _by_us(
        self, found: Compared, last: Look, spoken: tuple[Ruling, ...], until: float
    ) -> Found | None:
        """The same where this version judges the release as the one that took its looks did."""
        as_was = await self._folded(found.release, last, Change(), spoken, until)
        if isinstance(as_was, Compared) and not as_was.differs:
            return found
        reason = f"firedamp {last.version} took its looks, and this version judges them otherwise"
        return None if as_was is None else Incomparable(found.release, reason)

    async def _folded(
        self, release: Release, last: Look, change: Change, spoken: tuple[Ruling, ...], until: float
    ) -> Found | None:
        again = tuning.begin(release, last, change)
        while isinstance(again, Again) and not again.is_over:
            if self._clock() >= until:
                return None
            after = again.session.blocks - 1
            looks = await self._store.looks(release.id, after=after, limit=_LOOKS_AT_ONCE)
            if not looks:
                return Incomparable(release, "its looks are not there any more")
            again = await asyncio.to_thread(again.taken, looks)
        return again if isinstance(again, Incomparable) else tuning.compared(again, spoken)
