"""The page on which a service is tuned, in words: whose values are in force, and all versions of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic_core import PydanticUndefined

from firedamp import words
from firedamp.checks import BaseCheck
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters, Window
from firedamp.decision.tuning import Change
from firedamp.judge.tuned import History, Tuned, body
from firedamp.model import Tier
from firedamp.ports import Override
from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Choice, Hidden
from firedamp.ui.pages.shell import Shell
from firedamp.ui.pages.tune import CheckLine, Field, Group, Outcome, Tune, Version
from firedamp.ui.wording.releases import address, service_link
from firedamp.ui.wording.times import instant
from firedamp.ui.wording.tuned_values import (
    ALPHAS,
    CHECK_FIELDS,
    WINDOW_FIELDS,
    Values,
    hint,
)

#: The most versions that the page lists; the API has all.
MOST_VERSIONS = 20
_MEANING = {
    "tolerance": "a rise up to this is no harm",
    "max_increase": "a rise up to this is no harm",
    "max_decrease": "a fall up to this is no harm",
    "max": "above it is harm",
    "min": "below it is harm",
    "min_excess": "a rise of less is no harm, however sure",
    "pass_ratio": "passes when a rise to this multiple is excluded",
    "pass_excess": "or a rise by this much",
    "tier": "critical rolls back, warn asks a person, debug only records",
    "weight": "its part of alpha, beside the other checks of its tier",
    "warm_up": "what comes earlier counts only against an all but dead canary",
    "promote_after": "the first time at which it can pass",
    "decide_by": "then the service's policy decides; empty: twice promote after",
    "alpha": "the chance of ever rolling back a healthy release",
    "alpha_warn": "the same for checks that warn",
}
_LABELS = {
    "tolerance": "Tolerance",
    "max_increase": "Largest increase",
    "max_decrease": "Largest decrease",
    "max": "Most",
    "min": "Least",
    "min_excess": "Smallest rise",
    "pass_ratio": "Pass ratio",
    "pass_excess": "Pass excess",
    "tier": "Tier",
    "weight": "Weight",
    "warm_up": "Warm-up",
    "promote_after": "Promote after",
    "decide_by": "Decide by",
    "alpha": "Alpha",
    "alpha_warn": "Alpha of warnings",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """
    What the form shows.

    Attributes:
        check: whose values are in it.
        draft: what is other than in the settings in it.
        typed: what was typed, where some of it is not as it should be, and what is wrong.
        fault: why nothing was done.
        done: what was just done.
        outcome: of a preview.
    """

    check: str = ""
    draft: Change = field(default_factory=Change)
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    done: str = ""
    outcome: Outcome | None = None


def link(namespace: str, service: str, check: str = "") -> str:
    """The page on which a service is tuned, with a check's values in its form."""
    return address(f"{service_link(namespace, service)}/tuning", {"check": check} if check else {})


def page(
    shell: Shell,
    names: tuple[str, str],
    found: History,
    drawn: Drawn,
    *,
    closed_to: str,
    export: str,
    now: float,
) -> Tune:
    """The whole page."""
    known, open_form = found.now, not closed_to
    names_of_checks = [check.name for check in known.written.checks]
    check = drawn.check if drawn.check in names_of_checks else next(iter(names_of_checks), "")
    return Tune(
        shell=shell,
        namespace=names[0],
        service=names[1],
        service_link=service_link(*names),
        address=link(*names),
        state=_state(found, now),
        done=drawn.done,
        misfit=_misfit(known),
        fault=drawn.fault,
        closed_to=closed_to,
        check=check,
        checks=tuple(Choice(one, one, one == check) for one in names_of_checks),
        lines=tuple(_line(one, known, names) for one in known.parameters.checks),
        groups=tuple(_groups(found, check, drawn, now)) if open_form else (),
        sent=sent(drawn.draft, known.version, check),
        faulty=bool(drawn.faults),
        outcome=drawn.outcome,
        versions=tuple(
            _version(one, known, open_form=open_form, now=now) for one in found.versions[:MOST_VERSIONS]
        ),
        cut=_cut(found.versions),
        back=sent(Change(), known.version) if open_form and known.version and _strays(known) else (),
        export=export,
    )


def sent(draft: Change, version: int, check: str = "") -> Hidden:
    """What every form of the page sends: the whole change, and the version that it was made from."""
    about = (("check", check),) if check else ()
    return (("draft", tuning.to_json(draft)), ("based_on", str(version)), *about)


