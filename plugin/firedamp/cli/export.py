"""The settings with what people tuned merged in, as a file that judges by the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firedamp.cli import options
from firedamp.cli.instants import written as instant
from firedamp.config import Service, Settings
from firedamp.config.document import written
from firedamp.config.merged import Names, merged
from firedamp.decision import tuning
from firedamp.decision.tuning import Change
from firedamp.errors import AskError
from firedamp.judge.tuned import Tuned, tuned
from firedamp.ports import Override, Store
from firedamp.store import open_store

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class History:
    """A service as it is judged now, and every version of what people tuned of it, newest first."""

    now: Tuned
    versions: Sequence[Override]

    @property
    def comment(self) -> str:
        """Which of its values were tuned, by whom, and since which version."""
        newest = self.versions[0]
        head = f"version {newest.version} of what people tuned, by {newest.by}, {instant(newest.at)}"
        if self.now.misfit:
            return _comment([f"{head}: not followed, {self.now.misfit}"])
        found = tuning.difference(self.now.written, self.now.parameters)
        lines = (f"  {line} (since version {self._since(line)})" for line in found)
        return _comment([head, *lines] if found else [f"{head}: as written"])

    def _since(self, line: str) -> int:
        """The first of the versions, without a gap to the newest, that made this of the settings."""
        since = self.versions[0].version
        for one in self.versions:
            past = tuned(self.now.written, one)
            if past.misfit or line not in tuning.difference(past.written, past.parameters):
                break
            since = one.version
        return since


async def exported(settings: Settings, service: str = "", *, with_tuned: bool = True) -> str:
    """
    The settings as a YAML text, or one service's entry in them.

    Args:
        settings: as written.
        service: namespace/name; empty for all.
        with_tuned: merge in what people tuned, which is read from the store where there is one.

    Raises:
        AskError: it is no namespace/name.
        ConfigError: the settings do not know the service.
        StoreError: the store cannot be opened.
    """
    names = [_names(service)] if service else [(one.namespace, one.name) for one in settings.services]
    for one in names:
        options.service(settings, *one)
    histories = await _histories(settings, names) if with_tuned else {}
    whole = merged(settings, {name: _change(histories, name) for name in names})
    comments = {name: history.comment for name, history in histories.items()}
    entries = [one for one in whole.services if (one.namespace, one.name) in names]
    if service:
        return _services(entries, comments)
    return "".join(_sections(whole, _services(entries, comments)))


def _names(text: str) -> Names:
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name):
        raise AskError(f"--service {text!r}: write it like shop/checkout")
    return namespace, name


def _is_missing(url: str) -> bool:
    return url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists()


async def _histories(settings: Settings, services: Sequence[Names]) -> dict[Names, History]:
    url = settings.store.address()
    if _is_missing(url):
        return {}  # nobody can have tuned yet, and to look must not make a database
    async with await open_store(url) as store:
        found = {names: await _history(settings, store, names) for names in services}
    return {names: history for names, history in found.items() if history is not None}


async def _history(settings: Settings, store: Store, names: Names) -> History | None:
    versions = await store.overrides(*names)
    if not versions:
        return None
    return History(tuned(options.service(settings, *names).parameters(), versions[0]), versions)


def _change(histories: Mapping[Names, History], names: Names) -> Change:
    return histories[names].now.change if names in histories else Change()


def _sections(settings: Settings, services: str) -> Iterator[str]:
    for key, value in settings.model_dump(mode="json").items():
        yield services if key == "services" and value else written({key: value})


def _services(services: Sequence[Service], comments: Mapping[Names, str]) -> str:
    entries = (f"{comments.get((one.namespace, one.name), '')}{written([_data(one)])}" for one in services)
    return f"services:\n{''.join(entries)}"


def _data(service: Service) -> dict[str, Any]:
    data: dict[str, Any] = service.model_dump(mode="json")
    first = {key: data[key] for key in ("name", "namespace")}
    return {**first, **{key: value for key, value in data.items() if key not in first}}


def _comment(lines: Sequence[str]) -> str:
    """Names and notes of people are on one line each, and stay comments."""
    plain = ("".join(one if one.isprintable() else " " for one in line) for line in lines)
    return "".join(f"# {line}\n" for line in plain)
