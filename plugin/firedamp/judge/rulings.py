"""
What people said of a running release: heard with every question, refused in words where it cannot be said.

A ruling is written with the sentence that the person saw and the block it was said at, and the release takes
its new verdict along, so that lists show it at once. Whoever calls holds the release's lock.
"""

from dataclasses import replace

from firedamp.decision import parameters as stored
from firedamp.decision import recorded, rulings
from firedamp.decision.parameters import Parameters
from firedamp.errors import AskError, NotFoundError
from firedamp.judge import releases
from firedamp.model import Look, Release, Ruling, Tier
from firedamp.ports import Store


class Rulings:
    """Hears and takes down what people say."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def in_force(self, release: Release, parameters: Parameters) -> tuple[Ruling, ...]:
        """The words that count now; the store is not asked where no check can be ruled on."""
        if all(check.tier is not Tier.WARN for check in parameters.checks):
            return ()
        return rulings.in_force(await self._store.rulings(release.id))

    async def spoken(self, ruling: Ruling) -> Ruling:
        """
        Take a ruling down; its block and what the check said are those of the last look.

        Raises:
            NotFoundError: there is no such release.
            AskError: it cannot be said of this release now.
        """
        release = await self.release(ruling.release_id)
        parameters = _parameters(release, ruling.at)
        before, look = await self.in_force(release, parameters), await self._store.last_look(release.id)
        wrong = rulings.refusal(ruling.word, ruling.check, release, parameters, look, before)
        if wrong is not None or look is None:
            raise AskError(wrong or f"{release.key} has no look yet: ask again when it has one")
        ruling = _as_seen(ruling, look)
        await self._store.rule(ruling)
        told = recorded.verdict(release, parameters, look, rulings.in_force([*before, ruling]))
        await self._store.update(replace(release, verdict=told[0], sentence=told[1]))
        return ruling

    async def release(self, release_id: int) -> Release:
        """
        The release of this number.

        Raises:
            NotFoundError: there is none.
        """
        release = await self._store.release(release_id)
        if release is None:
            raise NotFoundError(f"release {release_id} is not known: ids are whole numbers; see the releases")
        return release


def _parameters(release: Release, now: float) -> Parameters:
    """By what a release is judged, where it still is."""
    if not stored.is_readable(release.parameters):
        begun = f"{release.key} was begun by firedamp {release.version}"
        raise AskError(f"{begun}, whose settings this version cannot read; label it instead")
    parameters = stored.from_json(release.parameters)
    if release.ended is None and releases.over(release, parameters, now):
        raise AskError(f"{release.key} is over: nobody has asked about it for long; label it instead")
    return parameters


def _as_seen(ruling: Ruling, look: Look) -> Ruling:
    said = (finding.sentence for finding in look.findings if finding.check == ruling.check)
    return replace(ruling, block=look.evidence.block.index, said=next(said, ""))
