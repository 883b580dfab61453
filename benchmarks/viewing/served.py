"""
The service as people run it, `firedamp serve`, in a process of its own; and what the system says of that.

Processor time is told by the kernel in nanoseconds for each thread, and memory by resident pages.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """Where it answers, and its process."""

    url: str
    pid: int

    def cpu(self) -> float:
        """Seconds of processor time of all its threads so far."""
        spent = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                spent += int((thread / "schedstat").read_text().split()[0])
            except OSError:  # it ended meanwhile
                continue
        return spent / 1e9

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def served(settings: Mapping[str, object]) -> Iterator[Served]:
    """
    Serve until the block is left.

    Raises:
        RuntimeError: it does not get ready; its last words are told.
    """
    with tempfile.TemporaryDirectory(prefix="firedamp-pages-") as folder:
        written, log = Path(folder, "firedamp.yaml"), Path(folder, "log")
        written.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
        port = _free_port()
        command = [sys.executable, "-m", "firedamp", "serve", "--config", str(written), "--port", str(port)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            found = Served(f"http://127.0.0.1:{port}", process.pid)
            _ready(found, process, log)
            yield found
        finally:
            process.terminate()
            process.wait(30)


def _ready(found: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{found.url}/readyz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not get ready: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
