"""Values to rows and back, one pair per table."""

from typing import Any

from sqlalchemy import RowMapping

from firedamp.model import Controller, Judged, Label, Outcome, Release, ReleaseKey, Ruled, Ruling
from firedamp.ports import Event, Gate, Lesson, Override, Session, Token

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
_RULING = ("release_id", "check", "word", "by", "at", "note", "block", "said")
_LABEL = ("release_id", "word", "by", "at", "note")
_OVERRIDE = ("namespace", "service", "version", "by", "at", "note", "body")
_TOKEN = ("name", "digest", "role", "namespaces", "path", "created", "revoked")
_SESSION = ("digest", "token", "began", "expires")

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


def ruling_values(ruling: Ruling) -> Values:
    return _columns(ruling, _RULING) | {"word": ruling.word.value}


def ruling(row: RowMapping) -> Ruling:
    return Ruling(**_picked(row, _RULING) | {"word": Ruled(row["word"])})


def label_values(label: Label) -> Values:
    return _columns(label, _LABEL) | {"word": label.word.value}


def label(row: RowMapping) -> Label:
    return Label(**_picked(row, _LABEL) | {"word": Judged(row["word"])})


def override_values(override: Override) -> Values:
    return _columns(override, _OVERRIDE)


def override(row: RowMapping) -> Override:
    return Override(**_picked(row, _OVERRIDE))


def token_values(token: Token) -> Values:
    return _columns(token, _TOKEN)


def token(row: RowMapping) -> Token:
    return Token(**_picked(row, _TOKEN))


def session_values(session: Session) -> Values:
    return _columns(session, _SESSION)


def session(row: RowMapping) -> Session:
    return Session(**_picked(row, _SESSION))


def switched(gate: Gate) -> Event:
    """What the audit trail says about a gate that was opened or closed."""
    what = f"{'opened' if gate.is_open else 'closed'} gate {gate.hook}"
    text = f"{what}: {gate.note}" if gate.note else what
    data = {"hook": gate.hook, "open": str(gate.is_open).lower(), "expires": repr(gate.expires)}
    return Event(gate.at, "gate", gate.namespace, gate.service, gate.revision, gate.by, text, data)


def ruled(ruling: Ruling, key: ReleaseKey) -> Event:
    """What the audit trail says about a ruling on a release of this name."""
    what = f"ruled check {ruling.check} {ruling.word.spoken}"
    if ruling.word is Ruled.WITHDRAWN:
        what = f"withdrew the ruling on check {ruling.check}"
    data = {"release": str(ruling.release_id), "check": ruling.check, "word": ruling.word.value}
    return _told(ruling, "ruling", key, what, data)


def labelled(label: Label, key: ReleaseKey) -> Event:
    """What the audit trail says about a label of a release of this name."""
    what = f"labelled release {label.release_id} {label.word.spoken}"
    if label.word is Judged.WITHDRAWN:
        what = f"withdrew the label of release {label.release_id}"
    return _told(label, "label", key, what, {"release": str(label.release_id), "word": label.word.value})


def tuned(override: Override) -> Event:
    """What the audit trail says about tuned settings."""
    done = "tuned the settings" if override.body else "went back to the written settings"
    key = ReleaseKey(override.namespace, override.service, "", 0)
    what = f"{done} (version {override.version})"
    return _told(override, "override", key, what, {"version": str(override.version)})


def overtaken(override: Override, newest: int) -> str:
    """Why this version of tuned settings cannot be written."""
    return (
        f"version {override.version} of {override.namespace}/{override.service}'s tuned settings is not the "
        f"next one, {newest + 1}: somebody else tuned meanwhile; look at theirs first"
    )


def _told(
    word: Ruling | Label | Override, kind: str, key: ReleaseKey, what: str, data: dict[str, str]
) -> Event:
    text = f"{what}: {word.note}" if word.note else what
    return Event(word.at, kind, key.namespace, key.service, key.revision, word.by, text, data)


def _columns(value: object, names: tuple[str, ...]) -> Values:
    return {name: getattr(value, name) for name in names}


def _picked(row: RowMapping, names: tuple[str, ...]) -> Values:
    return {name: row[name] for name in names}
