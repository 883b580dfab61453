"""
The pages that lead from a Rollout and from a Canary to the first verdict, followed to the letter.

Each begins with what its reader has: a service that runs and is asked, released by a controller that has
never heard of firedamp. What it types reaches a real Kubernetes by the real `kubectl` and Argo's plugin;
`helm` is a word for Helm's own library (`helm.py`), and `kubectl exec`, for which there is no kubelet, runs
beside the pod (`inside.py`). At the end all is undone, and seen to be.
"""

import asyncio
import base64
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import yaml

from e2e import builds
from e2e.api import CANARY, ROLLOUT, Api, Document, Kind
from e2e.following import Block, Reader, blocks, is_in, tabled
from e2e.installed import TOKENS
from e2e.load import Load
from e2e.stage import DEPLOYMENT, NAMESPACE, SECRET, Programs, Stage
from real.gobuild import Missing
from shipping.manifests import TEMPLATES, objects, of_kind

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

FIREDAMP = "http://firedamp.firedamp.svc:8080"
CLUSTER_ANALYSIS_TEMPLATE = Kind("argoproj.io/v1alpha1", "ClusterAnalysisTemplate")
PER_SECOND = 100.0
_BUILD = Path(__file__).parents[2] / "build" / "e2e-first"


class Mistake(NamedTuple):
    """A question as somebody asks it who got something wrong; {secret} stands for the path secret."""

    path: str
    body: Mapping[str, Any]


_CART = {"service": "cart", "namespace": "shop", "stable-hash": "6d5f8", "canary-hash": "7c9b4"}
ARGO_MISTAKES = (
    Mistake("argo/v1/guard", _CART | {"service": "kart"}),
    Mistake("argo/v1/guard", _CART | {"canary-hash": ""}),
    Mistake("argo/v1/guard", _CART | {"stable-hash": ""}),
    Mistake("argo/v1/guard", _CART | {"stable-hash": _CART["canary-hash"]}),
)
_PODINFO = {"name": "podinfo", "namespace": "test", "phase": "Progressing"}
FLAGGER_MISTAKES = (
    Mistake("flagger/v1/PATH-SECRET/pre-rollout", _PODINFO),
    Mistake("flagger/v1/{secret}/promote", _PODINFO),
    Mistake("flagger/v1/{secret}/confirm-traffic-increase", _PODINFO | {"name": "podinfo2"}),
)


@dataclass(frozen=True, slots=True)
class Case:
    """
    A page, and what its reader has before.

    Attributes:
        page: in docs/; its first file is what is released.
        example: whose objects of kind `around` stand around that.
        kind, part: of what is released, and which part of it the page changes and changes back.
        settled: waits until it runs.
        port: at which users ask.
        mistakes: that the page names.
    """

    page: str
    example: str
    around: str
    kind: Kind
    part: str
    service: str
    namespace: str
    port: int
    settled: str
    mistakes: Sequence[Mistake]

    def __str__(self) -> str:
        return self.page.removesuffix(".md")


CASES = (
    Case(
        page="first-rollout-argo.md",
        example="argo/rollout-replicas.yaml",
        around="Service",
        kind=ROLLOUT,
        part="strategy",
        service="cart",
        namespace="shop",
        port=8080,
        settled="kubectl argo rollouts status cart -n shop --timeout 3m",
        mistakes=ARGO_MISTAKES,
    ),
    Case(
        page="first-rollout-flagger.md",
        example="flagger/canary.yaml",
        around="Deployment",
        kind=CANARY,
        part="analysis",
        service="podinfo",
        namespace="test",
        port=9898,
        settled="kubectl -n test wait canary/podinfo --for=jsonpath={.status.phase}=Initialized --timeout=3m",
        mistakes=FLAGGER_MISTAKES,
    ),
)


