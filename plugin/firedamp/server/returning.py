"""
A form whose session or seal is over comes back, with all that was typed: nobody writes a note twice.

It changes nothing. It is read by whoever sent it, and sent again by hand, with a seal that is good by then;
a post that another site forged gets no further than before, since it is held back by its origin.
"""

from aiohttp import web

from firedamp.access import SEAL
from firedamp.contracts._wire import content_type, from_query, utf8
from firedamp.errors import AskError
from firedamp.ui import error_page, unsent_page

FORM = "application/x-www-form-urlencoded"


async def typed(request: web.Request) -> dict[str, str]:
    """
    The fields of a form.

    Raises:
        RefusedError: it is no form.
    """
    content_type(request, FORM)
    return from_query(utf8(await request.read()))


async def returned(request: web.Request, status: int, sentence: str, seal: str) -> web.Response:
    """The form with a seal that is good now, or with its own where nobody is logged in ("")."""
    try:
        sent = await typed(request)
    except AskError:
        return error_page(status, sentence)
    old = sent.pop(SEAL, "")
    if not sent:
        return error_page(status, sentence)
    action = request.rel_url.raw_path
    return unsent_page(status, sentence, action=action, sent=sent, seal=seal or old, login=not seal)
