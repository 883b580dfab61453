"""A real Prometheus that holds the recorded shop, from the packages of this machine."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from firedamp.errors import ConfigError, SourceDownError
from firedamp.sources.replay import Recorded

_READY_SECONDS = 20.0


@contextmanager
def prometheus(shop: Iterable[Recorded], folder: Path) -> Iterator[str]:
    """
    Run a Prometheus with these series, times in Unix seconds; yields its address.

    Raises:
        ConfigError: the programs are not installed.
        SourceDownError: it does not become ready.
    """
    server, tool = found("prometheus"), found("promtool")
    text, data = folder / "shop.om", folder / "prometheus"
    text.write_text("".join(openmetrics(shop)), encoding="utf-8")
    _run(tool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data))
    configuration = folder / "prometheus.yml"
    configuration.write_text("scrape_configs: []\n", encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        [
            server,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=1y",
            f"--web.listen-address={address}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_ready(f"http://{address}", process)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def openmetrics(shop: Iterable[Recorded]) -> Iterator[str]:
    """The series as OpenMetrics text, a family at a time, as promtool wants it."""
    for metric, every in groupby(sorted(shop, key=_name), key=_name):
        family, kind = _family(metric)
        yield f"# TYPE {family} {kind}\n"
        for one in every:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(one.labels.items()))
            for at, value in zip(one.times, one.values, strict=True):
                yield f"{metric}{{{labels}}} {value:.10g} {at:.3f}\n"
    yield "# EOF\n"


def _name(one: Recorded) -> str:
    return one.name


def _family(metric: str) -> tuple[str, str]:
    if metric.endswith("_total"):
        return metric.removesuffix("_total"), "counter"
    return metric, "unknown"


def found(program: str) -> str:
    """
    Path of an installed program.

    Raises:
        ConfigError: it is not installed; names the package.
    """
    path = shutil.which(program)
    if path is None:
        raise ConfigError(
            f"{program} is not installed; install the package prometheus, or leave --prometheus out"
        )
    return path


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SourceDownError(f"{command[0]} failed: {done.stderr.strip()}")


def free_port(wanted: int = 0) -> int:
    """This loopback port where it is free, else another one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigError("no loopback port is free")


def _until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{url}/-/ready", timeout=1):  # noqa: S310 - a loopback address of ours
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise SourceDownError(f"the local Prometheus at {url} did not become ready")
