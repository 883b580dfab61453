"""Templates to answers: Jinja with autoescape, and nothing that a template could call."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from firedamp import __version__
from firedamp.ui.assets import ADDRESSES
from firedamp.ui.pages.shell import SECTIONS, Link, Login, Shell, Trouble, Unsent

_environment = Environment(
    loader=PackageLoader("firedamp.ui"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(version=__version__, assets=ADDRESSES)


def page(template: str, value: object, *, status: int = 200) -> web.Response:
    """A page; the template sees its one value as `page`."""
    text = _environment.get_template(template).render(page=value)
    # A name may hold half of a surrogate pair, which has no UTF-8.
    return web.Response(
        body=text.encode("utf-8", "replace"),
        status=status,
        headers={"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"},
    )


async def long_page(
    template: str, value: Callable[[], object], *, status: int = HTTPStatus.OK
) -> web.Response:
    """A page with much on it: its value is made and drawn in a thread, while others are answered."""
    return await asyncio.to_thread(lambda: page(template, value(), status=status))


def error_page(status: int, sentence: str) -> web.Response:
    """What went wrong; the sentence says what to do about it as well."""
    return page("error.html", Trouble(_shell(status), status, sentence), status=status)


def unsent_page(
    status: int, sentence: str, *, action: str, sent: Mapping[str, str], seal: str, login: bool
) -> web.Response:
    """A form that came too late, with all that was typed."""
    value = Unsent(_shell(status, seal), status, sentence, action, tuple(sent.items()), login)
    return page("unsent.html", value, status=status)


def _shell(status: int, seal: str = "") -> Shell:
    """What stands around a page of whoever may be nobody."""
    nav = tuple(Link(one.name, one.link) for one in SECTIONS if not one.role)
    return Shell(str(status), nav=nav, csrf=seal)


def login_page(message: str = "", *, then: str = "/", status: int = 200) -> web.Response:
    """A form for a token."""
    return page("login.html", Login(Shell("Log in"), message, then), status=status)
