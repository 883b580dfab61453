"""One release with its checks, put into words."""

import math
from collections.abc import Sequence

from firedamp import words
from firedamp.decision.reading import ordered
from firedamp.model import Finding, Look, Outcome, Release, Tier
from firedamp.ports import Event
from firedamp.ui.pages.release import CheckRow, Detail, Note, Point
from firedamp.ui.pages.shell import Mark, Shell
from firedamp.ui.wording.marks import MARKS, so_far, state
from firedamp.ui.wording.times import instant
from firedamp.units import spoken_duration

_SHOWN_LOOKS = 60
#: Width and height of one look in the strip, in SVG units.
_LOOK_WIDTH, _LOOK_HEIGHT = 8, 24


def detail(
    shell: Shell, release: Release, looks: Sequence[Look], events: Sequence[Event], *, now: float
) -> Detail:
    """The page of one release; `looks` are the newest ones, in order."""
    last = looks[-1] if looks else None
    points = tuple(_point(look, place, now) for place, look in enumerate(looks))
    mark = MARKS[release.verdict]
    return Detail(
        shell=shell,
        title=name(release),
        mark=mark,
        verdict=mark.word,
        sentence=release.sentence or "no question has been answered yet; the first look is taken soon",
        state=state(release),
        facts=tuple(_facts(release, now)),
        checks=tuple(_check(finding) for finding in ordered(last.findings if last else ())),
        timeline=points,
        recent=points[: -_SHOWN_LOOKS - 1 : -1],
        width=max(1, len(points)) * _LOOK_WIDTH,
        height=_LOOK_HEIGHT,
        look_width=_LOOK_WIDTH - 1,
        story=_story(looks),
        notes=tuple(Note(instant(one.at, now), one.by, one.kind, one.text) for one in events),
        started=instant(release.started, now),
    )


def title(release: Release) -> str:
    """What the document is called: the verdict comes first."""
    return f"{MARKS[release.verdict].word}: {name(release)}"


def name(release: Release) -> str:
    """What people call the release's service."""
    return f"{release.key.namespace}/{release.key.service}"


def _facts(release: Release, now: float) -> list[tuple[str, str]]:
    key = release.key
    ended = "" if release.ended is None else spoken_duration(release.ended - release.started)
    found = [
        ("Revision", f"{key.revision} (attempt {key.attempt})"),
        ("State", state(release) + (f" after {ended}" if ended else "")),
        ("Asked by", f"{release.controller}, last {instant(release.last_asked, now).ago}"),
        ("Cohorts", ", ".join(f"{arm}: {name}" for arm, name in sorted(release.arms.items()) if name)),
        ("Traffic step", _step(release)),
        ("Judged by", f"firedamp {release.version}"),
    ]
    return [(name, text) for name, text in found if text]


def _step(release: Release) -> str:
    label = release.step_label or str(release.step)
    return label if release.weight is None else f"{label}, {words.percent(release.weight)} of the traffic"


def _check(finding: Finding) -> CheckRow:
    return CheckRow(
        name=finding.check,
        kind=finding.kind,
        tier=finding.tier.value,
        mark=_mark(finding),
        sentence=finding.sentence.removeprefix(f"{finding.check}: "),
        against=words.arm(finding.against) if finding.against else "limit",
        baseline=_quantity(finding.baseline, finding.unit),
        canary=_quantity(finding.canary, finding.unit),
        baseline_n=_count(finding.baseline_n) if finding.against else "",
        canary_n=_count(finding.canary_n),
        effect=_effect(finding),
        limit=_limit(finding),
        p_value=_chance(finding.p_value),
        alpha=_chance(finding.alpha),
        one_look_p=_chance(finding.one_look_p),
        needs=f"about {words.about(finding.needs)} more" if finding.needs else "",
    )


def _mark(finding: Finding) -> Mark:
    if finding.outcome is Outcome.FAIL and finding.tier is not Tier.CRITICAL:
        return Mark("warn", "!", "warns" if finding.tier is Tier.WARN else "noted")
    return MARKS[finding.outcome]


def _quantity(number: float | None, unit: str) -> str:
    return "" if number is None else words.quantity(number, unit)


def _count(number: float) -> str:
    return words.count(number) if math.isfinite(number) else ""


def _effect(finding: Finding) -> str:
    if finding.effect is None:
        return ""
    if finding.interval is None:
        return words.times(finding.effect)
    low, high = finding.interval
    upper = "more" if math.isinf(high) else words.times(high)
    return f"{words.times(finding.effect)} ({words.times(low)} to {upper})"


def _limit(finding: Finding) -> str:
    """The tolerance as a ratio; a check against a bare limit has no effect, and its limit has a unit."""
    if finding.tolerance is None:
        return ""
    if finding.against is None:
        return words.quantity(finding.tolerance, finding.unit)
    return words.times(finding.tolerance)


def _chance(probability: float | None) -> str:
    if probability is None or not math.isfinite(probability):
        return ""
    return "< 0.0001" if probability < 0.0001 else f"{probability:.2g}"


def _point(look: Look, place: int, now: float) -> Point:
    block = look.evidence.block
    return Point(
        x=place * _LOOK_WIDTH,
        block=block.index,
        at=instant(block.end, now),
        mark=MARKS[so_far(look.standing)],
        p_values=", ".join(
            f"{one.check} {_chance(one.p_value)}" for one in look.findings if _chance(one.p_value)
        ),
    )


def _story(looks: Sequence[Look]) -> str:
    """The timeline in one sentence, for those who do not see the strip."""
    if not looks:
        return "No look has been taken yet."
    last = looks[-1]
    took = spoken_duration(last.evidence.block.end - looks[0].evidence.block.start)
    decided = (
        last.standing.failed_block if last.standing.failed_block is not None else last.standing.passed_block
    )
    verdict = MARKS[so_far(last.standing)].word
    where = "" if decided is None else f" since block {decided}"
    return f"{words.plural(len(looks), 'look')} over {took}; {verdict}{where}."
