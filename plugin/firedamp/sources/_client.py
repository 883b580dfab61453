"""
One question to a server over HTTP: within its time, within the allowed size, and every failure translated.

aiohttp has no limit on an answer's size and follows redirects with our credentials, so both are held here.
What differs from backend to backend is its words (`Manners`).
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

import aiohttp
import stamina

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.sources._http import HttpSettings, headers, shortened

_CONNECT_SECONDS = 2.0
_CHUNK_BYTES = 65536
_COMPLAINT_BYTES = 65536
_BUSY = (408, 429)


class AnswerTooLargeError(SourceRefusedError):
    """The answer has more bytes than the settings allow."""


class _TryAgainError(SourceDownError):
    """Down in a way that one more attempt may get over."""


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is asked.

    Attributes:
        path: appended to the settings' address.
        parameters: of the query.
        form: what is posted; None for a question that is got.
    """

    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: a status that the backend answers with, and the body."""

    status: int
    body: bytes


def plain(body: bytes) -> str:
    """What a server says is wrong where it says it in plain text; a page is no such thing."""
    text = body.decode(errors="replace").strip()
    return "" if text.startswith("<") else text


def _no_remedy(said: str) -> str:
    del said
    return ""


@dataclass(frozen=True, slots=True)
class Manners:
    """
    How one kind of backend is asked, and how it says no.

    Attributes:
        complaint: what a body says is wrong, in the server's words; None or empty where it says nothing.
        answers: statuses whose bodies are answers.
        tenant_header: carries the settings' tenant.
        too_large: remedy where an answer is too large.
        remedy: what to change where these words were said, whatever their status; mostly empty.
    """

    complaint: Callable[[bytes], str | None]
    answers: Collection[int] = (200,)
    tenant_header: str = "X-Scope-OrgID"
    too_large: str = "raise max_response_bytes"
    remedy: Callable[[str], str] = _no_remedy


class HttpClient:
    """Asks one server, so much at a time."""

    def __init__(self, settings: HttpSettings, manners: Manners) -> None:
        self._settings = settings
        self._manners = manners
        self._slots = asyncio.Semaphore(settings.max_concurrent)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, question: Question, *, seconds: float, waiting: bool = False) -> Answer:
        """
        What it answers.

        Args:
            question: may be asked twice where the server could not be reached.
            seconds: for the answer.
            waiting: the time until it is this question's turn counts as well.

        Raises:
            SourceDownError: no answer in time.
            SourceRefusedError: the server understood and said no, or its answer is too large.
        """
        if waiting:
            return await self._within(seconds, self._slots, question)
        async with self._slots:
            return await self._within(seconds, nullcontext(), question)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def said(self, text: str) -> str:
        """A sentence about this source, without its secrets."""
        return f"source {self._settings.name}: {shortened(text, self._settings)}"

    async def _within(
        self, seconds: float, turn: asyncio.Semaphore | nullcontext[None], question: Question
    ) -> Answer:
        again = stamina.AsyncRetryingCaller(
            attempts=2, timeout=seconds, wait_initial=0.05, wait_max=0.2, wait_jitter=0.1
        ).on(_TryAgainError)
        try:
            async with asyncio.timeout(seconds), turn:
                return await again(self._once, question)
        except TimeoutError as error:
            raise SourceDownError(self.said(f"no answer within {seconds:.3g} s")) from error

    async def _once(self, question: Question) -> Answer:
        try:
            async with self._opened().request(
                "GET" if question.form is None else "POST",
                f"{self._settings.url}{question.path}",
                params=question.parameters,
                data=question.form,
                headers=headers(self._settings, self._manners.tenant_header),
                allow_redirects=False,
            ) as response:
                if response.status in self._manners.answers:
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
        chunks, size = [], 0
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise AnswerTooLargeError(
                    self.said(f"an answer of more than {limit} bytes; {self._manners.too_large}")
                )
            chunks.append(chunk)
        return b"".join(chunks)

    async def _failure(self, response: aiohttp.ClientResponse) -> SourceDownError | SourceRefusedError:
        status = response.status
        said = self._manners.complaint(await response.content.read(_COMPLAINT_BYTES)) or response.reason or ""
        told = self.said(f"HTTP {status}: {said}")
        if remedy := self._manners.remedy(said):
            return SourceRefusedError(f"{told}; {remedy}")
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
