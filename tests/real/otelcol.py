"""
A real OpenTelemetry collector, built once per machine from `otelcol/builder.yaml`.

    with Collector(program, [docs / "traces-collector.yaml"], FIREDAMP_URL=url) as collector:
        await send(collector.intake, trips)

It listens on a free loopback port, which configurations take from `OTLP_LISTEN`, and is ended without
waiting; its own metrics are off.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from real import gobuild
from real.gobuild import Missing

BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.155.0"
MANIFEST = Path(__file__).parent / "otelcol" / "builder.yaml"
NEEDS_GO = (1, 25, 0)  # the builder's own go line
PATIENCE_SECONDS = 20.0
_QUIET = "service: {telemetry: {metrics: {level: none}, logs: {level: warn}}}\n"


def build() -> Path | Missing:
    """
    The program, from the cache or freshly built (4 minutes on two cores), or why there is none.

    Raises:
        gobuild.BuildError: the manifest does not build.
    """
    version = gobuild.go_version(NEEDS_GO)
    if isinstance(version, Missing):
        return version
    ready = gobuild.cached("otelcol", gobuild.key_of(BUILDER, [MANIFEST]), _compile)
    return ready if isinstance(ready, Missing) else ready / "otelcol"


def collector_or_skip() -> Path:
    """For a fixture: the program, or a skip with the reason why there is none."""
    program = build()
    if isinstance(program, Missing):
        pytest.skip(program.reason)
    return program


def _compile(into: Path) -> None:
    sources = into / "sources"
    manifest = into / "builder.yaml"
    shutil.copy(MANIFEST, manifest)
    gobuild.go(["run", BUILDER, "--config", str(manifest), "--skip-compilation"], cwd=into)
    gobuild.go(["build", "-p", "2", "-ldflags", "-s -w", "-o", str(into / "otelcol"), "."], cwd=sources)


class Collector:
    """
    A running collector, between enter and exit.

    Attributes:
        intake: of its OTLP/HTTP receiver, without /v1/traces; once entered.
        process: likewise.
    """

    def __init__(self, program: Path, configurations: Sequence[Path], **environment: str) -> None:
        self._program = program
        self._configurations = configurations
        self._environment = environment
        self._parts = ExitStack()
        self.intake = ""
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as parts:
            folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="firedamp-otelcol-")))
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
        self._parts.close()

    def _start(self, folder: Path) -> None:
        quiet = folder / "quiet.yaml"
        quiet.write_text(_QUIET)
        port = _free_port()
        told = {**os.environ, **self._environment, "OTLP_LISTEN": f"127.0.0.1:{port}"}
        given = [part for path in (*self._configurations, quiet) for part in ("--config", f"file:{path}")]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [self._program, *given], cwd=folder, env=told, stdout=log, stderr=log
            )
        self.intake = f"http://127.0.0.1:{port}"
        self._wait_until_ready(port, folder / "log")

    def _wait_until_ready(self, port: int, log: Path) -> None:
        assert self.process
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the collector did not get ready: {log.read_text(errors='replace')[-2000:]}")

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.kill()  # it has nothing to save
        self.process.wait()
        self.process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
