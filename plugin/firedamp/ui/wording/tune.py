"""The page on which a service is tuned, in words: whose values are in force, and all versions of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from firedamp import words
from firedamp.checks import BaseCheck
from firedamp.decision import tuning
from firedamp.decision.tuning import Change
from firedamp.judge.tuned import History, Tuned, body
from firedamp.model import Tier
from firedamp.ports import Override
from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Choice, Hidden
from firedamp.ui.pages.shell import Shell
from firedamp.ui.pages.tune import CheckLine, Outcome, Tune, Version
from firedamp.ui.wording.releases import service_link, tuning_link
from firedamp.ui.wording.times import instant
from firedamp.ui.wording.tuned_fields import Form

#: The most versions that the page lists; the API has all.
MOST_VERSIONS = 20


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

    def entry(self, name: str, text: str) -> Entry:
        """A field with what was typed into it, else with this."""
        return Entry(name, self.typed.get(name, text), self.faults.get(name, ""))


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
        address=tuning_link(*names),
        state=_state(found, now),
        done=drawn.done,
        misfit=_misfit(known),
        fault=drawn.fault,
        closed_to=closed_to,
        check=check,
        checks=tuple(Choice(one, one, one == check) for one in names_of_checks),
        lines=tuple(_line(one, known, names) for one in known.parameters.checks),
        groups=tuple(Form.of(found, check, drawn.draft, drawn.entry, now).groups()) if open_form else (),
        sent=sent(drawn.draft, known.version, check),
        faulty=bool(drawn.faults),
        outcome=drawn.outcome,
        versions=tuple(
            _version(one, known, open_form=open_form, now=now) for one in found.versions[:MOST_VERSIONS]
        ),
        cut=_cut(found.versions),
        back=_to_settings(known) if open_form else (),
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


def _to_settings(known: Tuned) -> Hidden:
    """What asks for the way back to the settings; empty where it would be no way at all."""
    if not known.misfit and known.parameters == known.written:
        return ()
    return (*sent(Change(), known.version), ("note", "back to the settings"))


def _cut(versions: Sequence[Override]) -> str:
    left = len(versions) - MOST_VERSIONS
    return f"{words.plural(left, 'older version')} are in this page as JSON." if left > 0 else ""


def _line(check: BaseCheck, known: Tuned, names: tuple[str, str]) -> CheckLine:
    written = next(one for one in known.written.checks if one.name == check.name)
    now, before = tuning.tunable(check), tuning.tunable(written)
    tuned = [tuning.called(name) for name in now if now[name] != before.get(name)]
    return CheckLine(
        name=check.name,
        link=f"{tuning_link(*names, check.name)}#change",
        kind=check.kind,
        values=", ".join(_said(name, value) for name, value in now.items()),
        tuned=", ".join(tuned),
    )


def _said(name: str, value: object) -> str:
    return str(value) if isinstance(value, Tier) else f"{tuning.called(name)} {tuning.shown(name, value)}"


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
        return (*sent(body(one), known.version), ("note", f"back to version {one.version}"))
    except ValueError:
        return ()
