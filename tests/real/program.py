"""A server in a folder of its own, from enter to exit; ended without waiting, for it has nothing to save."""

import asyncio
import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_SECONDS = 20.0


class Program(ABC):
    """
    A running server; who derives from it says how it is started.

    Attributes:
        process: once entered.
        logs: a folder that keeps what it said, as `name`.log; its own goes with it.
    """

    name: str
    logs: Path | None = None

    def __init__(self) -> None:
        self._parts = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self, folder: Path) -> None:
        """Begin in this folder, and return when it is ready."""

    def __enter__(self) -> Self:
        with ExitStack() as parts:
            prefix = f"firedamp-{self.name}-"
            folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
            parts.callback(self._end, folder)
            self.start(folder)
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

    def run(
        self,
        command: Sequence[Path | str],
        folder: Path,
        is_ready: Callable[[], object],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a command and wait until it is ready: until asking so raises no `OSError` any more."""
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                is_ready()
            except OSError:
                time.sleep(0.02)
            else:
                return
        said = (folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name} did not get ready: {said}")

    def _end(self, folder: Path) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        if self.logs is not None:
            shutil.copy(folder / "log", self.logs / f"{self.name}.log")


def free_ports(count: int) -> list[int]:
    """Different ones that nobody listens on."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
