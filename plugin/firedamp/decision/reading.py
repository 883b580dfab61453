"""
How a person reads the findings of a look: what comes first, what fails beside it, what is still open.

A failing check has earned its outcome alone. Once one of a tier has failed, the others need less (Holm), and
those that reach it are named as well: when an outage moves ten checks, the sentence should say so.
"""

from collections.abc import Mapping, Sequence

from firedamp import words
from firedamp.model import Finding, Outcome, Ruled, Ruling, Tier
from firedamp.stats.multiplicity import holm

_RANK = {Outcome.FAIL: 0, Outcome.INCONCLUSIVE: 1, Outcome.PASS: 2}
_TIERS = {Tier.CRITICAL: 0, Tier.WARN: 1, Tier.DEBUG: 2}


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Failing before waiting before passing, critical before warn before debug, unlikely before likely."""
    return tuple(sorted(findings, key=lambda one: (_RANK[one.outcome], _TIERS[one.tier], _chance(one))))


def failing(findings: Sequence[Finding], tier: Tier) -> tuple[str, ...]:
    """Names of the failing checks of a tier, with those that Holm accuses once one of them fails."""
    known = [one for one in findings if one.tier is tier and one.p_value is not None and one.alpha]
    alone = [one.check for one in findings if one.tier is tier and one.outcome is Outcome.FAIL]
    if not alone or not known:
        return tuple(alone)
    parts = [one.alpha or 0.0 for one in known]
    adjusted = holm([_chance(one) for one in known], weights=parts)
    beside = [one.check for one, p in zip(known, adjusted, strict=True) if p <= sum(parts)]
    return tuple(dict.fromkeys([*alone, *beside]))


def beside(findings: Sequence[Finding], tier: Tier) -> str:
    """How many more checks of a tier fail, for the end of the sentence about the first one."""
    more = len(failing(findings, tier)) - 1
    return f" (and {words.plural(more, 'more check')})" if more > 0 else ""


def warnings(findings: Sequence[Finding], rulings: Sequence[Ruling] = ()) -> str:
    """The failing checks of the warn tier and which of them are false alarms, for the end of a sentence."""
    alarms = false_alarms(rulings)
    names = failing([one for one in findings if one.check not in alarms], Tier.WARN)
    warned = f"; warning: {', '.join(names)} failing" if names else ""
    return warned + "".join(
        f"; {check} fails, a false alarm says {alarms[check].by}"
        for check in failing(findings, Tier.WARN)
        if check in alarms
    )


def false_alarms(rulings: Sequence[Ruling]) -> Mapping[str, Ruling]:
    """The checks whose failures are none, of the rulings in force."""
    return {ruling.check: ruling for ruling in rulings if ruling.word is Ruled.FALSE_ALARM}


def open_question(findings: Sequence[Finding]) -> str | None:
    """Why there is no answer, by the critical check that says most; None where all agree."""
    waiting = [one for one in findings if one.tier is Tier.CRITICAL and one.outcome is Outcome.INCONCLUSIVE]
    if not waiting:
        return None
    others = f" ({words.plural(len(waiting) - 1, 'more check')} waiting)" if len(waiting) > 1 else ""
    return f"{max(waiting, key=_urgency).sentence}{others}"


def _urgency(finding: Finding) -> tuple[bool, bool, int]:
    """Bad data first, then harm that is proven of few pods, then what lacks most."""
    suspect = finding.p_value is not None and finding.p_value <= (finding.alpha or 0.0)
    return finding.set_aside is not None, suspect, finding.needs or 0


def _chance(finding: Finding) -> float:
    return 1.0 if finding.p_value is None else finding.p_value
