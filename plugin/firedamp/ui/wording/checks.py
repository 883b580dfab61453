"""One check of a release in words: what was compared, how sure that is, what is missing and when."""

import math
import re
from urllib.parse import urlencode

from firedamp import words
from firedamp.decision import exhibits
from firedamp.decision.reading import ordered
from firedamp.model import Finding, Outcome, Tier
from firedamp.ui.pages.release import Check, Group
from firedamp.ui.pages.shell import Mark
from firedamp.ui.wording import drawings
from firedamp.ui.wording.evidence import chance, compared, detail, effect, quantity
from firedamp.ui.wording.marks import MARKS
from firedamp.ui.wording.releases import tuning_link
from firedamp.ui.wording.rulings import ruled, ruling
from firedamp.ui.wording.seen import Seen
from firedamp.units import spoken_duration

#: So many checks of a page have all their evidence folded under them; the others have a page of their own.
MOST_DETAILED = 10
_ODD = re.compile(r"[^A-Za-z0-9._-]")
_GROUPS = (
    ("failing", "Failing", Outcome.FAIL),
    ("waiting", "Waiting", Outcome.INCONCLUSIVE),
    ("passing", "Passing", Outcome.PASS),
)


def groups(seen: Seen) -> tuple[Group, ...]:
    """The checks at the look that is shown: failing, then waiting, then passing."""
    findings = ordered(seen.look.findings if seen.look else ())
    wanted = [one for one in findings if seen.only in ("", one.check)]
    detailed = {one.check for one in wanted[:MOST_DETAILED]}
    found = (
        (anchor, title, [one for one in wanted if one.outcome is outcome])
        for anchor, title, outcome in _GROUPS
    )
    return tuple(
        Group(anchor, title, tuple(_check(seen, one, in_full=one.check in detailed) for one in each))
        for anchor, title, each in found
        if each
    )


def _check(seen: Seen, finding: Finding, *, in_full: bool) -> Check:
    lines = exhibits.series(seen.known, finding.check, seen.check(finding)) if in_full else None
    spent = exhibits.spent(finding, seen.fraction) if seen.fraction else None
    return Check(
        name=finding.check,
        anchor=anchor(finding.check),
        link=permalink(seen, finding.check),
        kind=finding.kind,
        tier=finding.tier.value,
        mark=mark(finding),
        sentence=finding.sentence.removeprefix(f"{finding.check}: "),
        against=words.arm(finding.against) if finding.against else "",
        baseline=quantity(finding.baseline, finding.unit),
        canary=quantity(finding.canary, finding.unit),
        baseline_n=_count(finding.baseline_n) if finding.against else "",
        canary_n=_count(finding.canary_n),
        effect=_effect(finding),
        limit=_limit(finding),
        p_value=chance(finding.p_value),
        alpha=chance(finding.alpha),
        one_look_p=chance(finding.one_look_p),
        budget=f"{chance(spent.allowed)} of it by now" if spent else "",
        ahead=_ahead(seen, finding),
        scale=drawings.scale(finding),
        spark=drawings.spark(lines.lines, lines.unit) if lines else None,
        detail=detail(seen, finding, lines) if lines else None,
        unfolded=bool(seen.only),
        ruled=ruled(seen, finding.check),
        ruling=ruling(seen, finding.check),
        tune=_tune(seen, finding.check),
    )


def _tune(seen: Seen, check: str) -> str:
    key = seen.release.key
    return tuning_link(key.namespace, key.service, check) if check in seen.tunable else ""


def _effect(finding: Finding) -> str:
    interval = finding.interval or (None, None)
    values = finding.baseline, finding.canary
    return compared(effect(finding.effect, *interval), values, interval, finding.unit)


def anchor(name: str) -> str:
    """The id of a check's section, as it stands in an address too."""
    return "check-" + _ODD.sub("-", name)


def permalink(seen: Seen, name: str) -> str:
    """This check at this look."""
    asked = {"look": str(seen.look.evidence.block.index)} if seen.look else {}
    return f"{seen.address}?{urlencode({**asked, 'check': name})}"


def mark(finding: Finding) -> Mark:
    """The state of a check: one that may not roll back does not say fail."""
    if finding.outcome is Outcome.FAIL and finding.tier is not Tier.CRITICAL:
        return Mark("warn", "!", "warns" if finding.tier is Tier.WARN else "noted")
    return MARKS[finding.outcome]


def _ahead(seen: Seen, finding: Finding) -> str:
    """What is missing for a pass, and when it is expected at this traffic."""
    if not finding.needs or finding.outcome is not Outcome.INCONCLUSIVE:
        return ""
    more = f"about {words.about(finding.needs)} more canary"
    if more in finding.sentence:
        return ""
    said = f"{more} {'flows' if finding.kind.startswith('flow-') else 'requests'}"
    pace = exhibits.pace(seen.known, finding)
    if pace <= 0 or seen.release.ended is not None:
        return said
    seconds = finding.needs / pace
    return f"{said}, expected in {spoken_duration(seconds if seconds < 60 else 60 * round(seconds / 60))}"


def _count(number: float) -> str:
    return words.count(number) if math.isfinite(number) else ""


def _limit(finding: Finding) -> str:
    """The tolerance as a ratio; a check against a bare limit has no effect, and its limit has a unit."""
    if finding.tolerance is None or math.isnan(finding.tolerance):
        return ""
    if finding.against is None and finding.effect is None:
        return words.quantity(finding.tolerance, finding.unit)
    return words.times(finding.tolerance)
