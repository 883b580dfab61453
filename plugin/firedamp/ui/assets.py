"""
Static files, each with the digest of its content in its address.

An address with the digest of what is served may be kept for a year: new content has a new address. Any other
address of a file (without a digest, or with an old one) is asked for again each time, which costs an empty
answer while nothing has changed. All files are read, hashed and packed once, at the start.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from aiohttp import web

from firedamp.errors import NotFoundError

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_DIGITS = 12
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its content, also packed, and the beginning of its SHA-256."""

    kind: str
    body: bytes
    packed: bytes
    digest: str


def _read() -> Mapping[str, Asset]:
    return {name: _asset(name, body) for name, body in _files(resources.files("firedamp.ui") / "static")}


def _files(folder: Traversable, before: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{before}{entry.name}/")
        elif _ending(entry.name) in _TYPES:
            yield f"{before}{entry.name}", entry.read_bytes()


def _asset(name: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:_DIGITS]
    return Asset(_TYPES[_ending(name)], body, gzip.compress(body, mtime=0), digest)


def _ending(name: str) -> str:
    return name.rpartition(".")[2]


ASSETS = _read()
#: The address of each file, for templates.
ADDRESSES: Mapping[str, str] = {name: f"/static/{name}?v={one.digest}" for name, one in ASSETS.items()}


def routes() -> list[web.RouteDef]:
    """Where the files are."""
    return [web.get("/static/{name:.+}", serve)]


async def serve(request: web.Request) -> web.Response:
    """A file, or word that it has not changed."""
    asset = ASSETS.get(request.match_info["name"])
    if asset is None:
        raise NotFoundError("there is no such file here; see the pages themselves for those that there are")
    kept = _FOR_EVER if request.query.get("v") == asset.digest else _ASK_AGAIN
    headers = {"Cache-Control": kept, "ETag": f'"{asset.digest}"', "Vary": "Accept-Encoding"}
    if asset.digest in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = asset.kind
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=asset.packed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=asset.body, headers=headers)
