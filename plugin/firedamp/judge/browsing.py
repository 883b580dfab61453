"""
A release as it was known at one of its looks, for people and programs that look back.

Looks are read within bounds: an hour of them at half a minute each, up to the newest or around the one that
is wanted. What a release was judged by may have been written by another version; then it is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from firedamp.checks import Check
from firedamp.decision import exhibits, parameters, rulings
from firedamp.decision.parameters import Parameters
from firedamp.errors import NotFoundError
from firedamp.judge.sent import Sent, sent
from firedamp.model import Finding, Label, Look, Release, Ruling
from firedamp.ports import Store

#: So many looks are read at most.
MOST_LOOKS = 120
#: Where an earlier look is wanted, so many of those are the ones after it.
_AFTERWARDS = 20


@dataclass(frozen=True)
class Browsed:
    """
    A release at one of its looks.

    Attributes:
        looks: those that were read, in order, as they stood with what had been ruled by then.
        place: of the look that is wanted among them; -1 where there is none.
        parameters: how it was judged; None where this version cannot read that.
        queries: of each check, as sent.
        rulings: all that was ever ruled on it, in order.
        label: how right people say its verdict was.
    """

    release: Release
    looks: Sequence[Look] = ()
    place: int = -1
    parameters: Parameters | None = None
    queries: Mapping[str, tuple[Sent, ...]] = field(default_factory=dict)
    rulings: Sequence[Ruling] = ()
    label: Label | None = None

    @cached_property
    def known(self) -> Sequence[Look]:
        """The looks up to the wanted one."""
        return self.looks[: self.place + 1]

    @cached_property
    def look(self) -> Look | None:
        """The wanted one."""
        return self.known[-1] if self.known else None

    @property
    def is_past(self) -> bool:
        """A later look than the wanted one was read."""
        return bool(self.looks) and self.place < len(self.looks) - 1

    @property
    def is_cut(self) -> bool:
        """Looks before the first one read were left out."""
        return bool(self.known) and self.known[0].evidence.block.index > 0

    @cached_property
    def since(self) -> float:
        """When warm-up was over; 0 where no canary was seen, or warm-up is not among the looks read."""
        return 0.0 if self.is_cut else exhibits.warm_from(self.known, self.parameters) or 0.0

    @cached_property
    def fraction(self) -> float:
        """Elapsed part of the window; 0 where it cannot be told."""
        found = exhibits.ahead(self.known, self.parameters) if self.parameters else None
        return found.fraction if found else 0.0

    def finding(self, check: str) -> Finding | None:
        """What a check says at the wanted look."""
        findings = self.look.findings if self.look else ()
        return next((one for one in findings if one.check == check), None)

    def check(self, finding: Finding) -> Check | None:
        """The settings of a finding's check, where they can be read."""
        checks = self.parameters.checks if self.parameters else ()
        return next((one for one in checks if one.name == finding.check), None)


async def browsed(store: Store, release: Release, wanted: str = "") -> Browsed:
    """
    A release at the look of this number; at its newest where none is wanted.

    Raises:
        NotFoundError: there is no such look.
        StoreError: the store is in trouble.
    """
    looks, place = await _looks(store, release, wanted)
    told = await store.rulings(release.id)
    label = (await store.labels([release.id])).get(release.id)
    looks = [rulings.ruled(look, told) for look in looks]
    if not parameters.is_readable(release.parameters):
        return Browsed(release, looks, place, rulings=told, label=label)
    judged_by = parameters.from_json(release.parameters)
    return Browsed(release, looks, place, judged_by, sent(release), told, label)


async def _looks(store: Store, release: Release, wanted: str) -> tuple[Sequence[Look], int]:
    last = await store.last_look(release.id)
    if last is None:
        if wanted:
            raise NotFoundError("no look has been taken of this release yet; ask without one")
        return (), -1
    newest = last.evidence.block.index
    here = _block(wanted, newest) if wanted else newest
    after = min(newest, here + _AFTERWARDS) - MOST_LOOKS
    looks = await store.looks(release.id, after=max(-1, after), limit=MOST_LOOKS)
    if not wanted:
        return looks, len(looks) - 1  # which may have come since the last one was asked for
    place = next((at for at, look in enumerate(looks) if look.evidence.block.index == here), None)
    if place is None:
        raise NotFoundError(f"look {here} is not kept of this release; its page has those that are")
    return looks, place


def _block(text: str, newest: int) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) <= newest:
        return int(text)
    raise NotFoundError(f"look {text[:20]!r} is not there: this release has looks 0 to {newest}; choose one")
