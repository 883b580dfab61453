"""
Settings with what people tuned merged in, each value where the file has it.

A service that only the defaults know gets an entry of its own. Checks of flows have no place in the file but
their flow's, whose values hold for several; what was tuned of one goes to `traces.tuned`.
"""

from collections.abc import Mapping

from firedamp.config import Service, Settings
from firedamp.decision.tuning import Change, CheckChange

#: Namespace and name of a service.
Names = tuple[str, str]


def merged(settings: Settings, changes: Mapping[Names, Change]) -> Settings:
    """
    The settings that judge every service as these changes on top of the written ones do.

    Args:
        settings: as written.
        changes: by service; each fits it.
    """
    listed = [(one.namespace, one.name) for one in settings.services]
    found = {names: settings.service(*names) for names in dict.fromkeys([*listed, *changes])}
    services = [
        with_change(one, changes.get(names, Change())) for names, one in found.items() if one is not None
    ]
    return settings.model_copy(update={"services": tuple(services)})


def with_change(service: Service, change: Change) -> Service:
    """One service's settings with a change that fits it."""
    own = {check.name for check in service.checks}
    rest = {name: other for name, other in change.checks.items() if name not in own}
    written = change.model_copy(
        update={"checks": {name: other for name, other in change.checks.items() if name in own}}
    ).applied(service)
    if service.traces is None or not rest:
        return written
    tuned = dict(service.traces.tuned)
    for name, other in rest.items():
        before = tuned.get(name, CheckChange()).given()
        tuned[name] = CheckChange.model_validate({**before, **other.given()})
    traces = service.traces.model_copy(update={"tuned": tuned})
    return written.model_copy(update={"traces": traces})
