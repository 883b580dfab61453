"""
What runs the pods: one process per container on a loopback address that is the pod's own.

It is a stand-in for the kubelets of a cluster. It starts what an image is the name of, with the container's
arguments, variables and mounted files; asks its readiness probe; starts it again when it ends, counts that,
and waits longer each time; and stops it when its pod is deleted. What kube-state-metrics and cAdvisor would
say of restarts and memory it says itself, under their names (`exposition`).
"""

import asyncio
import base64
import itertools
import os
import re
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import aiohttp

from e2e.accounts import Accounts
from e2e.api import POD, Api, Document, Kind, RefusedError

CONFIG_MAP, SECRET = Kind("v1", "ConfigMap"), Kind("v1", "Secret")
#: How often a pod is looked at, and how long a container may take to end.
PROBE_SECONDS, GRACE_SECONDS = 0.5, 3.0
#: Wait before a container is started again: doubled each time, up to this.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 20.0
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
            *(_moved(word, self.mounts) for word in arguments),
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=output,
            stderr=errors,
        )


class Pod:
    """One that runs: its process, and what is known of it."""

    def __init__(self, document: Document, address: str) -> None:
        self.document = document
        self.address = address
        self.restarts = 0
        self.ready = False
        self.silences = 0
        self.waiting = ""
        self.ended: dict[str, object] | None = None
        self.begun = _instant()
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
                {"type": kind, "status": value, "lastTransitionTime": _instant()}
                for kind, value in conditions.items()
            ],
            "containerStatuses": [container],
        }


#: What runs a pod, by the name of its image without the tag.
Images = Mapping[str, Callable[[Pod], Started]]


