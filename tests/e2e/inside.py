"""
The command `kubectl exec -- firedamp ...`, which asks a kubelet: here that is a process beside the pod's own.

    python inside.py FOLDER -n firedamp exec deploy/firedamp -- firedamp doctor cart

`FOLDER` is the stage's, in which each pod's process stands. What is run has its environment and its mounted
settings, as a process in its container would.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(folder: str, words: Sequence[str]) -> None:
    """Become what is to run in the pod."""
    at = words.index("--")
    namespace, (kind, deployment) = words[words.index("-n") + 1], words[at - 1].split("/")
    assert kind == "deploy", words
    process = _process(Path(folder) / namespace, f"{deployment}-")
    said = [one.partition("=") for one in _read(process / "environ")]
    began = _read(process / "cmdline")
    environment = {name: value for name, _, value in said} | {
        "FIREDAMP_CONFIG": began[began.index("--config") + 1],  # as the image has it
        "NO_PROXY": "127.0.0.1",  # sources are no part of the mesh
    }
    os.execve(sys.executable, [sys.executable, "-m", *words[at + 1 :]], environment)


def _process(namespace: Path, prefix: str) -> Path:
    """Of a pod whose name begins so; the newest, for an old one may still be stopping."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            at = (process / "cwd").readlink()
        except OSError:  # gone meanwhile, or somebody else's
            continue
        if at.parent == namespace and at.name.startswith(prefix):
            found.append(process)
    return max(found, key=lambda process: process.stat().st_mtime)


def _read(path: Path) -> list[str]:
    return path.read_bytes().decode().rstrip("\0").split("\0")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
