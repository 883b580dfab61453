"""
Where judgements stood, so that a restart takes the last blocks of a release and not all of them.

Every tenth block the session is written down, beside the answers. A snapshot saves work and decides nothing:
one that does not fit, is damaged or cannot be had is passed over with a line in the log, and the blocks are
taken from the first one on.
"""

import asyncio

import structlog

from firedamp.decision import snapshot
from firedamp.decision.frozen import UnfitError
from firedamp.decision.session import Session
from firedamp.errors import StoreError
from firedamp.judge.background import Background
from firedamp.model import Release
from firedamp.ports import Snapshot, Store
from firedamp.telemetry import Work

_LOG = structlog.get_logger()

#: A snapshot is taken after so many blocks.
EVERY = 10
_PATIENCE_SECONDS = 60.0


class Snapshots:
    """Writes sessions down in the background, one at a time, and takes them up again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._background = Background(Work.SNAPSHOT, at_once=1, patience_seconds=_PATIENCE_SECONDS)

    def took(self, release: Release, session: Session, *, before: int) -> None:
        """
        Begin to write a session down where that is its due.

        Args:
            release: the session's.
            session: all its looks are in the store.
            before: blocks it had taken the last time.
        """
        if session.blocks // EVERY > before // EVERY:
            self._background.begin(f"of {release.key}", lambda: self._keep(release, session))

    async def restored(self, release: Release, begun: Session) -> Session:
        """The session as the store last kept it; the one begun anew where it kept none that fits."""
        try:
            kept = await self._store.snapshot(release.id)
            return begun if kept is None else await self._fitting(kept, begun)
        except (StoreError, UnfitError) as error:
            _LOG.warning("snapshot", what=f"of {release.key}", error=f"{error}; its blocks are taken again")
            return begun

    async def settled(self) -> None:
        """What was begun is written, or given up."""
        await self._background.settled()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._background.close()

    async def _keep(self, release: Release, session: Session) -> None:
        body = await asyncio.to_thread(snapshot.taken, session)
        await self._store.keep(Snapshot(release.id, session.blocks - 1, body))

    async def _fitting(self, kept: Snapshot, begun: Session) -> Session:
        session = await asyncio.to_thread(snapshot.restored, kept.body, begun)
        looks = await self._store.looks(kept.release_id, after=kept.block - 1, limit=1)
        blocks = {kept.block, session.blocks - 1, *(look.evidence.block.index for look in looks)}
        if len(blocks) > 1 or not looks:
            raise UnfitError(f"the snapshot of block {kept.block} goes beyond the release's looks")
        return session
