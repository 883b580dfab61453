"""
One question to a Jaeger: within its time, within the allowed size, and every failure translated.

aiohttp has no limit on an answer's size and follows redirects with our credentials, so both are held here.
"""

import asyncio
import os
import ssl

import aiohttp
import stamina

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.sources._http import headers, shortened
from firedamp.sources.jaeger.dialects import Answer, Request, complaint
from firedamp.sources.jaeger.settings import JaegerSettings

_CONNECT_SECONDS = 2.0
_CHUNK_BYTES = 65536
_COMPLAINT_BYTES = 65536
_BUSY = (408, 429)


class AnswerTooLargeError(SourceRefusedError):
    """The answer has more bytes than the settings allow."""


class _TryAgainError(SourceDownError):
    """Down in a way that one more attempt may get over."""


class Client:
    """Asks one server, so much at a time."""

    def __init__(self, settings: JaegerSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_concurrent)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, request: Request) -> Answer:
        """
        What it answers, be it that there is nothing.

        Raises:
            SourceDownError: no answer in time.
            SourceRefusedError: the server understood and said no, or its answer is too large.
        """
        seconds = self._settings.timeout
        again = stamina.AsyncRetryingCaller(
            attempts=2, timeout=seconds, wait_initial=0.05, wait_max=0.2, wait_jitter=0.1
        ).on(_TryAgainError)
        async with self._slots:
            try:
                async with asyncio.timeout(seconds):
                    return await again(self._once, request)
            except TimeoutError as error:
                raise SourceDownError(self.said(f"no answer within {seconds:.3g} s")) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def said(self, text: str) -> str:
        """A sentence about this source, without its secrets."""
        return f"source {self._settings.name}: {shortened(text, self._settings)}"

    async def _once(self, request: Request) -> Answer:
        try:
            async with self._opened().get(
                f"{self._settings.url}{request.path}",
                params=request.parameters,
                headers=headers(self._settings, self._settings.tenant_header),
                allow_redirects=False,
            ) as response:
                if response.status in (200, 404):
                    return Answer(response.status, await self._body(response))
                raise await self._failure(response)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            # A timeout of ours passes through: aiohttp's own are disguised as both kinds.
            if isinstance(error, TimeoutError):
                raise SourceDownError(self.said("the connection timed out")) from error
            raise _TryAgainError(self.said(f"cannot be reached: {_reason(error)}")) from error
        except aiohttp.ClientError as error:
            raise SourceDownError(self.said(f"no HTTP answer: {error}")) from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_response_bytes
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                raise AnswerTooLargeError(
                    self.said(f"an answer of more than {limit} bytes; raise max_response_bytes")
                )
        return bytes(body)

    async def _failure(self, response: aiohttp.ClientResponse) -> SourceDownError | SourceRefusedError:
        status = response.status
        said = complaint(await response.content.read(_COMPLAINT_BYTES)) or response.reason or ""
        told = self.said(f"HTTP {status}: {said}")
        if "search depth" in said:
            return SourceRefusedError(
                f"{told}; max_traces is {self._settings.max_traces}, lower it to what the store allows"
            )
        if status == 503:
            return _TryAgainError(told)
        if status >= 500 or status in _BUSY:
            return SourceDownError(told)
        if status >= 400:
            return SourceRefusedError(told)
        remedy = "set url to the address it leads to" if status >= 300 else "200 is expected"
        return SourceRefusedError(self.said(f"HTTP {status} is no answer; {remedy}"))

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
            raise SourceRefusedError(self.said(f"ca_file {path} cannot be used: {error}")) from error


def _reason(error: Exception) -> str:
    """What the operating system calls it, without the address; else the error's own words."""
    number = getattr(getattr(error, "os_error", None), "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else str(error)