@pytest.fixture
async def stage(request):
    """All that a reader's cluster has, and firedamp has not come to."""
    programs = Programs.found() if shutil.which("curl") else Missing("there is no curl")
    if isinstance(programs, Missing):
        pytest.skip(programs.reason)
    folder = _BUILD / str(request.node.callspec.params["case"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with Stage(programs, folder) as found:
        yield found


@pytest.fixture
def reader(stage, tmp_path):
    """Whoever follows a page there, with all that differs from it: three addresses."""
    folder, commands = tmp_path / "clone", tmp_path / "bin"
    folder.mkdir()
    programs = builds.KUBE.build()
    put(commands / "helm", f'exec {python("helm.py")} "$@"')
    put(
        commands / "kubectl",
        'case " $* " in',
        f'*" exec "*) exec {python("inside.py")} "{stage.folder}" "$@" ;;',
        f'*) exec "{programs}/kubectl" "$@" ;;',
        "esac",
    )
    environment = {
        "PATH": f"{commands}:{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(stage.kubeconfig),
        "http_proxy": stage.envoy,  # the mesh knows the names of Services
    }
    replaced = {
        "http://prometheus-server.monitoring.svc:9090": stage.prometheus.url,
        "image.registry=images.example.com": "image.registry=",
        "'https://firedamp.example.com/": f"'{FIREDAMP}/",
    }
    return Reader(folder, environment, replaced)


def put(command: Path, *lines: str) -> None:
    """A command made of lines of shell."""
    command.parent.mkdir(exist_ok=True)
    command.write_text("\n".join(("#!/bin/sh", *lines, "")))
    command.chmod(0o755)


def python(file: str) -> str:
    """Runs a file that is beside this one."""
    return f'"{sys.executable}" -P "{Path(__file__).with_name(file)}"'


@asynccontextmanager
async def asked(stage: Stage, url: str) -> AsyncIterator[Load]:
    """Requests of users, for as long as the page is followed."""
    load = Load(url, per_second=PER_SECOND, proxy=stage.envoy)
    task = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def had(reader: Reader, rest: Sequence[Document], first: Block, wait: str) -> None:
    """What is there before anybody reads: the page's first file, applied, and what stands around it."""
    await reader.follow(first)
    around = reader.folder / "around.yaml"
    around.write_text(yaml.safe_dump_all([dict(one) for one in rest]), encoding="utf-8")
    await reader.typed(f"kubectl apply -f around.yaml -f {first.text.split()[1]}\n{wait}")


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_from_what_is_there_to_the_first_verdict(stage, reader, case):
    """Watched, then decided by firedamp, then without it again: the page, from its first word to its last."""
    await stage.namespace(case.namespace)
    await had(
        reader, of_kind(objects(TEMPLATES / case.example), case.around), blocks(case.page)[0], case.settled
    )

    await followed(stage, reader, case)

    found = await stage.api.get(case.kind, case.service, case.namespace)
    assert found["spec"][case.part] == yaml.safe_load(blocks(case.page)[0].text)["spec"][case.part]


async def followed(stage: Stage, reader: Reader, case: Case) -> None:
    """All of a page but its first file, while users ask; its mistakes are made when firedamp is there."""
    url = f"http://{case.service}.{case.namespace}:{case.port}/orders"
    async with asked(stage, url) as load:
        for block in blocks(case.page)[1:]:
            await reader.follow(block)
            if "helm install" in block.text:
                await made(stage, case.page, case.mistakes)

    assert load.answers[200] > 0.97 * load.answers.total()
    assert await left(stage.api) == []


async def made(stage: Stage, page: str, mistakes: Sequence[Mistake]) -> None:
    """Each mistake is answered as a row of the page's table says, each by another."""
    found = (await stage.api.get(SECRET, TOKENS, "firedamp"))["data"]
    keys = {name: base64.b64decode(text).decode().split()[0] for name, text in found.items()}
    named = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {keys['token']}"}) as client:
        for path, body in mistakes:
            url = f"{FIREDAMP}/{path.format(secret=keys['flagger-path'])}"
            async with client.post(url, json=body, proxy=stage.envoy) as answer:
                said = await answer.text()
            named += [next((row for row in tabled(page) if is_in(row, said)), said)]

    assert set(named) <= set(tabled(page))
    assert len(set(named)) == len(mistakes)


async def left(api: Api) -> list[str]:
    """What of firedamp is still in the cluster."""
    kinds = (NAMESPACE, DEPLOYMENT, SECRET, CLUSTER_ANALYSIS_TEMPLATE)
    found = [f"{kind.name} {one['metadata']['name']}" for kind in kinds for one in await api.list(kind)]
    return [one for one in found if "firedamp" in one]
