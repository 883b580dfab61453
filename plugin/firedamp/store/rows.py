"""Values to rows and back, one pair per table."""

from typing import Any

from sqlalchemy import RowMapping

from firedamp.model import Controller, Outcome, Release, ReleaseKey
from firedamp.ports import Event, Gate, Lesson, Token

#: What may change after a release was opened, and so what `update` writes.
CHANGING = (
    "last_asked",
    "ask_gap",
    "step",
    "step_label",
    "step_since",
    "advanced_block",
    "weight",
    "ended",
    "outcome",
    "verdict",
    "sentence",
)
_FIXED = ("started", "arms", "experiment", "parameters", "version")
#: Which lesson it is, and what it says.
LESSON_KEY = ("namespace", "service", "check", "release_id")
LESSON_SAYS = ("counts", "at", "phi_sum", "phi_weight", "tau_sum", "tau_weight", "events", "requests")
_GATE = ("namespace", "service", "hook", "revision", "is_open", "expires", "by", "at", "note")
_EVENT = ("at", "kind", "namespace", "service", "revision", "by", "text", "data")
_TOKEN = ("name", "digest", "role", "namespaces", "path", "created", "revoked")

Values = dict[str, Any]


def release_values(release: Release) -> Values:
    """All columns but the id."""
    key = release.key
    identity = {
        "namespace": key.namespace,
        "service": key.service,
        "revision": key.revision,
        "attempt": key.attempt,
        "controller": release.controller.value,
    }
    return identity | _columns(release, _FIXED) | changing_values(release) | pinned_values(release)


def changing_values(release: Release) -> Values:
    return _columns(release, CHANGING) | {"verdict": release.verdict.value}


def pinned_values(release: Release) -> Values:
    """What is written with a look only, for the looks stand on it."""
    return {"noise": release.noise}


def release(row: RowMapping) -> Release:
    return Release(
        id=row["id"],
        key=ReleaseKey(row["namespace"], row["service"], row["revision"], row["attempt"]),
        controller=Controller(row["controller"]),
        **_picked(row, _FIXED),
        **_picked(row, CHANGING) | {"verdict": Outcome(row["verdict"])},
        noise=row["noise"],
    )


def lesson_values(lesson: Lesson) -> Values:
    return _columns(lesson, (*LESSON_KEY, *LESSON_SAYS))


def lesson(row: RowMapping) -> Lesson:
    return Lesson(**_picked(row, (*LESSON_KEY, *LESSON_SAYS)))


def gate_values(gate: Gate) -> Values:
    return _columns(gate, _GATE)


def gate(row: RowMapping) -> Gate:
    return Gate(**_picked(row, _GATE))


def event_values(event: Event) -> Values:
    return _columns(event, _EVENT)


def event(row: RowMapping) -> Event:
    return Event(**_picked(row, _EVENT))


def token_values(token: Token) -> Values:
    return _columns(token, _TOKEN)


def token(row: RowMapping) -> Token:
    return Token(**_picked(row, _TOKEN))


def switched(gate: Gate) -> Event:
    """What the audit trail says about a gate that was opened or closed."""
    what = f"{'opened' if gate.is_open else 'closed'} gate {gate.hook}"
    text = f"{what}: {gate.note}" if gate.note else what
    data = {"hook": gate.hook, "open": str(gate.is_open).lower(), "expires": repr(gate.expires)}
    return Event(gate.at, "gate", gate.namespace, gate.service, gate.revision, gate.by, text, data)


def _columns(value: object, names: tuple[str, ...]) -> Values:
    return {name: getattr(value, name) for name in names}


def _picked(row: RowMapping, names: tuple[str, ...]) -> Values:
    return {name: row[name] for name in names}