def done(text: str) -> str:
    """What was just saved, by the version that the address has for it."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        return ""
    begun = "those that run keep what they began with"
    return f"Version {text} is in force for releases that begin from now on; {begun}."


def _state(found: History, now: float) -> str:
    newest = found.now.override
    if newest is None:
        return "Nobody has tuned it: every value is the settings'."
    who = f"version {newest.version}, by {newest.by}, {instant(newest.at, now).ago}"
    difference = tuning.difference(found.now.written, found.now.parameters)
    if not difference:
        return f"As in the settings, since {who}."
    return f"Other than in the settings ({who}): {'; '.join(difference)}."


def _misfit(known: Tuned) -> str:
    if not known.misfit:
        return ""
    return (
        f"Version {known.version} does not fit the settings any more and is not followed: {known.misfit}. "
        "Releases are judged by the settings alone; save what still fits, or go back to the settings."
    )


def _strays(known: Tuned) -> bool:
    """Whether going back to the settings would be another version."""
    return bool(known.misfit) or known.parameters != known.written


def _cut(versions: Sequence[Override]) -> str:
    left = len(versions) - MOST_VERSIONS
    return f"{words.plural(left, 'older version')} are in this page as JSON." if left > 0 else ""


def _line(check: BaseCheck, known: Tuned, names: tuple[str, str]) -> CheckLine:
    written = next(one for one in known.written.checks if one.name == check.name)
    now, before = tuning.tunable(check), tuning.tunable(written)
    tuned = [tuning.called(name) for name in now if now[name] != before.get(name)]
    return CheckLine(
        name=check.name,
        link=f"{link(*names, check.name)}#change",
        kind=check.kind,
        values=", ".join(_said(name, value) for name, value in now.items()),
        tuned=", ".join(tuned),
    )


def _said(name: str, value: object) -> str:
    return str(value) if isinstance(value, Tier) else f"{tuning.called(name)} {tuning.shown(name, value)}"


def _groups(found: History, name: str, drawn: Drawn, now: float) -> Iterator[Group]:
    """The fields of one check, then those of the whole."""
    known = found.now
    wanted = Values.of(drawn.draft.applied(known.written), name)
    if wanted.check is not None:
        names = [one for one in CHECK_FIELDS if one in wanted.named]
        yield Group(name, _about(wanted.check, known.parameters), _fields(found, names, wanted, drawn, now))
    yield Group("When it is judged", "", _fields(found, WINDOW_FIELDS, wanted, drawn, now))
    yield Group("How sure it must be", "", _fields(found, ALPHAS, wanted, drawn, now))


def _about(check: BaseCheck, parameters: Parameters) -> str:
    """What a check's weight comes to; debug checks use no alpha."""
    judged = next(one for one in parameters.checks if one.name == check.name)
    if judged.tier is Tier.DEBUG:
        return f"A {check.kind} check that only records."
    whole = parameters.alpha if judged.tier is Tier.CRITICAL else parameters.alpha_warn
    part = tuning.shown("alpha", round(parameters.alpha_of(judged), 6))
    return f"A {check.kind} check. Of its tier's alpha of {tuning.shown('alpha', whole)} it has {part} now."


def _fields(
    found: History, names: Sequence[str], wanted: Values, drawn: Drawn, now: float
) -> tuple[Field, ...]:
    return tuple(_field(found, name, wanted, drawn, now) for name in names)


def _field(found: History, name: str, wanted: Values, drawn: Drawn, now: float) -> Field:
    check = wanted.check.name if wanted.check else ""
    value = Values.of(found.now.parameters, check).named.get(name)
    text = drawn.typed.get(name, wanted.text(name))
    how = hint(name, wanted.named.get(name))
    return Field(
        label=_LABELS[name],
        entry=Entry(name, text, drawn.faults.get(name, "")),
        hint="; ".join(filter(None, (_MEANING[name], how))),
        now=tuning.shown(name, value),
        origin=_origin(found, check, name, now),
        choices=tuple(Choice(one, one, one == text) for one in Tier) if name == "tier" else (),
    )


def _origin(found: History, check: str, name: str, now: float) -> str:
    """Whose value it is: the last one to tune it, the settings, or nobody but us."""
    value = Values.of(found.now.parameters, check).named.get(name)
    written = Values.of(found.now.written, check)
    shipped = _shipped(written.check, name)
    if value == written.named.get(name):
        return "as shipped" if value == shipped else _beside("by the settings", name, shipped)
    since = found.since(lambda past: Values.of(past, check).named.get(name) == value)
    by = f"tuned by {since.by}, version {since.version}, {instant(since.at, now).ago}" if since else "tuned"
    return _beside(f"{by}; the settings say {tuning.shown(name, written.named.get(name))}", name, shipped)


def _beside(text: str, name: str, shipped: object) -> str:
    return text if shipped is None else f"{text}; shipped: {tuning.shown(name, shipped)}"


def _shipped(check: BaseCheck | None, name: str) -> object:
    """What a value is where nobody says anything; None where it must be said."""
    own = type(check).model_fields if check else {}
    fields = (
        Window.model_fields if name in WINDOW_FIELDS else Parameters.model_fields if name in ALPHAS else own
    )
    found = fields[name].default if name in fields else None
    return None if found is PydanticUndefined else found


def _version(one: Override, known: Tuned, *, open_form: bool, now: float) -> Version:
    newest = one.version == known.version
    return Version(
        number=one.version,
        by=one.by,
        at=instant(one.at, now),
        note=one.note,
        in_force=newest and not known.misfit,
        back=_back(one, known) if open_form and not newest else (),
    )


def _back(one: Override, known: Tuned) -> Hidden:
    try:
        return sent(body(one), known.version)
    except ValueError:
        return ()
