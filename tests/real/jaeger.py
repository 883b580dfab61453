"""
A real Jaeger that remembers in memory, for tests.

It is Jaeger 2 from its Go module (1.76.0, the last that is served as one; the binary calls itself 2.13),
built once per machine and started on free loopback ports with nothing but storage, query and OTLP/HTTP.

    with Jaeger(program) as jaeger:
        await send(jaeger.intake, [order(at=time.time())])
        source(url=jaeger.url)

It keeps `keeps` traces; as of every Jaeger that remembers in memory, no search may ask for more.
"""

import asyncio
import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from real import gobuild
from real.gobuild import Missing

MODULE = "github.com/jaegertracing/jaeger@v1.76.0"
NEEDS_GO = (1, 24, 6)  # the module's own go line
FLAGS = ["-ldflags", "-s -w"]
PATIENCE_SECONDS = 20.0


def build() -> Path | Missing:
    """
    The program, from the cache or freshly built (3 minutes on two cores), or why there is none.

    Raises:
        gobuild.BuildError: the module does not build.
    """
    version = gobuild.go_version(NEEDS_GO)
    if isinstance(version, Missing):
        return version
    ready = gobuild.cached("jaeger", gobuild.key_of(f"{MODULE} {FLAGS}"), _compile)
    return ready if isinstance(ready, Missing) else ready / "jaeger"


def jaeger_or_skip() -> Path:
    """For a fixture: the program, or a skip with the reason why there is none."""
    program = build()
    if isinstance(program, Missing):
        pytest.skip(program.reason)
    return program


def _compile(into: Path) -> None:
    # `go install MODULE` refuses a module with replacements; inside its own folder it builds.
    source = json.loads(gobuild.go(["mod", "download", "-json", MODULE], cwd=into))["Dir"]
    gobuild.go(["build", "-p", "2", *FLAGS, "-o", str(into / "jaeger"), "./cmd/jaeger"], cwd=Path(source))


class Jaeger:
    """
    A running Jaeger, between enter and exit.

    Attributes:
        url: of its queries, once entered.
        intake: of its OTLP/HTTP receiver, without /v1/traces.
    """

    def __init__(self, program: Path, *, keeps: int = 100_000) -> None:
        self._program = program
        self._keeps = keeps
        self._parts = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.intake = ""

    def __enter__(self) -> Self:
        with ExitStack() as parts:
            folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="firedamp-jaeger-")))
            parts.callback(self._end)
            self._start(folder)
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """Stop it and remove its files; stopping twice is harmless."""
        self._parts.close()

    def _start(self, folder: Path) -> None:
        query, grpc, intake, health = _free_ports(4)
        self.url, self.intake = f"http://127.0.0.1:{query}", f"http://127.0.0.1:{intake}"
        (folder / "jaeger.json").write_text(json.dumps(_settings(query, grpc, intake, health, self._keeps)))
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [self._program, "--config", "jaeger.json"], cwd=folder, stdout=log, stderr=log
            )
        self._wait_until_ready(f"http://127.0.0.1:{health}/status", folder / "log")

    def _wait_until_ready(self, status: str, log: Path) -> None:
        assert self.process
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                with urllib.request.urlopen(status, timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise RuntimeError(f"jaeger did not get ready: {log.read_text(errors='replace')[-2000:]}")

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.kill()  # it would take its time, and has nothing to save
        self.process.wait()
        self.process = None


def _settings(query: int, grpc: int, intake: int, health: int, keeps: int) -> dict[str, object]:
    """Configuration of a Jaeger on these ports; without a file it listens on all addresses and 14 ports."""
    return {
        "extensions": {
            "healthcheckv2": {"use_v2": True, "http": {"endpoint": f"127.0.0.1:{health}"}},
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": keeps}}}},
            "jaeger_query": {
                "storage": {"traces": "memory"},
                "http": {"endpoint": f"127.0.0.1:{query}"},
                "grpc": {"endpoint": f"127.0.0.1:{grpc}"},
            },
        },
        "receivers": {
            "otlp": {
                "protocols": {"http": {"endpoint": f"127.0.0.1:{intake}", "max_request_body_size": 2**28}}
            }
        },
        "processors": {"batch": {"timeout": "50ms"}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
        "service": {
            "extensions": ["healthcheckv2", "jaeger_storage", "jaeger_query"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["batch"],
                    "exporters": ["jaeger_storage_exporter"],
                }
            },
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
        },
    }


def _free_ports(count: int) -> list[int]:
    """All are held until the last is found, so that none comes twice."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
