"""
A real PostgreSQL for one test session: made, started on a free loopback port, stopped and removed.

Import the fixture `postgres` into a conftest; `Cluster.database()` gives a fresh, empty database each
time. Under pytest-xdist every worker has a cluster of its own.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from real.program import free_ports

_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


def binaries() -> Path | None:
    """Where initdb and postgres are; None where PostgreSQL's server is not installed."""
    found = [Path(path).parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(asked.stdout.strip()))
    return next((path for path in reversed(found) if (path / "initdb").exists()), None)


class Cluster:
    """A running server."""

    def __init__(self, bindir: Path, folder: Path, port: int) -> None:
        self._bindir, self._folder, self.port = bindir, folder, port
        self._numbers = count(1)

    def database(self, template: str = "template0") -> str:
        """Create a database and return its URL."""
        name = f"test{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def run(self, statement: str, database: str = "postgres") -> str:
        """Run SQL from outside, as an administrator would."""
        command = [self._bindir / "psql", "-h", self._folder, "-p", str(self.port), "-U", "postgres"]
        done = subprocess.run(
            [*command, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A cluster for the session; tests skip where there is none to be had."""
    bindir = binaries()
    if bindir is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("running as root without setpriv, and PostgreSQL refuses to run as root")
    with started(bindir) as cluster:
        yield cluster


@contextmanager
def started(bindir: Path) -> Iterator[Cluster]:
    """A cluster of these binaries, until the block is left."""
    with _folder() as folder:
        _as_postgres([bindir / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"])
        with _running(bindir, folder) as cluster:
            yield cluster


@contextmanager
def _folder() -> Iterator[Path]:
    """A short path (sockets need one) that the user postgres may enter; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="firedamp-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(bindir: Path, folder: Path) -> Iterator[Cluster]:
    cluster, process = _started(bindir, folder)
    try:
        yield cluster
    finally:
        process.terminate()
        _as_postgres([bindir / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-W", "stop"], check=False)
        process.wait(20)


def _started(bindir: Path, folder: Path) -> tuple[Cluster, subprocess.Popen[bytes]]:
    log = folder / "log"
    for _ in range(5):  # somebody else may take the port between choosing and listening
        cluster = Cluster(bindir, folder, free_ports(1)[0])
        options = [part for setting in _FAST for part in ("-c", setting)]
        listening = ["-h", "127.0.0.1", "-p", str(cluster.port), "-k", str(folder)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*_user(), bindir / "postgres", "-D", folder / "data", *listening, *options],
                stdout=output,
                stderr=output,
                cwd="/",
            )
        if _answers(cluster, process):
            return cluster, process
    raise RuntimeError(f"PostgreSQL does not start: {log.read_text()[-2000:]}")


def _answers(cluster: Cluster, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            cluster.run("SELECT 1")
        except subprocess.CalledProcessError:
            time.sleep(0.05)
        else:
            return True
    process.kill()
    process.wait()
    return False


def _as_postgres(command: list[Path | str], *, check: bool = True) -> None:
    subprocess.run([*_user(), *command], capture_output=True, check=check, cwd="/")


def _user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