class Kubelet:
    """
    Runs every pod of a cluster, between `run` and its being cancelled.

    Attributes:
        pods: those that run, by namespace and name.
    """

    def __init__(self, api: Api, images: Images, folder: Path) -> None:
        self._api = api
        self._images = images
        self._folder = folder
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._addresses = _addresses()
        self._accounts = Accounts(api)
        self.pods: dict[tuple[str, str], Pod] = {}

    async def run(self) -> None:
        """Until cancelled; then every pod is stopped."""
        try:
            async for change, document in self._api.watch(POD):
                await self._changed(change, document)
        finally:
            await self._all_ended()

    async def execute(self, pod: Pod, *arguments: str) -> str:
        """
        What another process of the pod's container says, as with `kubectl exec`.

        Raises:
            RuntimeError: it failed.
        """
        assert pod.inside is not None
        process = await pod.inside.started(*arguments, output=PIPE, errors=PIPE)
        said, complained = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{arguments[0]} in {pod.name}: {complained.decode(errors='replace')}")
        return said.decode()

    async def _changed(self, change: str, document: Document) -> None:
        key = document["metadata"]["namespace"], document["metadata"]["name"]
        if change == "DELETED":
            if task := self._tasks.pop(key, None):
                task.cancel()
        elif (
            key not in self._tasks
            and document["spec"]["containers"][0]["image"].split(":")[0] in self._images
        ):
            self.pods[key] = Pod(document, next(self._addresses))
            self._tasks[key] = asyncio.create_task(self._lived(key, self.pods[key]))

    async def _all_ended(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _lived(self, key: tuple[str, str], pod: Pod) -> None:
        try:
            wait = FIRST_WAIT_SECONDS
            while True:
                begun = time.monotonic()
                await self._run_once(pod)
                wait = FIRST_WAIT_SECONDS if time.monotonic() - begun > 60.0 else wait
                await self._waited(pod, wait)
                wait = min(LONGEST_WAIT_SECONDS, 2.0 * wait)
        finally:
            await _ended(pod)
            self.pods.pop(key, None)

    async def _waited(self, pod: Pod, seconds: float) -> None:
        pod.restarts += 1
        pod.ready, pod.waiting = False, "CrashLoopBackOff"
        await self._report(pod)
        await asyncio.sleep(seconds)

    async def _run_once(self, pod: Pod) -> None:
        """Start it, and watch it until it ends."""
        await self._start(pod)
        pod.waiting, pod.begun = "", _instant()
        await self._report(pod)
        assert pod.process is not None
        async with aiohttp.ClientSession() as client:
            while pod.process.returncode is None:
                await self._looked_at(pod, client)
                await self._accounts.mounted(pod.document, self._place(pod))
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(pod.process.wait()), PROBE_SECONDS)
        pod.ended = {
            "exitCode": abs(pod.process.returncode),
            "reason": "Error",
            "startedAt": pod.begun,
            "finishedAt": _instant(),
        }

    async def _looked_at(self, pod: Pod, client: aiohttp.ClientSession) -> None:
        answers = await _answers(pod, client)
        pod.silences = 0 if answers else pod.silences + 1
        ready = answers or (pod.ready and pod.silences < pod.probe.get("failureThreshold", 3))
        if ready != pod.ready:
            pod.ready = ready
            await self._report(pod)

    async def _start(self, pod: Pod) -> None:
        folder = self._place(pod)
        folder.mkdir(parents=True, exist_ok=True)
        image = str(pod.container["image"]).split(":")[0]
        started = self._images[image](pod)
        mounts = {**await self._mounted(pod, folder), **await self._accounts.mounted(pod.document, folder)}
        said = {**self._accounts.environment, **_variables(pod), **started.paths}
        moved = {name: _moved(value, mounts) for name, value in said.items()}
        environment = {**moved, **started.environment}
        pod.inside = Inside(started.command, folder, environment, mounts)
        with (folder / "log").open("ab") as log:
            pod.process = await pod.inside.started(*pod.container.get("args", ()), output=log, errors=log)

    def _place(self, pod: Pod) -> Path:
        return self._folder / pod.namespace / pod.name

    async def _mounted(self, pod: Pod, folder: Path) -> dict[str, Path]:
        """Where each mounted path really is: files of ConfigMaps, Secrets and claims, or an empty folder."""
        volumes = {volume["name"]: volume for volume in pod.document["spec"].get("volumes", ())}
        places: dict[str, Path] = {}
        for mount in pod.container.get("volumeMounts", ()):
            volume = volumes[mount["name"]]
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            place = self._folder / pod.namespace / claim if claim else folder / "volumes" / mount["name"]
            place.mkdir(parents=True, exist_ok=True)
            for name, content in (await self._files(pod.namespace, volume)).items():
                (place / name).write_bytes(content)
            places[mount["mountPath"]] = place
        return places

    async def _files(self, namespace: str, volume: Document) -> dict[str, bytes]:
        if "configMap" in volume:
            found = await self._api.get(CONFIG_MAP, volume["configMap"]["name"], namespace)
            return {name: text.encode() for name, text in found.get("data", {}).items()}
        if "secret" in volume:
            found = await self._api.get(SECRET, volume["secret"]["secretName"], namespace)
            return {name: base64.b64decode(text) for name, text in found.get("data", {}).items()}
        return {}

    async def _report(self, pod: Pod) -> None:
        with suppress(RefusedError):  # deleted meanwhile
            await self._api.merge(pod.document, {"status": pod.status()}, "status")

    def exposition(self) -> str:
        """Restarts and memory, in Prometheus' text format."""
        restarts = "kube_pod_container_status_restarts_total"
        memory = "container_memory_working_set_bytes"
        lines = [f"# TYPE {restarts} counter"]
        lines += [f"{restarts}{_labelled(pod.labels)} {pod.restarts}" for pod in self.pods.values()]
        lines += [f"# TYPE {memory} gauge"]
        lines += [f"{memory}{_labelled(pod.labels)} {pod.memory_bytes()}" for pod in self.pods.values()]
        return "\n".join(lines) + "\n"


def _variables(pod: Pod) -> dict[str, str]:
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


def _moved(word: str, mounts: Mapping[str, Path]) -> str:
    """With every mounted path replaced by where its files really are."""
    if not mounts:
        return word
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    return re.sub(paths, lambda found: str(mounts[found.group()]), word)


async def _answers(pod: Pod, client: aiohttp.ClientSession) -> bool:
    asked = pod.probe.get("httpGet")
    if asked is None:
        return True
    url = f"http://{pod.address}:{pod.port(asked['port'])}{asked['path']}"
    timeout = aiohttp.ClientTimeout(total=pod.probe.get("timeoutSeconds", 1))
    try:
        async with client.get(url, timeout=timeout) as answer:
            return answer.status < 400
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _ended(pod: Pod) -> None:
    process = pod.process
    if process is None or process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _addresses() -> Iterator[str]:
    """127.1.0.1 and on: all of 127/8 is loopback on Linux, and nobody else is likely to be there."""
    for number in itertools.count(1):
        yield f"127.1.{number // 250}.{number % 250 + 1}"


def _labelled(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _instant() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
