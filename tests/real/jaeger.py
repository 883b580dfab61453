"""
A real Jaeger that remembers in memory, for tests.

It is Jaeger 2 from its Go module (1.76.0, the last that is served as one; the binary calls itself 2.13),
built once per machine and started on free loopback ports with nothing but storage, query and OTLP/HTTP.

    with Jaeger(program) as jaeger:
        await send(jaeger.intake, [order(at=time.time())])
        source(url=jaeger.url)

It keeps `keeps` traces; as of every Jaeger that remembers in memory, no search may ask for more.
"""

import json
import urllib.request
from pathlib import Path

import pytest

from real import gobuild
from real.gobuild import Missing
from real.program import Program, free_ports

MODULE = "github.com/jaegertracing/jaeger@v1.76.0"
NEEDS_GO = (1, 24, 6)  # the module's own go line
FLAGS = ["-ldflags", "-s -w"]


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


class Jaeger(Program):
    """
    A running Jaeger, between enter and exit.

    Attributes:
        url: of its queries, once entered.
        intake: of its OTLP/HTTP receiver, without /v1/traces.
    """

    name = "jaeger"

    def __init__(self, program: Path, *, keeps: int = 100_000) -> None:
        super().__init__()
        self._program = program
        self._keeps = keeps
        self.url = ""
        self.intake = ""

    def start(self, folder: Path) -> None:
        query, grpc, intake, health = free_ports(4)
        self.url, self.intake = f"http://127.0.0.1:{query}", f"http://127.0.0.1:{intake}"
        (folder / "jaeger.json").write_text(json.dumps(_settings(query, grpc, intake, health, self._keeps)))

        def is_ready() -> None:
            with urllib.request.urlopen(f"http://127.0.0.1:{health}/status", timeout=1):
                pass

        self.run([self._program, "--config", "jaeger.json"], folder, is_ready)


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
