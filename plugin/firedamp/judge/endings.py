"""
The end of releases that nobody reported.

A release is left alone while somebody asks about it. After that, the state of its Rollout or Canary tells
how it ended, where that may be read; a Canary's release ends as well when another one of it has begun, for
Flagger judges one at a time; and what everybody left for long is closed by its age.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Protocol

from firedamp.decision import parameters as stored
from firedamp.errors import ClusterError
from firedamp.judge import releases
from firedamp.judge.newsroom import ROLLING
from firedamp.model import Controller, Release
from firedamp.ports import Rollers, Store, Wanted

#: Running releases are read page by page, so many at the most.
_PAGE, _MOST = 200, 5000


class Closing(Protocol):
    """The part of the judge that closes a release."""

    async def close_left(self, release: Release, *, outcome: str, by: str, now: float) -> Release | None:
        """Close this attempt, unless somebody asked about it again or it has ended by now."""
        ...


class Endings:
    """Finds out about ends, and has them closed."""

    def __init__(self, judge: Closing, store: Store, rollers: Rollers | None) -> None:
        self._judge = judge
        self._store = store
        self._rollers = rollers

    async def look(self, now: float) -> None:
        """
        Close what has ended by now.

        Raises:
            ClusterError: nobody could say how some ended; all others are closed nevertheless.
            StoreError: releases cannot be read or closed.
        """
        quiet = [one async for one in self._running() if releases.is_silent(one, now)]
        overtaken = [one for one in quiet if await self._is_overtaken(one)]
        for release in overtaken:
            await self._judge.close_left(release, outcome="superseded", by="firedamp", now=now)
        troubles: list[ClusterError] = []
        for group in _grouped(one for one in quiet if one not in overtaken):
            try:
                told = await self._told(group)
            except ClusterError as error:
                troubles, told = [*troubles, error], {}
            await self._close(told, group, now)
        if troubles:
            raise troubles[0]

    async def _close(self, told: Mapping[int, str], left: Sequence[Release], now: float) -> None:
        for release in left:
            if outcome := told.get(release.id):
                await self._judge.close_left(release, outcome=outcome, by="kubernetes", now=now)
            elif _is_old(release, now):
                outcome = releases.left_as(release)
                await self._judge.close_left(release, outcome=outcome, by="firedamp", now=now)

    async def _told(self, group: Sequence[Release]) -> Mapping[int, str]:
        asked = self._rollers is not None and group[0].controller in ROLLING
        return await self._rollers.endings(group) if self._rollers and asked else {}

    async def _is_overtaken(self, release: Release) -> bool:
        if release.controller is not Controller.FLAGGER:
            return False
        newest = await self._store.latest(release.key.namespace, release.key.service, None)
        other = newest is not None and newest.key.revision != release.key.revision
        return other and newest is not None and newest.started > release.last_asked

    async def _running(self) -> AsyncIterator[Release]:
        before, seen = None, 0
        while seen < _MOST:
            page = await self._store.listed(Wanted(running=True), before=before, limit=_PAGE)
            for release in page:
                yield release
            if len(page) < _PAGE:
                return
            before, seen = page[-1].id, seen + len(page)


def _grouped(left: Iterable[Release]) -> Iterable[Sequence[Release]]:
    """By controller and namespace: one group's trouble is not the others'."""
    groups: dict[tuple[Controller, str], list[Release]] = {}
    for release in left:
        groups.setdefault((release.controller, release.key.namespace), []).append(release)
    return groups.values()


def _is_old(release: Release, now: float) -> bool:
    readable = stored.is_readable(release.parameters)
    deadline = stored.from_json(release.parameters).window.deadline_seconds if readable else 0.0
    return releases.is_abandoned(release, deadline, now)
