"""
One call of the Kubernetes API: within its time and the allowed size, and every failure translated.

The token is read again for every call, as Kubernetes renews it; certificates are read again after they did
not match. Redirects are not followed, for they would carry the token elsewhere.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import stamina

from firedamp import telemetry
from firedamp.errors import ClusterDownError, ClusterError
from firedamp.kubernetes.settings import Place
from firedamp.words import one_line

_MOST_BYTES = 16_000_000
_COMPLAINT_BYTES, _SHOWN = 65536, 300
_TOKEN_BYTES = 65536
_CHUNK_BYTES = 65536
_MISSING, _CONFLICT, _BUSY = 404, 409, 429
#: Calls that came to nothing are made so often, with pauses of about a second.
_ATTEMPTS = 3


class _Complaint(msgspec.Struct):
    """What the API says is wrong."""

    message: str = ""


class Api:
    """Asks the API server, so many seconds for each call."""

    def __init__(self, place: Place, *, seconds: float, pause_seconds: float = 1.0) -> None:
        self._place = place
        self._seconds = seconds
        self._again = stamina.AsyncRetryingCaller(
            attempts=_ATTEMPTS, timeout=None, wait_initial=pause_seconds, wait_jitter=pause_seconds / 2
        ).on(ClusterDownError)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes | None:
        """
        What is there; None for nothing.

        Raises:
            ClusterError: it cannot be told.
        """
        status, body = await self._called("GET", path, parameters=parameters)
        return None if status == _MISSING else body

    async def create(self, path: str, made: Mapping[str, Any]) -> bool:
        """
        Make something; False where one of its name is there already.

        Raises:
            ClusterError: it was not made.
        """
        status, _ = await self._called("POST", path, made)
        if status == _MISSING:
            raise ClusterError(f"Kubernetes has no {path}")
        return status != _CONFLICT

    async def patch(self, path: str, change: Mapping[str, Any]) -> bytes | None:
        """
        Change these fields of what is there; what it is then, None where it is gone.

        Raises:
            ClusterError: it was not changed.
        """
        status, body = await self._called("PATCH", path, change)
        return body if status < _MISSING else None

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _called(
        self,
        method: str,
        path: str,
        sent: Mapping[str, Any] | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        try:
            return await self._again(self._once, method, path, sent, parameters or {})
        except ClusterError:
            telemetry.CLUSTER_ERRORS.labels(method.lower()).inc()
            raise

    async def _once(
        self, method: str, path: str, sent: Mapping[str, Any] | None, parameters: Mapping[str, str]
    ) -> tuple[int, bytes]:
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._opened().request(
                    method,
                    f"{self._place.url}{path}",
                    params=parameters,
                    data=None if sent is None else json.dumps(sent, allow_nan=False).encode(),
                    headers=self._headers(method),
                    allow_redirects=False,
                ) as response,
            ):
                return await _read(response)
        except aiohttp.ClientConnectorCertificateError as error:
            # The next call reads the certificates again: they may have been renewed.
            await self.close()
            raise ClusterDownError(f"Kubernetes: its certificate is not trusted: {error}") from error
        except TimeoutError as error:
            raise ClusterDownError(f"Kubernetes: no answer within {self._seconds:g} s") from error
        except aiohttp.ClientError as error:
            raise ClusterDownError(f"Kubernetes cannot be reached: {error}") from error

    def _headers(self, method: str) -> dict[str, str]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        found = {"Accept": "application/json", "Content-Type": kind}
        if self._place.token_file is not None:
            found["Authorization"] = f"Bearer {_token(self._place.token_file)}"
        return found

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=4, ssl=_trust(self._place.ca_file)),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> tuple[int, bytes]:
    """Status and body of an answer that means something; nothing there and there already are such."""
    if response.status in (_MISSING, _CONFLICT):
        return response.status, b""
    if 200 <= response.status < 300:
        return response.status, await _whole(response)
    told = f"Kubernetes: HTTP {response.status}: {_said(await response.content.read(_COMPLAINT_BYTES))}"
    if response.status >= 500 or response.status == _BUSY:
        raise ClusterDownError(told)
    raise ClusterError(told)


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > _MOST_BYTES:
            raise ClusterError(f"Kubernetes: an answer of more than {_MOST_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _said(body: bytes) -> str:
    try:
        return one_line(msgspec.json.decode(body, type=_Complaint).message, _SHOWN)
    except msgspec.MsgspecError:
        return one_line(body.decode(errors="replace"), _SHOWN)


def _token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            token = file.read(_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterError(f"kubernetes.token_file: {path} cannot be read: {error}") from error
    if not token or not token.isprintable():
        raise ClusterError(f"kubernetes.token_file: {path} holds no token")
    return token


def _trust(path: Path | None) -> ssl.SSLContext | bool:
    if path is None:
        return True
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ClusterError(f"kubernetes.ca_file: {path} cannot be used: {error}") from error
