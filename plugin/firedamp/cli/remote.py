"""Asks a running firedamp through its API, and reads the answer back into a verdict."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ValidationError

from firedamp.contracts.api.answers import CheckAnswer, ReleaseDetail, ReleaseName, VerdictAnswer
from firedamp.contracts.api.services import ServiceDetail
from firedamp.errors import AskError, ConfigError, FiredampError, ForbiddenError, NotFoundError
from firedamp.model import Ask, Finding, ReleaseKey, Verdict

# A verdict takes the server 8 s at most.
_TIMEOUT = aiohttp.ClientTimeout(total=12, sock_connect=5)
_MAX_BYTES = 1 << 20


Model = TypeVar("Model", bound=BaseModel)


class ServerDownError(FiredampError):
    """The server does not answer, or answers nonsense; asking again may help."""


def token(path: Path | None) -> str | None:
    """
    The bearer token: from the file, else from FIREDAMP_TOKEN, else none.

    Raises:
        ConfigError: the file cannot be read.
    """
    if path is None:
        return os.environ.get("FIREDAMP_TOKEN")
    try:
        return path.read_text(encoding="utf-8").split()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise ConfigError(f"{path}: holds no token ({error})") from error


class Server:
    """A running firedamp; use it as an async context manager."""

    def __init__(self, url: str, bearer: str | None) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is no address of a server; write it like http://firedamp:8080")
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def judge(self, ask: Ask) -> tuple[Verdict, str]:
        """
        Put one question; the verdict and its permalink.

        Raises:
            AskError: the server refuses the question; says why.
            ServerDownError: it gave no usable answer.
        """
        answer = self._read(VerdictAnswer, await self.call("POST", "/api/v1/judge", question(ask)))
        return verdict(answer), answer.link

    async def decide_by(self, namespace: str, service: str) -> float | None:
        """Seconds after its start at which a release of this service is decided; None when not known."""
        try:
            told = await self.call("GET", f"/api/v1/services/{quote(namespace)}/{quote(service)}")
        except NotFoundError:
            return None
        settings = self._read(ServiceDetail, told).settings
        return settings.decide_by if settings else None

    async def started(self, release_id: int) -> float:
        """Unix time at which a release began."""
        return self._read(ReleaseDetail, await self.call("GET", f"/api/v1/releases/{release_id}")).started

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Send JSON, get JSON. Raises as `judge`."""
        try:
            # A redirect would carry the token to another address.
            sent = self._session.request(method, self._url + path, json=body, allow_redirects=False)
            async with sent as reply:
                found = await _object(reply)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ServerDownError(f"{self._url}: {str(error) or 'no answer in time'}") from error
        if reply.status >= 400:
            raise _refused(reply.status, str(found.get("error", reply.reason)))
        return found

    def _read(self, model: type[Model], answer: Mapping[str, Any]) -> Model:
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            raise ServerDownError(f"{self._url}: the answer is no {model.__name__}") from error


async def _object(reply: aiohttp.ClientResponse) -> dict[str, Any]:
    data = await reply.content.read(_MAX_BYTES)
    if 300 <= reply.status < 400:
        raise ValueError(f"redirects to {reply.headers.get('Location')}; give that address as --server")
    if reply.status >= 500 or reply.content_type != "application/json":
        raise ValueError(f"status {reply.status} ({reply.content_type})")
    found = json.loads(data)
    if isinstance(found, dict):
        return found
    raise ValueError("the answer is no JSON object")


def _refused(status: int, reason: str) -> FiredampError:
    match status:
        case 401 | 403:
            return ForbiddenError(f"{reason} (set FIREDAMP_TOKEN or --token-file)")
        case 404:
            return NotFoundError(reason)
        case 408 | 429:
            return ServerDownError(reason)
        case _:
            return AskError(reason)


def question(ask: Ask) -> dict[str, object]:
    """A question as the API takes it; what is not known is left out."""
    optional = {"revision": ask.revision, "weight": ask.weight, "step": ask.step}
    return {
        "service": ask.service,
        "namespace": ask.namespace,
        "question": str(ask.question),
        "cohorts": dict(ask.arms),
        **{name: value for name, value in optional.items() if value is not None},
    }


def verdict(answer: VerdictAnswer) -> Verdict:
    """The verdict behind an answer."""
    sentence = answer.summary.removeprefix(f"{answer.verdict}:").strip().removesuffix(answer.link).rstrip()
    release = answer.release
    return Verdict(
        outcome=answer.verdict,
        question=answer.question,
        sentence=sentence,
        at=answer.at,
        findings=tuple(_finding(one) for one in answer.checks),
        release=_key(release) if release else None,
        release_id=release.id if release else None,
        block=answer.block,
        expected=answer.expected,
        mode=answer.mode,
        recorded=answer.recorded,
        rollback=answer.rollback,
    )


def _key(release: ReleaseName) -> ReleaseKey:
    return ReleaseKey(release.namespace, release.service, release.revision, release.attempt)


def _finding(check: CheckAnswer) -> Finding:
    fields = dict(check)
    if check.interval is not None:
        low, high = check.interval  # JSON knows no infinity: a bound that is missing is one
        fields["interval"] = (-math.inf if low is None else low, math.inf if high is None else high)
    return Finding(**fields)
