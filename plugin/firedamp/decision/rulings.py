"""
What people's rulings make of what was found: neither evidence nor findings, only where a release stands.

A check of the warn tier that fails asks a person. Ruled real it is harm like a critical one, from the next
question on and whatever the check says later. Ruled a false alarm it keeps nothing from passing, for as long
as the release runs: what was seen is known to be none. The newest word on a check counts, and whoever
withdraws it leaves things as the evidence has them.

A ruling holds for the blocks after the last one judged when it was spoken, so that a release judged again
from its evidence stands at every block where it stood then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from firedamp.decision import reading
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import WARNINGS
from firedamp.model import Finding, Judged, Look, Outcome, Release, Ruled, Ruling, Standing, Tier

_TIERS = {
    Tier.CRITICAL: "its failure rolls back by itself",
    Tier.DEBUG: "its failure is only recorded; make it a warn check in the settings",
}

_OF_A_FAILURE = (Judged.TRUE_POSITIVE, Judged.FALSE_POSITIVE)
_OF_A_PASS = (Judged.TRUE_NEGATIVE, Judged.FALSE_NEGATIVE)


def in_force(rulings: Iterable[Ruling], before: int | None = None) -> tuple[Ruling, ...]:
    """
    The words that count, in the order in which they were spoken.

    Args:
        rulings: all of a release, in that order.
        before: index of a block: of those that held at it already; None of all.
    """
    newest: dict[str, Ruling] = {}
    for ruling in rulings:
        if before is None or ruling.block < before:
            newest.pop(ruling.check, None)
            newest[ruling.check] = ruling
    return tuple(ruling for ruling in newest.values() if ruling.word is not Ruled.WITHDRAWN)


def real(rulings: Sequence[Ruling]) -> Ruling | None:
    """The first one in force that makes a failure harm."""
    return next((ruling for ruling in rulings if ruling.word is Ruled.REAL), None)


def standing(look: Look, rulings: Sequence[Ruling]) -> Standing:
    """Where a release stands after a look, with the rulings in force; harm that was proven comes first."""
    found = look.standing
    if found.failed_block is not None:
        return found
    if (ruling := real(rulings)) is not None:
        return replace(found, failed_block=ruling.block, harm=sentence(ruling))
    if found.passed_block is None and _let_go(look, rulings):
        return replace(found, passed_block=found.withheld_block)
    return found


def standing_then(look: Look, rulings: Sequence[Ruling]) -> Standing:
    """Where a release stood at a look, of all that was ever ruled on it."""
    return standing(look, in_force(rulings, before=look.evidence.block.index))


def ruled(look: Look, rulings: Sequence[Ruling]) -> Look:
    """A look as it stood then: for timelines, never to be stored."""
    return replace(look, standing=standing_then(look, rulings)) if rulings else look


def sentence(ruling: Ruling) -> str:
    """Why a failure is harm: who said so, what the check said, and the note."""
    note = f"; note: {ruling.note}" if ruling.note else ""
    return f"ruled {ruling.word.spoken} by {ruling.by}: {ruling.said}{note}"


def _let_go(look: Look, rulings: Sequence[Ruling]) -> bool:
    """Only warnings withheld the pass, and too few of them are left."""
    alarms = reading.false_alarms(rulings)
    if look.standing.withheld_block is None or not alarms:
        return False
    left = [
        finding
        for finding in look.findings
        if finding.tier is Tier.WARN and finding.outcome is Outcome.FAIL and finding.check not in alarms
    ]
    return len(left) < WARNINGS


def refusal(
    word: Ruled,
    check: str,
    release: Release,
    parameters: Parameters,
    look: Look | None,
    rulings: Sequence[Ruling],
) -> str | None:
    """
    Why a word on a check cannot be spoken now; None where it can.

    Args:
        word: what somebody wants to say.
        check: of which check.
        release: whose check it is.
        parameters: those of the release.
        look: the last one; None before there is any.
        rulings: those in force.
    """
    if release.ended is not None:
        ended = f"{release.key} has ended ({release.outcome})"
        return f"{ended}: only a running release is ruled on; label it instead"
    known = {one.name: one.tier for one in parameters.checks}
    if check not in known:
        return f"{release.key} has no check {check!r}: it has {', '.join(known) or 'none'}"
    if word is Ruled.WITHDRAWN:
        ruled = any(ruling.check == check for ruling in rulings)
        return None if ruled else f"nobody's ruling on check {check!r} is in force: there is none to withdraw"
    if known[check] is not Tier.WARN:
        why = _TIERS[known[check]]
        return f"check {check!r} is of the {known[check]} tier: only warn checks are ruled on; {why}"
    return _not_failing(check, look.findings if look else ())


def mislabelled(word: Judged, release: Release) -> str | None:
    """Why a word about a release's verdict goes with another verdict; None where it goes with this one."""
    failed = release.verdict is Outcome.FAIL
    fitting = (*_OF_A_FAILURE, Judged.WITHDRAWN) if failed else (*_OF_A_PASS, Judged.WITHDRAWN)
    if word in fitting:
        return None
    of = "failed" if failed else "did not fail"
    return (
        f"{word} is no label of {release.key}, which {of}: {' or '.join(fitting[:2])} is allowed; say which"
    )


def _not_failing(check: str, findings: Sequence[Finding]) -> str | None:
    if check in reading.failing(findings, Tier.WARN):
        return None
    says = next(
        (f"says {finding.outcome}" for finding in findings if finding.check == check), "says nothing yet"
    )
    return f"check {check!r} {says}: only a failing check is ruled on; wait until it fails"
