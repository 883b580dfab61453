"""
Real parts built from Go modules, once per machine.

A build costs minutes, so its result stays in the user's cache, keyed by everything that shaped
it: sources, module sums and the Go version. A file lock lets parallel test runs share one build.
What the machine lacks is a `Missing` with a reason, for the tests to skip with; a program that
does not compile is an error.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUILD_SECONDS = 15 * 60

# Of a toolchain that would download another, a workspace around us or a repository's state,
# none may change what is built. Modules come from wherever this machine takes them.
SETTINGS = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}

# How Go words a network that is not there; anything else that fails is our own fault.
UNREACHABLE = re.compile(
    r"dial tcp|no such host|connection refused|i/o timeout|TLS handshake|proxyconnect"
    r"|module lookup disabled|unexpected EOF|\b50[234] |no space left"
)


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a real part cannot be had on this machine."""

    reason: str


class BuildError(Exception):
    """The Go program does not build, and the machine is not to blame."""


class _MachineLacks(Exception):  # noqa: N818 - no error: a reason to skip
    """A part of this machine is missing; the message becomes a reason."""


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path | Missing:
    """
    The folder `name`-`key` of the cache, filled by `build` unless it is there already.

    `build` fills the empty folder that it is given; it may run `go`.

    Raises:
        BuildError: the program does not build on a machine that has all it needs.
    """
    ready = folder(name, key)
    if ready.is_dir():
        return ready
    with _only_one(ready):
        if ready.is_dir():
            return ready
        try:
            _fill(ready, build)
        except _MachineLacks as lack:
            return Missing(str(lack))
    return ready


def folder(name: str, key: str) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "firedamp-tests" / f"{name}-{key}"


def key_of(version: str, files: Iterable[Path] = ()) -> str:
    """Sixteen hex digits that change with `version`, with a file's name and with its content."""
    digest = hashlib.sha256(f"{version}\0{SETTINGS}".encode())
    for path in sorted(files):
        digest.update(f"\0{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()[:16]


def go_version(at_least: tuple[int, int, int]) -> str | Missing:
    """The line `go version` prints, or why it will not do."""
    if shutil.which("go") is None:
        return Missing("Go is not installed (https://go.dev/doc/install)")
    line = subprocess.run(["go", "version"], capture_output=True, text=True, check=True, timeout=60).stdout
    numbers = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", line)
    found = tuple(int(part or 0) for part in numbers.groups()) if numbers else (0, 0, 0)
    if found < at_least:
        wanted = ".".join(map(str, at_least))
        return Missing(f"Go is {'.'.join(map(str, found))}, expected {wanted} or newer")
    return line.strip()


def go(
    arguments: Sequence[str],
    *,
    cwd: Path,
    seconds: float = BUILD_SECONDS,
    settings: Mapping[str, str] | None = None,
) -> str:
    """
    Standard output of `go` with these arguments, run politely and ended with all its children in time.

    Raises:
        BuildError: it failed for a reason of the program's own.
    """
    process = subprocess.Popen(
        ["nice", "-n", "10", "go", *arguments],
        cwd=cwd,
        env={**os.environ, **SETTINGS, **(settings or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process, _killed_on_error(process):
        try:
            output, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise _MachineLacks(f"`go {arguments[0]}` took longer than {seconds:.0f} s") from None
    if process.returncode:
        raise _failure(complaint)
    return output


def _failure(complaint: str) -> Exception:
    if UNREACHABLE.search(complaint):
        return _MachineLacks(f"Go modules cannot be had: {complaint.strip().splitlines()[-1]}")
    return BuildError(complaint[-4000:])


@contextmanager
def _killed_on_error(process: subprocess.Popen[str]) -> Iterator[None]:
    # Killing `go` alone leaves its compilers running.
    try:
        yield
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


@contextmanager
def _only_one(ready: Path) -> Iterator[None]:
    ready.parent.mkdir(parents=True, exist_ok=True)
    with ready.with_name(f"{ready.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(ready: Path, build: Callable[[Path], None]) -> None:
    draft = ready.with_name(f"{ready.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        build(draft)
        draft.rename(ready)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
