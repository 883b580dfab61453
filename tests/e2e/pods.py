"""What a pod is here: which process, what that is told, and what its kubelet would report of it."""

import asyncio
import os
import re
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from e2e.api import Document

_MEMORY_FIELD = 1
_NAMED, _LABEL = re.compile(r"\$\((\w+)\)"), re.compile(r"metadata\.labels\['(.+)'\]")


@dataclass(frozen=True, slots=True)
class Started:
    """
    What a container is here: a command, and what its environment holds beside what the pod says.

    Attributes:
        command: without the container's own arguments.
        environment: wins over what the pod says.
        paths: so do these, in which a mounted path is where its files really are.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inside:
    """
    What a process of a container has: the container's own, and every other one that is run beside it.

    Attributes:
        command: what the image starts, without arguments.
        mounts: where each mounted path really is.
    """

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    mounts: Mapping[str, Path]

    async def started(self, *arguments: str, output: int | IO[bytes], errors: int | IO[bytes]) -> Process:
        """A process with these arguments; its output goes there."""
        return await asyncio.create_subprocess_exec(
            *self.command,
            *(moved(word, self.mounts) for word in arguments),
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=output,
            stderr=errors,
        )


class Pod:
    """
    One that runs: its process, and what is known of it.

    Attributes:
        died: when its process ended by itself for the first time, as a Unix time.
    """

    def __init__(self, document: Document, address: str) -> None:
        self.document = document
        self.address = address
        self.restarts = 0
        self.ready = False
        self.silences = 0
        self.waiting = ""
        self.ended: dict[str, object] | None = None
        self.died: float | None = None
        self.begun = instant()
        self.process: Process | None = None
        self.inside: Inside | None = None

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.document["metadata"]["namespace"])

    @property
    def container(self) -> Document:
        found: Document = self.document["spec"]["containers"][0]
        return found

    @property
    def probe(self) -> Document:
        found: Document = self.container.get("readinessProbe", {})
        return found

    @property
    def labels(self) -> dict[str, str]:
        return {"namespace": self.namespace, "pod": self.name, "container": str(self.container["name"])}

    def port(self, wanted: str | int) -> int:
        """Of its container, by name or by number."""
        if isinstance(wanted, int):
            return wanted
        ports = {port.get("name"): port["containerPort"] for port in self.container.get("ports", ())}
        return int(ports[wanted])

    def memory_bytes(self) -> int:
        """Resident, of its process; 0 where there is none."""
        if self.process is None or self.process.returncode is not None:
            return 0
        with suppress(OSError):
            pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[_MEMORY_FIELD]
            return int(pages) * os.sysconf("SC_PAGESIZE")
        return 0

    def status(self) -> dict[str, object]:
        """As its kubelet would report it."""
        running = not self.waiting
        word = str(self.ready).lower().capitalize()
        conditions = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": word, "Ready": word}
        state = {"running": {"startedAt": self.begun}} if running else {"waiting": {"reason": self.waiting}}
        container = {
            "name": self.container["name"],
            "image": self.container["image"],
            "imageID": self.container["image"],
            "ready": self.ready,
            "started": running,
            "restartCount": self.restarts,
            "state": state,
            "lastState": {"terminated": self.ended} if self.ended else {},
        }
        return {
            "phase": "Running",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self.begun,
            "conditions": [
                {"type": kind, "status": value, "lastTransitionTime": instant()}
                for kind, value in conditions.items()
            ],
            "containerStatuses": [container],
        }


#: What runs a pod, by the name of its image without the tag.
Images = Mapping[str, Callable[[Pod], Started]]


def variables(pod: Pod) -> dict[str, str]:
    """The container's environment: plain values, in which $(NAME) is one that stands before, and fields."""
    said: dict[str, str] = {}
    for variable in pod.container.get("env", ()):
        path = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        text = _field(pod, path) if path else str(variable.get("value", ""))
        said[variable["name"]] = _NAMED.sub(lambda found: said.get(found[1], found[0]), text)
    return said


def _field(pod: Pod, path: str) -> str:
    """A field of the pod itself, as the downward API names it."""
    if label := _LABEL.fullmatch(path):
        return str(pod.document["metadata"].get("labels", {}).get(label[1], ""))
    fields = {"metadata.name": pod.name, "metadata.namespace": pod.namespace, "status.podIP": pod.address}
    return fields[path]


def moved(word: str, mounts: Mapping[str, Path]) -> str:
    """With every mounted path replaced by where its files really are."""
    if not mounts:
        return word
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    return re.sub(paths, lambda found: str(mounts[found.group()]), word)


def instant() -> str:
    """Now, as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
