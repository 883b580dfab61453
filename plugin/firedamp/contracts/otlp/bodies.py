"""
Bodies of many megabytes, and bombs: read within limits, inflated within limits.

What all requests together hold while they are being read is limited too; a sender above that is asked to
come again.
"""

import zlib
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from firedamp.contracts import _wire

_REMEDY = "send fewer spans at once (send_batch_max_size of the collector's batch processor)"
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(slots=True)
class Room:
    """Bytes that requests may hold together while they come in."""

    most: int
    held: int = 0

    async def body(self, request: web.Request, limit: int) -> bytes:
        """
        A body of at most `limit` bytes, as it was sent.

        Raises:
            RefusedError: it is larger (413), breaks off (408), or there is no room for it now (429).
        """
        data = bytearray()
        try:
            async for chunk in request.content.iter_any():
                data += chunk
                self.held += len(chunk)
                if len(data) > limit:
                    raise too_large(limit)
                if self.held > self.most:
                    raise busy(f"{self.held} bytes of requests are held, {self.most} is the most")
        except web.RequestPayloadError as error:
            raise _wire.RefusedError(
                f"the body breaks off: {error}; send it whole", HTTPStatus.REQUEST_TIMEOUT
            ) from error
        finally:
            self.held -= len(data)
        return bytes(data)


def busy(why: str) -> _wire.RefusedError:
    return _wire.RefusedError(f"{why}; send it again later", HTTPStatus.TOO_MANY_REQUESTS)


def too_large(limit: int) -> _wire.RefusedError:
    sentence = f"the body has more than {limit} bytes, the most allowed, plain or inflated; {_REMEDY}"
    return _wire.RefusedError(sentence, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def encoding(request: web.Request) -> str:
    """
    How the body is packed: "gzip" or "identity".

    Raises:
        RefusedError: it is packed otherwise.
    """
    written = request.headers.get("Content-Encoding", "identity")
    found = written.strip().lower() or "identity"
    if found not in ("gzip", "identity"):
        raise _wire.RefusedError(
            f"Content-Encoding is {_wire.shown(written)}: gzip and identity are allowed; use one of them",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    return found


def inflated(data: bytes, limit: int) -> bytes:
    """
    What gzip packed, in one member or several, of at most `limit` bytes.

    Raises:
        RefusedError: it is no gzip, breaks off, or is larger.
    """
    found = bytearray()
    while data:
        member = zlib.decompressobj(_GZIP)
        try:
            # One byte more than allowed shows that there is more.
            found += member.decompress(data, limit + 1 - len(found))
        except zlib.error as error:
            raise _wire.RefusedError(
                f"the body is no gzip ({error}): pack it again or send it plain"
            ) from error
        if len(found) > limit:
            raise too_large(limit)
        if not member.eof:
            raise _wire.RefusedError("the gzip of the body breaks off: send it whole")
        data = member.unused_data
    return bytes(found)
