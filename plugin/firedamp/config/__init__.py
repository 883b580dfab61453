"""
The settings: one YAML file plus `FIREDAMP_*` environment, strict, frozen, read once.

Secrets never stand in the file: a source, a store or a token names the file or the environment
variable that holds its secret. `load()` reads, `explain()` says what is wrong in words.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    field_validator,
    model_validator,
)

from firedamp.checks import Check
from firedamp.cohorts import Cohorts
from firedamp.config.flows import Traces
from firedamp.config.freezes import Freeze
from firedamp.config.links import Links
from firedamp.config.people import Auth
from firedamp.decision.parameters import HISTORY_SECONDS, History, Parameters, Policy, Window
from firedamp.errors import ConfigError
from firedamp.kubernetes import KubernetesSettings
from firedamp.model import Mode
from firedamp.sources import IntakeSettings, MetricSettings, SourceSettings, TempoSettings, TraceSettings
from firedamp.units import Retention, Seconds, Share

#: Kubernetes names, and what is like them elsewhere.
ServiceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Listen(_Section):
    """Where to serve. Loopback by default; a container sets 0.0.0.0."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


class StoreSettings(_Section):
    """Where releases are kept."""

    #: sqlite:///path (one replica) or postgresql://host/name (any number of replicas).
    url: str = "sqlite:///firedamp.db"
    #: File with the database's password, for PostgreSQL.
    password_file: str | None = None
    #: Ended releases older than this are deleted; null keeps them for ever.
    retention: Retention | None = 180 * 86400.0

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://", "postgresql+asyncpg://")):
            raise ValueError("write it like sqlite:///firedamp.db or postgresql://user@host/firedamp")
        user, at, _ = url.partition("://")[2].rpartition("@")
        if (at and ":" in user) or "password=" in url:
            raise ValueError("a password does not belong in the settings; use password_file")
        return url

    @model_validator(mode="after")
    def _whose_password(self) -> "StoreSettings":
        if self.password_file is not None and "@" not in self.url:
            raise ValueError("password_file needs a user in the url: postgresql://user@host/firedamp")
        return self

    def address(self) -> str:
        """
        The URL with the password from its file.

        Raises:
            ConfigError: the file cannot be read.
        """
        if self.password_file is None:
            return self.url
        try:
            password = Path(self.password_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"store.password_file: {self.password_file} cannot be read") from error
        scheme, _, rest = self.url.partition("://")
        user, _, place = rest.partition("@")
        return f"{scheme}://{user}:{quote(password, safe='')}@{place}"


class Limits(_Section):
    """What one caller may take."""

    #: A verdict takes at most this long; callers wait 10 s.
    deadline: Seconds = 8.0
    body_bytes: int = Field(default=65536, ge=1024, le=1 << 20)
    header_seconds: Seconds = 5.0
    body_seconds: Seconds = 5.0
    #: Questions answered at the same time; more are told to ask again.
    concurrent: int = Field(default=256, ge=1, le=10000)
    #: Releases whose running statistics are kept in memory.
    sessions: int = Field(default=1000, ge=1, le=100000)


