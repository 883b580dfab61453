"""
What people say of releases: rulings heard with every question, and what cannot be said refused in words.

A ruling is written with the sentence that the person saw and the block it was said at, and the release takes
its new verdict along, so that lists show it at once.
"""

from dataclasses import replace

from firedamp.decision import parameters as stored
from firedamp.decision import recorded, rulings
from firedamp.decision.parameters import Parameters
from firedamp.errors import NotFoundError, UnsuitedError
from firedamp.judge import releases
from firedamp.model import Label, Look, Release, Ruling, Tier
from firedamp.ports import Store


async def in_force(store: Store, release: Release, parameters: Parameters) -> tuple[Ruling, ...]:
    """The words that count now; the store is not asked where no check can be ruled on."""
    if all(check.tier is not Tier.WARN for check in parameters.checks):
        return ()
    return rulings.in_force(await store.rulings(release.id))


async def spoken(store: Store, ruling: Ruling) -> Ruling:
    """
    Rule on a failing warn check of a running release, or withdraw a ruling.

    Args:
        store: where the release is; it is locked for as long as this takes.
        ruling: its block and what the check said are filled in.

    Returns:
        The ruling as it was written down.

    Raises:
        NotFoundError: there is no such release.
        AskError: it cannot be said of this release now.
    """
    async with store.lock((await _release(store, ruling.release_id)).key):
        release = await _release(store, ruling.release_id)
        parameters = _parameters(release, ruling.at)
        before, look = await in_force(store, release, parameters), await store.last_look(release.id)
        wrong = rulings.refusal(ruling.word, ruling.check, release, parameters, look, before)
        if wrong is not None or look is None:
            raise UnsuitedError(wrong or f"{release.key} has no look yet: ask again when it has one")
        ruling = _as_seen(ruling, look)
        await store.rule(ruling)
        told = recorded.verdict(release, parameters, look, rulings.in_force([*before, ruling]))
        await store.update(replace(release, verdict=told[0], sentence=told[1]))
        return ruling


async def labelled(store: Store, label: Label) -> Label:
    """
    Say how right the verdict of a release was, or withdraw what was said.

    Raises:
        NotFoundError: there is no such release.
        AskError: the word goes with another verdict.
    """
    release = await _release(store, label.release_id)
    if wrong := rulings.mislabelled(label.word, release):
        raise UnsuitedError(wrong)
    await store.label(label)
    return label


async def _release(store: Store, release_id: int) -> Release:
    release = await store.release(release_id)
    if release is None:
        raise NotFoundError(f"release {release_id} is not known: ids are whole numbers; see the releases")
    return release


def _parameters(release: Release, now: float) -> Parameters:
    """By what a release is judged, where it still is."""
    if not stored.is_readable(release.parameters):
        begun = f"{release.key} was begun by firedamp {release.version}"
        raise UnsuitedError(f"{begun}, whose settings this version cannot read; label it instead")
    parameters = stored.from_json(release.parameters)
    if release.ended is None and releases.over(release, parameters, now):
        raise UnsuitedError(f"{release.key} is over: nobody has asked about it for long; label it instead")
    return parameters


def _as_seen(ruling: Ruling, look: Look) -> Ruling:
    said = (finding.sentence for finding in look.findings if finding.check == ruling.check)
    return replace(ruling, block=look.evidence.block.index, said=next(said, ""))
