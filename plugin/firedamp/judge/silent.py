"""Which sources are silent now, by the newest looks of running releases: for the list and its JSON twin."""

from collections.abc import Iterable, Sequence

from firedamp.model import Look, Release, TroubleKind
from firedamp.ports import Store

#: So many running releases tell; each costs the reading of a look.
_ASKED = 5
_DOWN = frozenset({TroubleKind.SOURCE_DOWN, TroubleKind.REFUSED})


async def silent(store: Store, releases: Iterable[Release]) -> Sequence[str]:
    """
    What the sources of the first running ones of these releases did not tell, each once, in words.

    Raises:
        StoreError: the store is in trouble.
    """
    running = [release.id for release in releases if release.ended is None]
    return _troubles((await store.last_looks(running[:_ASKED])).values())


def _troubles(looks: Iterable[Look]) -> Sequence[str]:
    found = (
        trouble.text
        for look in looks
        for piece in look.evidence.slices.values()
        for trouble in piece.troubles
        if trouble.kind in _DOWN
    )
    return list(dict.fromkeys(found))
