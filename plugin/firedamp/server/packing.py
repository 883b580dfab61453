"""
Answers packed for the way: pages and the data behind them are text that repeats itself; a tenth is left.

What controllers ask is answered as it is: it is short, and their dialects are none of ours. Events stay as
they are too, for each must leave at once; static files are packed at the start (`firedamp.ui.assets`).

Packing what is secret beside what a stranger chose lets the stranger guess the secret by the length (BREACH,
https://breachattack.com). Here the one secret of a page is the seal of its forms, and there is no guessing it
bit by bit: it is another one in every answer (`firedamp.access.seals`). The session itself never stands in a
page, and its cookie (SameSite=Lax) comes with no request that another site makes in the background.
"""

import asyncio
import gzip

from aiohttp import web

from firedamp.server.observing import Handler
from firedamp.server.places import of_people

_KINDS = frozenset({"text/html", "text/plain", "text/csv", "application/json"})
#: What fits into one packet gains nothing.
_LEAST_BYTES = 1400
#: Longer ones take more than some milliseconds, which the event loop has not.
_LONG_BYTES = 256 * 1024
_ENCODING = "Accept-Encoding"


@web.middleware
async def packing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Pack what is worth it, for those who can unpack."""
    response = await handler(request)
    if not isinstance(response, web.Response) or response.prepared or not _is_packable(request, response):
        return response
    response.headers["Vary"] = _ENCODING
    body = response.body
    if isinstance(body, bytes) and len(body) >= _LEAST_BYTES and accepts(request.headers.get(_ENCODING, "")):
        long = len(body) >= _LONG_BYTES
        response.body = await asyncio.to_thread(_packed, body) if long else _packed(body)
        response.headers["Content-Encoding"] = "gzip"
    return response


def accepts(header: str) -> bool:
    """Whether gzip is among the codings that a request takes (RFC 9110, 12.5.3)."""
    for part in header.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" or not weight
    return False


def _is_packable(request: web.Request, response: web.Response) -> bool:
    ours = of_people(request.path) or request.path.startswith("/api/")
    return ours and response.content_type in _KINDS and "Content-Encoding" not in response.headers


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)
