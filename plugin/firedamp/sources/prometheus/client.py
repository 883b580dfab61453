"""
One query to a Prometheus: within the deadline, within the allowed size, and every failure translated.

aiohttp has no limit on an answer's size and follows redirects with our credentials, so both are held
here. A query is sent as a form: its length is not bound by what proxies take for an address.
"""

import asyncio
import os
import ssl
from collections.abc import Mapping

import aiohttp
import stamina

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.sources._http import PrometheusSettings, headers, shortened
from firedamp.sources.prometheus import wire

_CONNECT_SECONDS = 2.0
_CHUNK_BYTES = 65536
_COMPLAINT_BYTES = 65536
_BUSY = (408, 429)


class AnswerTooLargeError(SourceRefusedError):
    """The answer has more bytes than the settings allow."""


class _TryAgainError(SourceDownError):
    """Down in a way that one more attempt may get over."""


class Client:
    """Sends queries to one server, so many at a time."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_concurrent)
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        within_seconds: float,
        after: float = float("-inf"),
        until: float = float("inf"),
    ) -> wire.Answer:
        """
        Post a form and read the answer's samples in (after, until].

        Raises:
            SourceDownError: no answer in time, or none that a Prometheus gives.
            SourceRefusedError: the server understood and said no, or its answer is too large.
        """
        body = await self._within(min(within_seconds, self._settings.timeout), path, form)
        try:
            return wire.answer(body, after=after, until=until)
        except ValueError as error:
            raise SourceDownError(self._said(f"answered with nothing a Prometheus says: {error}")) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _within(self, seconds: float, path: str, form: Mapping[str, str]) -> bytes:
        if seconds <= 0:
            raise SourceDownError(self._said("no time left to ask"))
        again = stamina.AsyncRetryingCaller(
            attempts=2, timeout=seconds, wait_initial=0.05, wait_max=0.2, wait_jitter=0.1
        ).on(_TryAgainError)
        form = {**form, "timeout": f"{max(1, int(1000 * seconds))}ms", "partial_response": "false"}
        try:
            async with asyncio.timeout(seconds), self._slots:
                return await again(self._once, path, form)
        except TimeoutError as error:
            raise SourceDownError(self._said(f"no answer within {seconds:.3g} s")) from error

    async def _once(self, path: str, form: Mapping[str, str]) -> bytes:
        try:
            async with self._opened().post(
                f"{self._settings.url}/api/v1/{path}",
                data=form,
                headers=headers(self._settings),
                allow_redirects=False,
            ) as response:
                if response.status == 200:
                    return await self._body(response)
                raise await self._failure(response)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            # A timeout of ours passes through: aiohttp's own are disguised as both kinds.
            if isinstance(error, TimeoutError):
                raise SourceDownError(self._said("the connection timed out")) from error
            raise _TryAgainError(self._said(f"cannot be reached: {_reason(error)}")) from error
        except aiohttp.ClientError as error:
            raise SourceDownError(self._said(f"no HTTP answer: {error}")) from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_response_bytes
        chunks, size = [], 0
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise AnswerTooLargeError(
                    self._said(
                        f"an answer of more than {limit} bytes; narrow the query or raise max_response_bytes"
                    )
                )
            chunks.append(chunk)
        return b"".join(chunks)

    async def _failure(self, response: aiohttp.ClientResponse) -> SourceDownError | SourceRefusedError:
        status = response.status
        said = wire.complaint(await response.content.read(_COMPLAINT_BYTES)) or response.reason or ""
        told = self._said(f"HTTP {status}: {said}")
        if status == 503:
            return _TryAgainError(told)
        if status >= 500 or status in _BUSY:
            return SourceDownError(told)
        if status >= 400:
            return SourceRefusedError(told)
        remedy = "set url to the address it leads to" if status >= 300 else "200 is expected"
        return SourceRefusedError(self._said(f"HTTP {status} is no answer; {remedy}"))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._settings.max_concurrent, ssl=self._trust()),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _trust(self) -> ssl.SSLContext | bool:
        if self._settings.insecure_skip_verify:
            return False
        if self._settings.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file)
        except OSError as error:
            path = self._settings.ca_file
            raise SourceRefusedError(self._said(f"ca_file {path} cannot be used: {error}")) from error

    def _said(self, text: str) -> str:
        return f"source {self._settings.name}: {shortened(text, self._settings)}"


def _reason(error: Exception) -> str:
    """What the operating system calls it, without the address; else the error's own words."""
    number = getattr(getattr(error, "os_error", None), "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else str(error)
