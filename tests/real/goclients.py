"""
The real client code of Argo Rollouts 1.10.1 and Flagger 1.44.0, asked from tests.

`build()` compiles `clients/` once per machine; `GoClients` asks it questions. Its methods block:
in a test whose server shares the event loop, call them by `asyncio.to_thread`. They may be
called from several threads at once.

    answer = await asyncio.to_thread(clients.argo_web, url, success='result.verdict == "pass"')
"""

import queue
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from real import gobuild
from real.batch import Batch
from real.gobuild import Missing

SOURCES = Path(__file__).with_name("clients")
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ArgoMeasurement:
    """One measurement of an AnalysisRun, as its status would hold it."""

    phase: str  # Successful, Failed, Inconclusive or Error
    value: str  # what the jsonPath found, as JSON; text that is no JSON as it came
    message: str  # of an error only
    metadata: dict[str, str] | None  # the Prometheus provider puts warnings here
    seconds: float


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What Flagger makes of a hook: go on, or not and the text of its event."""

    ok: bool
    error: str
    checksum: str  # that was sent, computed by Flagger's own hash
    seconds: float


@dataclass(frozen=True, slots=True)
class OnlineAnswer:
    """Whether Flagger takes an address for a metrics server."""

    ok: bool
    error: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """The number Flagger compares with a threshold range; none is a failed check."""

    value: float | None
    no_values: bool
    error: str
    query: str  # as rendered from the template
    seconds: float


def build() -> Path | Missing:
    """
    The program, from the cache or freshly built (1 to 2 minutes on two cores), or why there is none.

    Raises:
        gobuild.BuildError: the program does not compile.
    """
    module = (SOURCES / "go.mod").read_text()
    version = gobuild.go_version(_least_version(module))
    if isinstance(version, Missing):
        return version
    files = [*SOURCES.glob("*.go"), SOURCES / "go.mod", SOURCES / "go.sum"]
    ready = gobuild.cached("clients", gobuild.key_of(version, files), _compile)
    return ready if isinstance(ready, Missing) else ready / "clients"


def _compile(into: Path) -> None:
    gobuild.go(["build", "-p", "2", "-ldflags", "-s -w", "-o", str(into / "clients"), "."], cwd=SOURCES)


def _least_version(module: str) -> tuple[int, int, int]:
    numbers = re.search(r"^go (\d+)\.(\d+)\.(\d+)$", module, re.MULTILINE)
    if numbers is None:
        raise ValueError("go.mod names no Go version, expected a line such as `go 1.26.1`")
    major, minor, patch = map(int, numbers.groups())
    return major, minor, patch


@contextmanager
def clients_or_skip() -> Iterator["GoClients"]:
    """For a session fixture: the clients, or a skip with the reason why there are none."""
    program = build()
    if isinstance(program, Missing):
        pytest.skip(program.reason)
    with GoClients(program) as clients:
        yield clients


@dataclass(slots=True)
class GoClients:
    """The two controllers' clients behind typed calls; each takes an idle process or starts one."""

    program: Path
    _idle: queue.LifoQueue[Batch] = field(default_factory=queue.LifoQueue)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().end()

    def argo_web(
        self,
        url: str,
        method: str = "GET",
        *,
        body: str = "",
        json_body: object = None,
        headers: Mapping[str, str] = NOTHING,
        json_path: str = "",
        success: str = "",
        failure: str = "",
        timeout_seconds: int = 10,
    ) -> ArgoMeasurement:
        """A measurement by the web metric provider; an empty `json_path` is its default `{$}`."""
        fields = {
            "url": url,
            "method": method,
            "body": body,
            "headers": dict(headers),
            "json_path": json_path,
            "success": success,
            "failure": failure,
            "timeout_seconds": timeout_seconds,
        }
        if json_body is not None:
            fields["json_body"] = json_body
        return ArgoMeasurement(**self._ask("argo-web", fields))

    def argo_prometheus(
        self,
        address: str,
        query: str,
        *,
        success: str = "",
        failure: str = "",
        headers: Mapping[str, str] = NOTHING,
        timeout_seconds: int = 0,
    ) -> ArgoMeasurement:
        """A measurement by the Prometheus provider; a timeout of 0 is its default, 30 s."""
        fields = {
            "address": address,
            "query": query,
            "success": success,
            "failure": failure,
            "headers": dict(headers),
            "timeout_seconds": timeout_seconds,
        }
        return ArgoMeasurement(**self._ask("argo-prometheus", fields))

    def flagger_hook(
        self,
        url: str,
        hook_type: str,
        phase: str = "Progressing",
        *,
        name: str = "checkout",
        namespace: str = "shop",
        applied: str = "",
        tracked: Mapping[str, str] = NOTHING,
        metadata: Mapping[str, str] = NOTHING,
        timeout: str = "",
        retries: int = 0,
    ) -> HookAnswer:
        """
        A call of a canary's webhook.

        `applied` is status.lastAppliedSpec: another text is another revision, with another
        checksum. `timeout` is a Go duration; text shorter than two characters is 10 s.
        """
        called = _canary(url, phase, name, namespace, applied, tracked)
        settings = {"metadata": dict(metadata) or None, "timeout": timeout, "retries": retries}
        return HookAnswer(**self._ask("flagger-hook", {**called, **settings, "type": hook_type}))

    def flagger_event(
        self,
        url: str,
        message: str,
        event_type: str = "Normal",
        phase: str = "Progressing",
        *,
        name: str = "checkout",
        namespace: str = "shop",
        applied: str = "",
        tracked: Mapping[str, str] = NOTHING,
        metadata: Mapping[str, str] = NOTHING,
        timeout: str = "",
    ) -> HookAnswer:
        """A call of the event webhook."""
        called = _canary(url, phase, name, namespace, applied, tracked)
        settings = {"metadata": dict(metadata) or None, "timeout": timeout}
        said = {"message": message, "event_type": event_type}
        return HookAnswer(**self._ask("flagger-event", {**called, **settings, **said}))

    def flagger_metric(
        self,
        address: str,
        query: str,
        *,
        name: str = "checkout",
        namespace: str = "shop",
        target: str = "checkout",
        service: str = "checkout",
        interval: str = "1m",
        variables: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        token: str = "",
    ) -> MetricAnswer:
        """A MetricTemplate's query, rendered and asked; `token` is the secret's bearer token."""
        fields = {
            "address": address,
            "query": query,
            "name": name,
            "namespace": namespace,
            "target": target,
            "service": service,
            "interval": interval,
            "variables": dict(variables),
            "headers": dict(headers),
            "token": token,
        }
        answer = self._ask("flagger-metric", fields)
        measured = answer.pop("ok")
        return MetricAnswer(**{**answer, "value": float(answer["value"]) if measured else None})

    def flagger_online(
        self, address: str, *, headers: Mapping[str, str] = NOTHING, token: str = ""
    ) -> OnlineAnswer:
        """The question Flagger asks before it trusts a metrics server: `vector(1)`."""
        fields = {"address": address, "headers": dict(headers), "token": token}
        return OnlineAnswer(**self._ask("flagger-online", fields))

    def _ask(self, command: str, fields: Mapping[str, object]) -> dict[str, Any]:
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            process = Batch(self.program)
        answer = process.ask({"command": command, "fields": fields})
        self._idle.put(process)
        return answer


def _canary(
    url: str, phase: str, name: str, namespace: str, applied: str, tracked: Mapping[str, str]
) -> dict[str, object]:
    return {
        "url": url,
        "phase": phase,
        "name": name,
        "namespace": namespace,
        "applied": applied,
        "tracked": dict(tracked) or None,
    }
