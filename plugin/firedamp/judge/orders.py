"""
What people order by hand: to hold a service, to stand aside for it, or to roll a release back.

An order to roll back is meant for the release that it was given for. So it counts for one that had begun by
then and has not ended, and where it names a revision for that revision alone: the next attempt at it begins
after the order, and is judged afresh however long the order stands.
"""

from firedamp.judge.book import Book, Profile
from firedamp.model import Ask, Mode, Release
from firedamp.ports import Gate, Store

_ROLLBACK = "rollback"


async def mode(store: Store, book: Book, profile: Profile, ask: Ask, now: float) -> tuple[Mode, str]:
    """The strictest of the settings, a freeze in force and what people ordered; and why it is held."""
    found: dict[Mode, str] = {profile.mode: ""}
    if freeze := book.freeze(ask.namespace, ask.service, now):
        found.setdefault(Mode.HOLD, f"freeze {freeze!r} is in force")
    for each in (Mode.HOLD, Mode.OFF):
        gate = await store.gate(ask.namespace, ask.service, each.value, ask.revision or "", now)
        if gate is not None:
            found[each] = _said(gate, f"said {each.value}")
    strictest = Mode.holding(found)
    return strictest, found[strictest]


async def back(store: Store, release: Release, now: float) -> Gate | None:
    """The order in force to roll this release back; one for its revision before one for any."""
    if release.ended is not None:
        return None
    key = release.key
    # Whoever rolls a rollout back means its experiment too. An older order may hide none for any revision.
    for revision in dict.fromkeys((key.revision, release.rollout, "")):
        gate = await store.gate(key.namespace, key.service, _ROLLBACK, revision, now)
        if gate is not None and release.started < gate.at:
            return gate
    return None


def sentence(order: Gate | None) -> str:
    """Who ordered to roll back, and why; empty where nobody did."""
    return "" if order is None else _said(order, "ordered to roll back")


def _said(gate: Gate, what: str) -> str:
    return f"{gate.by} {what}" + (f": {gate.note}" if gate.note else "")
