"""The audit trail in words."""

from collections.abc import Mapping, Sequence

from firedamp.ports import Entry, Event
from firedamp.ui.pages.audit import Audit, Line
from firedamp.ui.pages.gates import Choice
from firedamp.ui.pages.shell import Shell
from firedamp.ui.wording.releases import address
from firedamp.ui.wording.times import instant

#: What an address may narrow the trail by.
FILTERS = ("namespace", "service", "kind", "by", "since", "until", "before")
#: What is recorded, and how the choice of it reads.
KINDS: Mapping[str, str] = {
    "": "everything",
    "gate": "gates, holds, kill switches",
    "ruling": "rulings",
    "label": "labels",
    "override": "tuned settings",
    "outcome": "ends of releases",
    "hook": "hooks of Flagger",
    "event": "events of Flagger",
    "token": "tokens",
}


def page(
    shell: Shell, entries: Sequence[Entry], asked: Mapping[str, str], *, more: bool, now: float
) -> Audit:
    """A page of the trail; `asked` are the filters in force."""
    kept = {name: text for name, text in asked.items() if text and name != "before"}
    older = {**kept, "before": str(entries[-1].id)} if more and entries else {}
    return Audit(
        shell=shell,
        lines=tuple(_line(one.event, now) for one in entries),
        **{name: asked.get(name, "") for name in ("namespace", "service", "by", "since", "until")},
        kinds=tuple(Choice(kind, label, kind == asked.get("kind", "")) for kind, label in KINDS.items()),
        older=address("/audit", older) if older else "",
        narrowed=bool(kept),
    )


def twin(asked: Mapping[str, str]) -> str:
    """The same as JSON."""
    return address("/api/v1/audit", asked)


def _line(event: Event, now: float) -> Line:
    named = {"namespace": event.namespace, "service": event.service}
    return Line(
        at=instant(event.at, now),
        kind=event.kind,
        by=event.by,
        text=event.text,
        service=f"{event.namespace}/{event.service}" if event.service else "",
        revision=event.revision,
        link=address("/audit", named) if event.service else "",
    )
