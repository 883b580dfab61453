"""
How to reach a backend over HTTP: address, credentials and limits, for every client we have.

Secrets stand in files or in the environment, never in the settings, and are read again for every
request, since Kubernetes renews mounted tokens. What a server says is shown to people and kept in
verdicts, so secrets are struck out of it.
"""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from firedamp.errors import SourceRefusedError
from firedamp.units import Seconds

FilePath = Annotated[Path, Field(strict=False)]
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "x-scope-orgid"}
_MAX_SECRET_BYTES = 16384
_MAX_WORDS = 300

Label = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class HttpSettings(BaseModel):
    """A server that is asked over HTTP: where it is, and who we are to it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    #: An address as people write it, for whoever wrote another.
    example: ClassVar[str]

    name: str = Field(min_length=1, max_length=63)
    url: str
    #: Tenant of a shared backend.
    tenant: str | None = None
    #: File that holds a bearer token.
    bearer_token_file: FilePath | None = None
    #: Environment variable that holds a bearer token.
    bearer_token_env: str | None = None
    username: str | None = None
    #: File that holds the password of `username`.
    password_file: FilePath | None = None
    #: Certificates to trust instead of the system's.
    ca_file: FilePath | None = None
    insecure_skip_verify: bool = False
    #: Headers to send beside ours; no secrets.
    headers: dict[str, str] = Field(default_factory=dict)
    #: Longest time for one question.
    timeout: Seconds
    #: Questions asked at a time.
    max_concurrent: int
    #: Largest answer to one question.
    max_response_bytes: int

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"write it like {cls.example}")
        if "@" in parts.netloc:
            raise ValueError("a password does not belong into the address; set username and password_file")
        if parts.query or parts.fragment:
            raise ValueError("the address ends before ? and #")
        return url.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _harmless(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or not value.isprintable():
                raise ValueError(f"{name!r} is no header that can be sent")
            if name.lower() in _SECRET_HEADERS:
                raise ValueError(
                    f"{name} has a setting of its own (tenant, bearer_token_file, password_file)"
                )
        return headers

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        given = [self.bearer_token_file, self.bearer_token_env, self.username]
        if sum(one is not None for one in given) > 1:
            raise ValueError("choose one of bearer_token_file, bearer_token_env and username")
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together")
        return self


class PrometheusSettings(HttpSettings):
    """A Prometheus, or anything that speaks its HTTP API (Thanos, Mimir, VictoriaMetrics)."""

    example = "http://prometheus.monitoring:9090"

    kind: Literal["prometheus"] = "prometheus"
    #: Address without /api/v1, for example http://prometheus.monitoring:9090.
    url: str
    #: Tenant of a shared backend, sent as X-Scope-OrgID.
    tenant: str | None = None
    #: Longest time for one query.
    timeout: Seconds = 3.0
    max_concurrent: int = Field(default=8, ge=1, le=256)
    max_response_bytes: int = Field(default=20_000_000, ge=10_000)
    #: More series of one counter and cohort than this are added up at the server.
    max_series: int = Field(default=2000, ge=1)
    #: Samples are taken for complete so long after their time.
    lag: Annotated[float, Field(ge=0, le=600)] = 5.0
    #: Labels that tell Prometheus replicas apart, where the backend shows both.
    replica_labels: Annotated[tuple[Label, ...], Field(strict=False)] = ("prometheus_replica",)
    #: Labels that may carry the pod's name; kept where series are added up at the server.
    pod_labels: Annotated[tuple[Label, ...], Field(strict=False, min_length=1)] = (
        "pod",
        "pod_name",
        "kubernetes_pod_name",
    )


def headers(settings: HttpSettings, tenant_header: str = "X-Scope-OrgID") -> dict[str, str]:
    """
    Headers of a request, with the credentials as they are now.

    Raises:
        SourceRefusedError: a secret cannot be read.
    """
    found = dict(settings.headers)
    if settings.tenant is not None:
        found[tenant_header] = settings.tenant
    if authorization := _authorization(settings):
        found["Authorization"] = authorization
    return found


def shortened(text: str, settings: HttpSettings) -> str:
    """What the server said, on one short line and without our secrets."""
    line = " ".join(text.split())
    for secret in _secrets(settings):
        line = line.replace(secret, "***")
    return line if len(line) <= _MAX_WORDS else f"{line[:_MAX_WORDS]}…"


def _authorization(settings: HttpSettings) -> str | None:
    if token := _token(settings):
        return f"Bearer {token}"
    if settings.username is not None and settings.password_file is not None:
        pair = f"{settings.username}:{_secret_in(settings.password_file)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return None


def _token(settings: HttpSettings) -> str | None:
    if settings.bearer_token_file is not None:
        return _secret_in(settings.bearer_token_file)
    if settings.bearer_token_env is None:
        return None
    token = os.environ.get(settings.bearer_token_env, "").strip()
    if not token:
        raise SourceRefusedError(
            f"source {settings.name}: the environment variable {settings.bearer_token_env} is empty"
        )
    return token


def _secret_in(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_SECRET_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceRefusedError(f"the secret in {path} cannot be read: {error}") from error
    if not text.isprintable():
        raise SourceRefusedError(f"the secret in {path} has more than one line")
    return text


def _secrets(settings: HttpSettings) -> Iterator[str]:
    try:
        authorization = _authorization(settings)
    except SourceRefusedError:
        return
    if authorization:
        kind, _, secret = authorization.partition(" ")
        yield secret
        if kind == "Basic":
            yield base64.b64decode(secret).decode().partition(":")[2]
