"""
Everything that a release needs to be judged among: cluster, mesh, eyes, controllers, firedamp.

    async with Stage(found, folder) as stage:
        await stage.install({"config": settings}, "firedamp")
        await stage.api.apply_all(example)

One stage serves many releases side by side, each in a namespace of its own.
"""

import asyncio
import base64
import logging
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from e2e import builds, images, installed, seeing
from e2e.api import Api, Document, Kind, RefusedError
from e2e.cluster import TOKEN, Cluster
from e2e.controllers import Argo, Flagger, crds, mended
from e2e.kubelet import Kubelet
from e2e.mesh import Envoy, Mesh
from real import jaeger, otelcol, prometheus3
from real.gobuild import Missing
from real.jaeger import Jaeger
from real.otelcol import Collector
from real.program import Program
from real.scraping import ScrapingPrometheus

_Part = TypeVar("_Part", bound=Program)
_LOG = logging.getLogger("e2e")
HERE = Path(__file__).parent
NAMESPACE, SECRET = Kind("v1", "Namespace"), Kind("v1", "Secret")
#: So long may firedamp take to come up.
READY_SECONDS = 180.0
DEPLOYMENT = Kind("apps/v1", "Deployment")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where what was built is."""

    kube: Path
    argo: Path
    plugin: Path
    flagger: Path
    envoy: Path
    prometheus: Path
    jaeger: Path
    collector: Path

    @classmethod
    def found(cls) -> "Programs | Missing":
        """
        All of them, built where they are not yet; or what this machine lacks.

        Raises:
            gobuild.BuildError: one does not build.
        """
        kube = builds.KUBE.build()
        made = (
            _within(kube, "kube"),
            _within(kube, "rollouts-controller"),
            _within(kube, "kubectl-argo-rollouts"),
            _within(builds.flagger(), "flagger"),
            installed.envoy(),
            _within(prometheus3.build(asked=True), "prometheus"),
            jaeger.build(),
            otelcol.build(),
        )
        missing = [one for one in made if isinstance(one, Missing)]
        return missing[0] if missing else cls(*made)  # type: ignore[arg-type]


def _within(folder: Path | Missing, name: str) -> Path | Missing:
    return folder if isinstance(folder, Missing) else folder / name


class Stage:
    """
    All parts, between enter and exit, in the order in which they need each other.

    Attributes:
        api, kubeconfig: of the cluster.
        envoy: the address through which everybody calls everybody.
        mesh, kubelet: what is known of routes and pods.
        exposed: where the kubelet tells of restarts and memory, as host:port.
        prometheus, jaeger: where metrics and traces are asked for.
        folder: where logs are.
    """

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs = programs
        self._parts = AsyncExitStack()
        self.folder = folder

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as parts:
            await self._built(parts)
            self._parts = parts.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._parts.aclose()

    async def _built(self, parts: AsyncExitStack) -> None:
        programs = self._programs

        async def entered(part: _Part) -> _Part:
            part.logs = self.folder
            return await parts.enter_async_context(part)

        cluster = parts.enter_context(Cluster(programs.kube, self.folder))
        self.kubeconfig = cluster.kubeconfig
        self.api = await parts.enter_async_context(Api(cluster.url, cluster.authority, TOKEN))
        await defined(self.api, crds())
        envoy = await entered(Envoy(programs.envoy))
        self.envoy, self.mesh = envoy.url, Mesh(self.api, envoy.files)
        await self._running(parts, self.mesh.run())
        self.jaeger = await entered(Jaeger(programs.jaeger))
        spans = await entered(
            Collector(programs.collector, [HERE / "collector.yaml"], JAEGER_URL=self.jaeger.intake)
        )
        firedamp = {"firedamp": installed.image(installed.wheel(self.folder), envoy.url)}
        self.kubelet = Kubelet(self.api, {**images.shop(envoy.url, spans.intake), **firedamp}, self.folder)
        await self._running(parts, self.kubelet.run())
        runner, self.exposed = await seeing.exposing(self.kubelet)
        parts.push_async_callback(runner.cleanup)
        told = seeing.configuration(cluster.url, cluster.authority, TOKEN, self.exposed)
        self.prometheus = await entered(ScrapingPrometheus(told, programs.prometheus))
        await entered(Argo(programs.argo, cluster.kubeconfig, envoy.url))
        await self._running(parts, mended(self.api))
        await entered(Flagger(programs.flagger, cluster.kubeconfig, envoy.url, self.prometheus.url))

    async def _running(self, parts: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_told)

        async def ended() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        parts.push_async_callback(ended)

    async def namespace(self, name: str) -> None:
        """A namespace, ready for objects."""
        await self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    async def clear(self, name: str) -> None:
        """Remove a namespace with all that is in it."""
        await self.api.delete(NAMESPACE, name)

    async def install(self, values: Mapping[str, Any], name: str) -> Mapping[str, str]:
        """Firedamp by its chart; once it is ready, its tokens by their keys in the Secret."""
        await self.namespace(name)
        await self.api.apply_all(installed.objects(values, name))
        await until(lambda: self.is_ready(name, "firedamp"), READY_SECONDS)
        found = (await self.api.get(SECRET, installed.TOKENS, name))["data"]
        return {key: base64.b64decode(text).decode().split()[0] for key, text in found.items()}

    async def plugin(self, *arguments: str) -> str:
        """
        What `kubectl argo rollouts` says to these arguments.

        Raises:
            AssertionError: it failed.
        """
        command = [str(self._programs.plugin), *arguments, "--kubeconfig", str(self.kubeconfig)]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def execute(self, *arguments: str, namespace: str) -> str:
        """What `kubectl exec deploy/firedamp -- firedamp …` prints."""
        pods = self.kubelet.pods.values()
        inside = next(one for one in pods if one.namespace == namespace and one.ready)
        return await self.kubelet.execute(inside, *arguments)

    async def is_ready(self, namespace: str, deployment: str) -> bool:
        """Whether all of its pods answer."""
        found = await self.api.get(DEPLOYMENT, deployment, namespace)
        return bool(found.get("status", {}).get("readyReplicas", 0) == found["spec"]["replicas"])


async def defined(api: Api, definitions: Iterable[Document]) -> None:
    """Kinds by their definitions, and each of their versions served."""
    for definition in definitions:
        await api.apply(definition)
        spec = definition["spec"]
        for version in (one["name"] for one in spec["versions"] if one["served"]):
            kind = Kind(f"{spec['group']}/{version}", spec["names"]["kind"])
            await until(partial(_is_served, api, kind), 30.0)


async def _is_served(api: Api, kind: Kind) -> bool:
    await api.list(kind)
    return True


def _told(task: asyncio.Task[None]) -> None:
    """A part that ends by itself takes the stage with it unnoticed, unless somebody says so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.error("a part of the stage ended", exc_info=error)


async def until(asked: Callable[[], Awaitable[Any]], seconds: float, every: float = 0.25) -> Any:
    """
    What is asked for, once it is something; what is not there yet, or not ready to tell, is waited for.

    Raises:
        TimeoutError: it did not come in time.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    while loop.time() < give_up:
        try:
            if found := await asked():
                return found
        except RefusedError as refusal:
            if refusal.status not in (404, 429):
                raise
        await asyncio.sleep(every)
    raise TimeoutError(f"not within {seconds:g} s")
