"""Settings as a file that judges by the same, with comments that say what was tuned, by whom, since when."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from firedamp.config import Service, Settings
from firedamp.config.document import written
from firedamp.config.merged import Names, merged, with_change
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change
from firedamp.judge.tuned import History


def whole(settings: Settings, histories: Mapping[Names, History]) -> str:
    """All settings with what was tuned of these services merged in."""
    names = [(one.namespace, one.name) for one in settings.services]
    found = merged(
        settings, {one: histories[one].now.change if one in histories else Change() for one in names}
    )
    return "".join(_sections(found, _services(found.services, histories)))


def entry(service: Service, history: History | None) -> str:
    """One service's entry, as it stands under `services`."""
    change = history.now.change if history else Change()
    names = (service.namespace, service.name)
    return _services([with_change(service, change)], {names: history} if history else {})


def comment(history: History) -> str:
    """Which values were tuned, by whom, and since which version; empty where none ever were."""
    if not history.versions:
        return ""
    newest = history.versions[0]
    at = datetime.fromtimestamp(newest.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = f"version {newest.version} of what people tuned, by {newest.by}, {at}"
    if history.now.misfit:
        return _comment([f"{head}: not followed, {history.now.misfit}"])
    found = tuning.difference(history.now.written, history.now.parameters)
    lines = (f"  {line} (since version {_since(history, line)})" for line in found)
    return _comment([head, *lines] if found else [f"{head}: as written"])


def _since(history: History, line: str) -> int:
    def holds(parameters: Parameters) -> bool:
        return line in tuning.difference(history.now.written, parameters)

    found = history.since(holds)
    return found.version if found else history.now.version


def _sections(settings: Settings, services: str) -> Iterator[str]:
    for key, value in settings.model_dump(mode="json").items():
        yield services if key == "services" and value else written({key: value})


def _services(services: Sequence[Service], histories: Mapping[Names, History]) -> str:
    names = [(one.namespace, one.name) for one in services]
    comments = [comment(histories[one]) if one in histories else "" for one in names]
    return "services:\n" + "".join(
        f"{said}{written([_data(one)])}" for said, one in zip(comments, services, strict=True)
    )


def _data(service: Service) -> dict[str, Any]:
    data: dict[str, Any] = service.model_dump(mode="json")
    first = {key: data[key] for key in ("name", "namespace")}
    return {**first, **{key: value for key, value in data.items() if key not in first}}


def _comment(lines: Sequence[str]) -> str:
    """Names and notes of people are on one line each, and stay comments."""
    plain = ("".join(one if one.isprintable() else " " for one in line) for line in lines)
    return "".join(f"# {line}\n" for line in plain)
