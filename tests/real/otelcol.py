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
from collections.abc import Sequence
from pathlib import Path

import pytest

from real import gobuild
from real.gobuild import Missing
from real.program import Program, free_ports

BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.155.0"
MANIFEST = Path(__file__).parent / "otelcol" / "builder.yaml"
NEEDS_GO = (1, 25, 0)  # the builder's own go line
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


class Collector(Program):
    """
    A running collector, between enter and exit.

    Attributes:
        intake: of its OTLP/HTTP receiver, without /v1/traces; once entered.
    """

    name = "otelcol"

    def __init__(self, program: Path, configurations: Sequence[Path], **environment: str) -> None:
        super().__init__()
        self._program = program
        self._configurations = configurations
        self._environment = environment
        self.intake = ""

    def start(self, folder: Path) -> None:
        quiet = folder / "quiet.yaml"
        quiet.write_text(_QUIET)
        (port,) = free_ports(1)
        self.intake = f"http://127.0.0.1:{port}"
        told = {**os.environ, **self._environment, "OTLP_LISTEN": f"127.0.0.1:{port}"}
        given = [part for path in (*self._configurations, quiet) for part in ("--config", f"file:{path}")]

        def is_ready() -> None:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()

        self.run([self._program, *given], folder, is_ready, told)
