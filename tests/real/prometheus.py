"""
A real Prometheus with a past written by hand, for tests.

Series are given as Python values, written as OpenMetrics text, backfilled with promtool and served
from a free loopback port, so that every test chooses each sample that the server will have.

    with RealPrometheus([("http_requests_total", {"pod": "a"}, times, values)]) as prometheus:
        ask(prometheus.url)

Times should lie in the past (an hour or more): promtool writes finished blocks. The server scrapes
nothing and forgets nothing. Pass `binary` to run another Prometheus than the one on PATH; its
promtool is looked for beside it.
"""

import shutil
import subprocess
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from real import prometheus3
from real.program import Program, free_ports

Given = tuple[str, Mapping[str, str], Sequence[float], Sequence[float]]

_INSTALLED = shutil.which("prometheus") and shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(
    not _INSTALLED, reason="needs prometheus and promtool: apt-get install --no-install-recommends prometheus"
)

_PROMETHEUS_3 = prometheus3.found()

#: The servers to test against, for `pytest.mark.parametrize("binary", BINARIES)`.
BINARIES = [
    pytest.param(None, id="installed", marks=needs_prometheus),
    pytest.param(
        _PROMETHEUS_3 and _PROMETHEUS_3 / "prometheus",
        id=f"prometheus-{prometheus3.VERSION}",
        marks=pytest.mark.skipif(
            _PROMETHEUS_3 is None, reason=f"Prometheus 3 is not built; {prometheus3.ASKED_BY}=1 builds it"
        ),
    ),
]

_HISTOGRAM_TAILS = ("_bucket", "_count", "_sum")


class RealPrometheus(Program):
    """
    A Prometheus server that has exactly the given samples, running between enter and exit.

    Attributes:
        url: its address, once entered.
    """

    name = "prometheus"

    def __init__(self, series: Iterable[Given], binary: Path | None = None) -> None:
        super().__init__()
        self._series = list(series)
        self._prometheus = binary or "prometheus"
        self._promtool = binary.with_name("promtool") if binary else "promtool"
        self.url = ""

    def start(self, folder: Path) -> None:
        """With its past in place, from a free port."""
        self._backfill(folder)
        (folder / "prometheus.yml").write_text("scrape_configs: []\n", encoding="utf-8")
        address = f"127.0.0.1:{free_ports(1)[0]}"
        self.url = f"http://{address}"
        command = [
            self._prometheus,
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address={address}",
        ]
        self.run(command, folder, lambda: urllib.request.urlopen(f"{self.url}/-/ready", timeout=1).close())

    def _backfill(self, folder: Path) -> None:
        text = openmetrics(self._series)
        if text == "# EOF\n":
            return
        (folder / "given.txt").write_text(text, encoding="utf-8")
        command = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", "given.txt", "data"]
        done = subprocess.run(
            [self._promtool, *command], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"promtool: {done.stdout}{done.stderr}")


def openmetrics(series: Iterable[Given]) -> str:
    """Write series as OpenMetrics text, each family in one piece under its TYPE line."""
    families: dict[tuple[str, str], list[Given]] = {}
    for given in series:
        families.setdefault(_family(given[0]), []).append(given)
    lines = []
    for (family, kind), members in families.items():
        lines.append(f"# TYPE {family} {kind}")
        lines += [line for member in members for line in _sample_lines(*member)]
    return "\n".join([*lines, "# EOF", ""])


def _family(name: str) -> tuple[str, str]:
    if name.endswith("_total"):
        return name.removesuffix("_total"), "counter"
    for tail in _HISTOGRAM_TAILS:
        if name.endswith(tail):
            return name.removesuffix(tail), "histogram"
    return name, "gauge"


def _sample_lines(
    name: str, labels: Mapping[str, str], times: Sequence[float], values: Sequence[float]
) -> list[str]:
    inside = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    head = f"{name}{{{inside}}}" if inside else name
    return [f"{head} {float(value)!r} {float(when):.3f}" for when, value in zip(times, values, strict=True)]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
