"""
Which past releases tell what a change would have made of them: those judged by the same checks as now.

A release keeps the evidence of the checks that it was judged by, and no other; so one whose checks counted
something else, or whose cohorts were told apart otherwise, says nothing of a change of those of today. Flows
that were discovered differ from release to release by their nature, and are left aside.
"""

from firedamp.checks import BaseCheck
from firedamp.decision import known
from firedamp.decision import parameters as stored
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning.change import CheckChange
from firedamp.model import Release

#: What a check is called or linked to changes nothing of its evidence.
_NAMES = {"unit", "noun", "link"}
_FLOWS = ("flow-failures", "flow-duration", "flow-collateral")


def obstacle(release: Release, in_force: Parameters) -> str | None:
    """Why a release cannot be compared with how its service is judged now; None where it can."""
    if not stored.is_readable(release.parameters) or not _known(release):
        return f"it was begun by firedamp {release.version}, whose settings this version cannot read"
    before = stored.from_json(release.parameters)
    if before.cohorts != in_force.cohorts:
        return "its cohorts were told apart otherwise"
    return _other_checks(before, in_force)


def _known(release: Release) -> bool:
    try:
        known.from_json(release.noise)
    except ValueError:
        return False
    return True


def _other_checks(before: Parameters, in_force: Parameters) -> str | None:
    then = {check.name: _counts(check) for check in before.checks}
    now = {check.name: _counts(check) for check in in_force.checks}
    if new := next((name for name in now if name not in then), None):
        return f"it had no check {new!r} yet"
    if gone := next((check.name for check in before.checks if _is_gone(check, now, in_force)), None):
        return f"its check {gone!r} is there no more"
    other = next((name for name in now if now[name] != then[name]), None)
    return None if other is None else f"its check {other!r} looked at something else"


def _is_gone(check: BaseCheck, now: dict[str, object], in_force: Parameters) -> bool:
    discovers = in_force.traces is not None and in_force.traces.discover > 0
    return check.name not in now and not (discovers and check.kind in _FLOWS)


def _counts(check: BaseCheck) -> object:
    """All of a check but what may be tuned, and what it is called."""
    return check.model_dump(exclude={*CheckChange.model_fields, *_NAMES})
