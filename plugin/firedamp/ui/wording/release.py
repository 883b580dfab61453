"""The page of one release: the verdict in words first, then what it stands on."""

from collections.abc import Sequence

from firedamp import words
from firedamp.decision import exhibits
from firedamp.decision.exhibits import Doubt
from firedamp.decision.reading import open_question
from firedamp.model import Look, Outcome, Release
from firedamp.ports import Event, Gate
from firedamp.ui.pages.release import Detailed, DoubtRow, Note
from firedamp.ui.pages.shell import Link, Shell
from firedamp.ui.wording.checks import groups
from firedamp.ui.wording.gates import gates_link
from firedamp.ui.wording.marks import MARKS, so_far, state
from firedamp.ui.wording.rulings import labelled, labelling
from firedamp.ui.wording.seen import Seen
from firedamp.ui.wording.timeline import timeline
from firedamp.ui.wording.times import instant
from firedamp.units import spoken_duration

_UNREADABLE = (
    "Judged by firedamp {version}, whose settings this version cannot read: values and verdicts stand as "
    "they were found; queries, forecasts and warm-up are not known."
)


def title(release: Release) -> str:
    """What tells the page from others in a row of tabs."""
    return f"{MARKS[release.verdict].word}: {release.key.namespace}/{release.key.service}"


def detail(shell: Shell, seen: Seen, events: Sequence[Event], held: Gate | None = None) -> Detailed:
    """The page of one release at one of its looks; `held` is an order that keeps it from going on."""
    release = seen.release
    verdict = so_far(seen.look.standing) if seen.look and seen.is_past else release.verdict
    told = exhibits.doubts(seen.known)
    return Detailed(
        shell=shell,
        title=f"{release.key.namespace}/{release.key.service}",
        mark=MARKS[verdict],
        sentence=_sentence(seen),
        state=state(release),
        started=instant(release.started, seen.now),
        address=seen.address,
        revision=release.key.revision,
        timeline=timeline(seen),
        groups=groups(seen),
        doubts=tuple(_doubt(one, seen) for one in told[: exhibits.MOST_DOUBTS]),
        doubts_left_out=max(0, len(told) - exhibits.MOST_DOUBTS),
        only=seen.only,
        unreadable=_UNREADABLE.format(version=release.version) if seen.parameters is None else "",
        held="" if held is None else _held(held, seen.now),
        gates=gates_link(release.key),
        may_order=seen.may_rule and release.ended is None and not seen.is_past,
        ahead=tuple(_ahead(seen)),
        glance=tuple(_glance(seen)),
        facts=tuple(_facts(release, seen.now)),
        notes=tuple(Note(instant(one.at, seen.now), one.by, one.kind, one.text) for one in events),
        downloads=_downloads(seen),
        label=labelled(seen),
        labelling=labelling(seen),
        fault=seen.refused.why if seen.refused else "",
        live="" if seen.is_past or release.ended is not None else f"/live{seen.address}",
    )


def _sentence(seen: Seen) -> str:
    if seen.look is None:
        return "no question has been answered yet; the first look is taken soon"
    return _said_then(seen.look) if seen.is_past else seen.release.sentence or _said_then(seen.look)


def _said_then(look: Look) -> str:
    """The verdict at a look that is past, in the words of its findings."""
    match so_far(look.standing):
        case Outcome.FAIL:
            return look.standing.harm or "harm was proven"
        case Outcome.PASS:
            return f"harm is excluded since look {look.standing.passed_block}"
        case Outcome.INCONCLUSIVE:
            return open_question(look.findings) or "no harm was found; the pass was not judged yet"


def _held(order: Gate, now: float) -> str:
    does, means = _ORDERED[order.hook]
    left, why = instant(order.expires, now).ago.removeprefix("in "), f": {order.note}" if order.note else ""
    return f"{order.by} {does}, for {left} more{why}. {means}."


_ORDERED = {
    "hold": (
        "holds this service",
        "Nothing advances or is promoted until then; harm still rolls back",
    ),
    "off": (
        "switched firedamp off here",
        "Every question passes until then and nothing rolls back, whatever is found",
    ),
    "rollback": (
        "ordered to roll this release back",
        "Every question fails until then or until the release has ended, whatever is found",
    ),
}


def _doubt(doubt: Doubt, seen: Seen) -> DoubtRow:
    of = words.plural(len(seen.known), "look")
    now = "now" if doubt.now else f"last at look {doubt.last}"
    checks = ", ".join(doubt.checks[:5])
    more = len(doubt.checks) - 5
    return DoubtRow(
        doubt.kind,
        doubt.text,
        f"{checks} and {words.plural(more, 'more check')}" if more > 0 else checks,
        f"in {doubt.blocks} of {of}, {now}",
        doubt.grave,
    )


def _ahead(seen: Seen) -> list[str]:
    """When something is expected, while the release runs and its newest look is shown."""
    if seen.parameters is None or seen.release.ended is not None or seen.is_past:
        return []
    found = exhibits.ahead(seen.known, seen.parameters)
    if found is None:
        return []
    said = []
    if found.warm_from is not None and found.warm_from > seen.now:
        said.append(f"warm-up is over {instant(found.warm_from, seen.now).ago}")
    if found.judged_at is not None:
        said.append(f"a pass is judged {_when(found.judged_at, seen.now)}")
    if found.ends_at is not None:
        said.append(f"the policy decides {_when(found.ends_at, seen.now)}")
    return said


def _when(at: float, now: float) -> str:
    moment = instant(at, now)
    return f"{moment.ago} ({moment.clock[11:]})" if at > now else f"at {moment.clock[11:]}"


def _glance(seen: Seen) -> list[tuple[str, str]]:
    """What stands beside the verdict."""
    release, looks = seen.release, seen.looks
    again = f" (attempt {release.key.attempt})" if release.key.attempt > 1 else ""
    ended = "" if release.ended is None else spoken_duration(release.ended - release.started)
    found = [
        ("Revision", f"{release.key.revision or '–'}{again}"),
        ("State", state(release) + (f" after {ended}" if ended else "")),
        ("Traffic", "" if release.weight is None else f"{words.percent(release.weight)} to the canary"),
        ("Judged", words.plural(looks[-1].evidence.block.index + 1, "look") if looks else ""),
        ("Asked by", release.controller.value),
    ]
    return [(name, text) for name, text in found if text]


def _facts(release: Release, now: float) -> list[tuple[str, str]]:
    found = [
        ("Last asked", instant(release.last_asked, now).ago),
        ("Cohorts", ", ".join(f"{arm}: {name}" for arm, name in sorted(release.arms.items()) if name)),
        ("Traffic step", _step(release)),
        ("Judged by", f"firedamp {release.version}"),
    ]
    return [(name, text) for name, text in found if text]


def _step(release: Release) -> str:
    label = release.step_label or str(release.step)
    return label if release.weight is None else f"{label}, {words.percent(release.weight)} of the traffic"


def _downloads(seen: Seen) -> tuple[Link, ...]:
    return (
        Link("Looks and checks as CSV", f"{seen.address}.csv"),
        Link("This release as JSON", seen.twin),
        Link("Its looks as JSON", f"{seen.twin}/looks"),
    )
