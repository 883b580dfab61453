"""Every page that there is, as the router knows it, so that no test forgets the newest one."""

from collections.abc import Mapping
from urllib.parse import quote

from fakes import FakeJudge, MemoryStore
from firedamp.config import Settings
from firedamp.server import create_app
from firedamp.server.places import of_people
from service import SETTINGS


def _addresses() -> list[str]:
    app = create_app(Settings.model_validate(SETTINGS), MemoryStore(), FakeJudge())
    routes = [route for route in app.router.routes() if route.method == "GET" and route.resource]
    every = [route.resource.canonical for route in routes if route.resource is not None]
    return [one for one in every if of_people(one) and not one.startswith("/live/")]


_EVERY = _addresses()
#: Addresses that end in a kind of file are downloads, the others are pages.
FILES = tuple(one for one in _EVERY if "." in one)
PAGES = tuple(one for one in _EVERY if "." not in one)
#: Pages that show something, which the API tells as well.
TOLD = tuple(one for one in PAGES if one != "/login")


def twin(address: str) -> str:
    """Where the API says the same; the first page is the list of releases."""
    return f"/api/v1{'/releases' if address == '/' else address}"


def filled(address: str, names: Mapping[str, object]) -> str:
    """The address with names in its places."""
    return address.format(**{place: quote(str(name), safe="") for place, name in names.items()})
