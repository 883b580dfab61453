"""
A `clients serve-batch` kept running: many questions to the real code without a start for each.

A panic of the real code ends the process, as it would end the controller; it is told here from
every other end.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any


class ClientPanic(Exception):  # noqa: N818 - Go's own word
    """The real code panicked, which would have ended the controller."""


class Batch:
    """One `clients serve-batch`: a line in, a line out, until it is ended or panics."""

    def __init__(self, program: Path) -> None:
        # A file, for a pipe that nobody reads would fill with the controllers' logs.
        self._log: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by end()
        self._running = subprocess.Popen(
            [program, "serve-batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        stdin, stdout = self._running.stdin, self._running.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise self._obituary()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        self._running.communicate()
        self._log.close()

    def _obituary(self) -> Exception:
        code = self._running.wait()
        self._log.seek(0)
        said = self._log.read()
        self.end()
        panic = re.search(r"^panic: .*", said, re.MULTILINE)
        if code == 2 and panic is not None:
            return ClientPanic(panic.group())
        return RuntimeError(f"the clients exited with {code}: {said[-2000:]}")
