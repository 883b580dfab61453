"""Gates, holds and kill switches in words: what each is, what throwing it does, and how to undo it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from firedamp.model import Release, ReleaseKey
from firedamp.ports import Gate, GatedHook
from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Act, Choice, Gates, Plan, Switch
from firedamp.ui.pages.shell import Link, Mark, Shell
from firedamp.ui.wording.marks import ORDERS
from firedamp.ui.wording.releases import address
from firedamp.ui.wording.times import instant
from firedamp.units import spoken_duration

#: What may be switched.
Switched = Literal["hold", "off", "rollback", GatedHook]
#: The same in words, in the order in which it is offered.
HOOKS: Mapping[Switched, str] = {
    "hold": "Hold: nothing advances until it is lifted",
    "off": "Kill switch: firedamp stands aside",
    "rollback": "Order to roll back",
    "*": "Every gate of Flagger",
    "confirm-rollout": "Gate confirm-rollout",
    "pre-rollout": "Gate pre-rollout",
    "rollout": "Gate rollout",
    "confirm-traffic-increase": "Gate confirm-traffic-increase",
    "confirm-promotion": "Gate confirm-promotion",
    "post-rollout": "Gate post-rollout",
}
_NAMES = {"hold": "hold", "off": "kill switch", "rollback": "order to roll back", "*": "every gate"}
_OFF = {"hold": "lifted", "off": "judging", "rollback": "withdrawn"}
_VERBS = {"hold": ("Hold", "Lift"), "off": ("Switch off", "Switch on"), "rollback": ("Order", "Withdraw")}
#: The most that one page shows.
MOST = 200


def twin(asked: Mapping[str, str]) -> str:
    """The same as JSON."""
    return address("/api/v1/gates", {name: asked.get(name, "") for name in ("namespace", "service")})


def gates_link(key: ReleaseKey) -> str:
    """Where somebody gives an order about a release, with its names in the form."""
    return address("/gates", {"namespace": key.namespace, "service": key.service, "revision": key.revision})


def done_link(gate: Gate, release: Release | None) -> str:
    """Where somebody goes who has thrown a switch; `release` is the one that it is about, if any."""
    found = {"done": "on" if gate.is_open else "off", "release": str(release.id) if release else ""}
    return address("/gates", found)


def leading_to(page: Gates, release: Release) -> Gates:
    """The page with a way back to the release about which something was just done."""
    return replace(page, release=Link(str(release.key), f"/releases/{release.id}"))


def page(
    shell: Shell,
    switches: Sequence[Gate],
    asked: Mapping[str, str],
    *,
    now: float,
    form: Mapping[str, Entry] | None,
    closed_to: str = "",
    plan: Plan | None = None,
) -> Gates:
    """The whole page; `asked` are the filters in force, and what was just done."""
    acts = form is not None
    shown = [(gate.is_open, _switch(gate, now, acts=acts)) for gate in switches[:MOST]]
    chosen = form["hook"].value if form is not None else ""
    return Gates(
        shell=shell,
        namespace=asked.get("namespace", ""),
        service=asked.get("service", ""),
        done=_DONE.get(asked.get("done", ""), ""),
        open=tuple(one for is_open, one in shown if is_open),
        closed=tuple(one for is_open, one in shown if not is_open),
        cut=f"The {MOST} last ones are shown; narrow them by namespace or service."
        if len(switches) > MOST
        else "",
        form=form,
        hooks=tuple(Choice(value, label, value == chosen) for value, label in HOOKS.items()),
        closed_to=closed_to,
        plan=plan,
    )


_DONE = {
    "on": "Done. It is in force from the next question on, and in the audit trail.",
    "off": "Done. It is over from the next question on, and in the audit trail.",
}


def name(hook: str) -> str:
    """What a switch of this hook is called."""
    return _NAMES.get(hook, f"gate {hook}")


def seen(gate: Gate | None) -> str:
    """What a form remembers of the gate as it was shown, to notice when somebody else was faster."""
    return "never" if gate is None else repr(gate.at)


def _switch(gate: Gate, now: float, *, acts: bool) -> Switch:
    on = ORDERS.get(gate.hook, Mark("pass", "○", "open"))
    off = Mark("open", "●", _OFF.get(gate.hook, "closed"))
    return Switch(
        mark=on if gate.is_open else off,
        what=name(gate.hook),
        service=f"{gate.namespace}/{gate.service}",
        revision=gate.revision or "any revision",
        by=gate.by,
        note=gate.note,
        at=instant(gate.at, now),
        until=instant(gate.expires, now),
        act=_act(gate, now) if acts else None,
    )


def _act(gate: Gate, now: float) -> Act:
    """Throw it back; of one that was thrown back, throw it again for what is left of its time."""
    on, off = _VERBS.get(gate.hook, ("Open", "Close"))
    label = off if gate.is_open else f"{on} again"
    fields = (
        ("namespace", gate.namespace),
        ("service", gate.service),
        ("hook", gate.hook),
        ("revision", gate.revision),
        ("open", "no" if gate.is_open else "yes"),
        ("lasts", f"{max(1, round(gate.expires - now))}s"),
        ("note", "" if gate.is_open else gate.note),
        ("seen", seen(gate)),
    )
    return Act(label, f"{name(gate.hook)} of {gate.namespace}/{gate.service}", fields)


def plan(wanted: Gate, before: Gate | None, fields: Mapping[str, str], *, now: float, fresh: bool) -> Plan:
    """
    What is about to happen.

    Args:
        wanted: the gate as it would be.
        before: as it is.
        fields: what the form sent.
        now: Unix seconds.
        fresh: whether the form was drawn since the gate was last switched.
    """
    on, off = _VERBS.get(wanted.hook, ("Open", "Close"))
    verb = on if wanted.is_open else off
    sent = {**fields, "seen": seen(before), "sure": "yes"}
    return Plan(
        title=f"{verb}: {name(wanted.hook)} of {wanted.namespace}/{wanted.service}",
        sentence=_consequence(wanted, now),
        warning="" if fresh or before is None else _overtaken(before, now),
        label=f"{verb} now",
        fields=tuple(sent.items()),
    )


def _overtaken(before: Gate, now: float) -> str:
    done = "opened" if before.is_open else "closed"
    return (
        f"Nothing was changed yet: {before.by} {done} it {instant(before.at, now).ago}, after your page was "
        "drawn. Look again at what will happen."
    )


def _consequence(wanted: Gate, now: float) -> str:
    which = f"revision {wanted.revision} of " if wanted.revision else ""
    whom = f"{which}{wanted.namespace}/{wanted.service}"
    if not wanted.is_open:
        return _ended(wanted.hook, whom)
    clock = f"{datetime.fromtimestamp(wanted.expires, UTC):%Y-%m-%d %H:%M} UTC"
    until = f"until {clock} ({spoken_duration(wanted.expires - now)} from now)"
    return _begun(wanted.hook, whom, until)


def _begun(hook: str, whom: str, until: str) -> str:
    match hook:
        case "hold":
            return (
                f"Nothing of {whom} advances or is promoted {until}; proven harm still rolls back. "
                "Then it is judged as before."
            )
        case "off":
            return (
                f"firedamp stands aside for {whom} {until}: every question passes, whatever the canary does, "
                "and nothing is rolled back."
            )
        case "rollback":
            return (
                f"Flagger and Argo Rollouts roll {whom} back with their next question, and a pipeline that "
                f"asks is told fail. It counts for the release under way, {until} or until that has ended; "
                "what begins later, a retry too, is judged by its own evidence."
            )
        case "*":
            return (
                f"Every gate of {whom} lets Flagger through {until}. "
                "A rollback, a hold and the kill switch are not meant by it."
            )
        case _:
            return f"Gate {hook} of {whom} lets Flagger through {until}. Then it is closed again."


def _ended(hook: str, whom: str) -> str:
    match hook:
        case "hold":
            return f"{whom} goes on from the next question on, where its checks let it."
        case "off":
            return f"firedamp judges {whom} again, from the next question on."
        case "rollback":
            return (
                f"The order is withdrawn. What Flagger or Argo Rollouts has begun to roll back of {whom} is "
                "not stopped by it."
            )
        case "*":
            return f"Gates of {whom} that were opened all at once are closed; Flagger waits at them."
        case _:
            return f"Gate {hook} of {whom} is closed; Flagger waits there until somebody opens it."