class Log(_Section):
    """Structured logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Defaults(_Section):
    """What a service gets where it says nothing; with checks here, any service can be judged."""

    source: str | None = None
    mode: Mode = Mode.JUDGE
    cohorts: Cohorts | None = None
    window: Window = Window()
    policy: Policy = Policy()
    #: May use $service and $namespace inside matchers' values.
    checks: tuple[Check, ...] = ()
    alpha: Share = Field(default=0.02, le=0.2)
    alpha_warn: Share = Field(default=0.05, le=0.5)
    ceiling: Share = 0.2
    history: History = HISTORY_SECONDS
    traces: Traces | None = None

    @model_validator(mode="after")
    def _told_apart(self) -> "Defaults":
        _distinct(self.checks, self.traces)
        return self


def _distinct(checks: tuple[Check, ...], traces: Traces | None) -> None:
    """Flows have checks of their own, whose names are taken."""
    flows = [check.name for check in traces.checks()] if traces else []
    if taken := [check.name for check in checks if check.name in flows]:
        raise ValueError(f"check {taken[0]!r} is what a check of traces is called; give it another name")


class Service(Parameters):
    """One service: how it is judged, and where its metrics are."""

    name: ServiceName
    namespace: ServiceName = "default"
    #: Name of the source; the first one where it is not given.
    source: str | None = None
    mode: Mode = Mode.JUDGE
    #: Name of the Rollout or Canary that rolls it out, where that is not the service's.
    released_by: ServiceName | None = None
    #: End-to-end flows that pass through the service, judged beside its own metrics.
    traces: Traces | None = None

    def parameters(self) -> Parameters:
        """What decides its releases, flows among the checks, without where it is found."""
        own = {name: getattr(self, name) for name in Parameters.model_fields}
        if self.traces is not None:
            own |= {"checks": (*self.checks, *self.traces.checks()), "traces": self.traces.reading()}
        return Parameters.model_construct(**own)

    @model_validator(mode="after")
    def _told_apart(self) -> "Service":
        _distinct(self.checks, self.traces)
        return self


class Settings(_Section):
    """The whole file."""

    #: Where people reach this service; permalinks begin with it.
    public_url: HttpUrl | None = None
    #: Where the pages' queries can be opened.
    links: Links = Links()
    listen: Listen = Listen()
    store: StoreSettings = StoreSettings()
    sources: tuple[SourceSettings, ...] = ()
    #: Mode of all services together; the strictest of this and the service's own holds.
    mode: Mode = Mode.JUDGE
    defaults: Defaults = Defaults()
    services: tuple[Service, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    auth: Auth = Auth()
    #: People look and change nothing: pages draw no forms. Programs go on as ever.
    read_only: bool = False
    #: Events on Rollouts and Canaries, and releases that are closed by their state.
    kubernetes: KubernetesSettings = KubernetesSettings()
    limits: Limits = Limits()
    log: Log = Log()

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        names = [source.name for source in self.sources]
        places: dict[str, Defaults | Service] = {"defaults": self.defaults}
        places |= {f"services.{at}": service for at, service in enumerate(self.services)}
        metrics = {f"{path}.source": one.source for path, one in places.items()}
        _refer(metrics, [one.name for one in self.metrics], "source of metrics")
        traces = {f"{path}.traces.source": one.traces.source for path, one in places.items() if one.traces}
        _refer(traces, [one.name for one in self.tracers], "source of traces")
        for path, one in places.items():
            if one.traces is not None:
                _follow(f"{path}.traces", one.traces, self.tracers)
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"sources: {min(twice)!r} is there twice; give each source its own name")
        if len([one for one in self.sources if isinstance(one, IntakeSettings)]) > 1:
            raise ValueError("sources: two are of kind otlp; spans are taken in one place, so leave one")
        keys = [(service.namespace, service.name) for service in self.services]
        if twice := {f"{namespace}/{name}" for namespace, name in keys if keys.count((namespace, name)) > 1}:
            raise ValueError(f"services: {min(twice)} is there twice")
        return self

    @property
    def metrics(self) -> list[MetricSettings]:
        """Sources of metrics."""
        return [source for source in self.sources if isinstance(source, MetricSettings)]

    @property
    def tracers(self) -> list[TraceSettings]:
        """Sources of traces."""
        return [source for source in self.sources if isinstance(source, TraceSettings)]

    def service(self, namespace: str, name: str) -> Service | None:
        """The service by hand, else by the defaults where those have checks, else None."""
        for service in self.services:
            if (service.namespace, service.name) == (namespace, name):
                return service
        return self._by_default(namespace, name) if self.defaults.checks else None

    def released_by(self, namespace: str, name: str) -> str | None:
        """Name of the Rollout or Canary that rolls the service out, where the settings give one."""
        service = self.service(namespace, name)
        return None if service is None else service.released_by

    def _by_default(self, namespace: str, name: str) -> Service:
        given = {key: value for key, value in dict(self.defaults).items() if value is not None}
        return Service.model_construct(**{**dict(_BLANK), **given, "name": name, "namespace": namespace})

    def freeze(self, namespace: str, name: str, now: float) -> Freeze | None:
        """The freeze in force for this service at this instant, if any."""
        at = datetime.fromtimestamp(now, UTC)
        return next((one for one in self.freezes if one.concerns(namespace, name) and one.holds(at)), None)


def _refer(used: Mapping[str, str | None], known: list[str], what: str) -> None:
    """Sources that services name must be there, and tell what is asked of them."""
    for path, name in used.items():
        if name is not None and name not in known:
            told = ", ".join(known) or "none"
            raise ValueError(f"{path}: no {what} is named {name!r}; known are {told}")


def _follow(path: str, traces: Traces, tracers: Sequence[TraceSettings]) -> None:
    """Linked flows need a source that tells links."""
    linked = next((flow.name for flow in traces.flows if flow.linked), None)
    used = next((one for one in tracers if traces.source in (None, one.name)), None)
    if linked is not None and isinstance(used, TempoSettings):
        raise ValueError(
            f"{path}: flow {linked!r} is linked, and a search in Tempo tells no links; "
            "use another source for this service, or leave the flow out"
        )


_BLANK = Service(name="blank")
