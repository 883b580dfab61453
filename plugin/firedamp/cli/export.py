"""The settings with what people tuned merged in, which is read from the store."""

from collections.abc import Sequence
from pathlib import Path

from firedamp.cli import options
from firedamp.config import Settings, exporting
from firedamp.config.merged import Names
from firedamp.errors import AskError
from firedamp.judge.tuned import History, history
from firedamp.store import open_store

_SQLITE = "sqlite:///"


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
    found = [options.service(settings, *one) for one in names]
    histories = await _histories(settings, names) if with_tuned else {}
    return (
        exporting.entry(found[0], histories.get(names[0]))
        if service
        else exporting.whole(settings, histories)
    )


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
        return {
            names: history(options.service(settings, *names).parameters(), await store.overrides(*names))
            for names in services
        }
