"""What is said where there is nothing to judge: always undecided, with the reason."""

from dataclasses import replace

from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.judge import releases
from firedamp.model import Ask, Mode, Outcome, Release, Verdict


def fault(release: Release, ask: Ask, parameters: Parameters, now: float) -> str | None:
    """Why nothing is said of this release; None where something is."""
    if not ask.opens and releases.over(release, parameters, now):
        # Who may not open a release must not take the verdict of the last one for the next.
        return f"the latest release, {release.key}, is over; nobody has asked about another one yet"
    if not stored.is_readable(release.parameters):
        return (
            f"{release.key} was begun by firedamp {release.version}, whose settings this version cannot read"
        )
    return releases.clash(release, ask)


def unknown(ask: Ask, now: float, sentence: str) -> Verdict:
    """The answer where nobody knows the service."""
    return Verdict(Outcome.INCONCLUSIVE, ask.question, sentence, now, recorded=Outcome.INCONCLUSIVE)


def answer(ask: Ask, now: float, sentence: str, mode: Mode) -> Verdict:
    """The answer where there is nothing to judge: who stands aside still does."""
    if mode is not Mode.OFF:
        return replace(unknown(ask, now, sentence), mode=mode)
    aside = f"firedamp stands aside for this service (mode off); {sentence}"
    return replace(unknown(ask, now, aside), outcome=Outcome.PASS, mode=mode)
