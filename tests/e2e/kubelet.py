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
import signal
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import aiohttp

from e2e.accounts import Accounts
from e2e.api import POD, Api, Document, Kind, RefusedError
from e2e.pods import Images, Inside, Pod, instant, moved, variables

CONFIG_MAP, SECRET = Kind("v1", "ConfigMap"), Kind("v1", "Secret")
#: How often a pod is looked at, and how long a container may take to end.
PROBE_SECONDS, GRACE_SECONDS = 1.0, 3.0
#: Wait before a container is started again: doubled each time, up to this.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 20.0


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
        pod.waiting, pod.begun = "", instant()
        await self._report(pod)
        assert pod.process is not None
        async with aiohttp.ClientSession() as client:
            while pod.process.returncode is None:
                await self._looked_at(pod, client)
                await self._accounts.mounted(pod.document, self._place(pod))
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(pod.process.wait()), PROBE_SECONDS)
        pod.died = pod.died or time.time()
        pod.ended = {
            "exitCode": abs(pod.process.returncode),
            "reason": "Error",
            "startedAt": pod.begun,
            "finishedAt": instant(),
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
        said = {**self._accounts.environment, **variables(pod), **started.paths}
        placed = {name: moved(value, mounts) for name, value in said.items()}
        environment = {**placed, **started.environment}
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

    def of(self, namespace: str, workload: str, image: str = "") -> list[Pod]:
        """The pods of a workload, also of those that a controller made of it, in one version or in all."""
        return [
            pod
            for pod in self.pods.values()
            if pod.namespace == namespace
            and pod.name.startswith(f"{workload}-")
            and str(pod.container["image"]).endswith(image)
        ]

    def exposition(self) -> str:
        """Restarts and memory, in Prometheus' text format."""
        restarts = "kube_pod_container_status_restarts_total"
        memory = "container_memory_working_set_bytes"
        lines = [f"# TYPE {restarts} counter"]
        lines += [f"{restarts}{_labelled(pod.labels)} {pod.restarts}" for pod in self.pods.values()]
        lines += [f"# TYPE {memory} gauge"]
        lines += [f"{memory}{_labelled(pod.labels)} {pod.memory_bytes()}" for pod in self.pods.values()]
        return "\n".join(lines) + "\n"


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
    """All of 127/8 is loopback on Linux, and each process takes a part of its own: others may play too."""
    part = os.getpid() % 250 + 2
    for number in itertools.count(1):
        yield f"127.{part}.{number // 250}.{number % 250 + 1}"


def _labelled(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
