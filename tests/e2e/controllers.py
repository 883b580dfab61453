"""
Argo Rollouts and Flagger as they are, against a cluster of ours.

Both call firedamp, and Flagger its metrics server, through the mesh: under the addresses that stand in the
manifests. Who installs them applies their CRDs first (`crds`).
"""

import json
import logging
import os
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from e2e.api import EXPERIMENT, SERVICE, Api, Document
from e2e.builds import HERE
from real import gobuild
from real.program import Program, free_ports

_LOG = logging.getLogger("e2e")
_HASH = "rollouts-pod-template-hash"
ISTIO = "istio.io/api@v1.31.1"
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
_WANTED = ("virtualservices.networking.istio.io", "destinationrules.networking.istio.io")


class Argo(Program):
    """A rollouts-controller."""

    name = "argo"

    def __init__(self, program: Path, kubeconfig: Path, proxy: str) -> None:
        super().__init__()
        self._program = program
        self._kubeconfig = kubeconfig
        self._proxy = proxy

    def start(self, folder: Path) -> None:
        metrics, health = free_ports(2)
        command = [
            self._program,
            "--kubeconfig",
            self._kubeconfig,
            "--leader-elect=false",
            "--loglevel",
            "info",
        ]
        command += ["--metricsPort", str(metrics), "--healthzPort", str(health)]
        self.run(
            command, folder, lambda: _answered(f"http://127.0.0.1:{health}/healthz"), proxied(self._proxy)
        )


class Flagger(Program):
    """A Flagger that routes by Istio and looks after every namespace."""

    name = "flagger"

    def __init__(self, program: Path, kubeconfig: Path, proxy: str, metrics_server: str) -> None:
        super().__init__()
        self._program = program
        self._kubeconfig = kubeconfig
        self._proxy = proxy
        self._metrics_server = metrics_server

    def start(self, folder: Path) -> None:
        (port,) = free_ports(1)
        command = [self._program, "-kubeconfig", self._kubeconfig, "-mesh-provider", "istio"]
        command += ["-metrics-server", self._metrics_server, "-port", str(port)]
        command += ["-control-loop-interval", "1s", "-log-level", "debug", "-enable-leader-election=false"]
        self.run(command, folder, lambda: _answered(f"http://127.0.0.1:{port}/healthz"), proxied(self._proxy))


async def mended(api: Api) -> None:
    """
    Put back what Argo Rollouts forgets of an experiment, until cancelled.

    It writes the Service of a template into the experiment's status once, when it makes it. Where its next
    write begins from what it knew before, which happens on a busy machine, that name is lost for good, and
    the VirtualService gets destinations without a host (experiments/experiment.go:315, 1.10.1).
    """
    async for _, document in api.watch(EXPERIMENT):
        status = document.get("status", {})
        if status.get("phase") != "Running" or all(
            "serviceName" in one for one in status["templateStatuses"]
        ):
            continue
        about = document["metadata"]
        services = await api.list(SERVICE, about["namespace"])
        hashes = {one["metadata"]["name"]: one["spec"]["selector"].get(_HASH, "") for one in services}
        known = [_named(one, f"{about['name']}-{one['name']}", hashes) for one in status["templateStatuses"]]
        _LOG.warning("%s: its Services were forgotten, and are put back", about["name"])
        await api.merge(document, {"status": {"templateStatuses": known}})


def _named(status: Document, service: str, hashes: Mapping[str, str]) -> Document:
    found = {"serviceName": service, "podTemplateHash": hashes[service]} if service in hashes else {}
    return {**status, **found}


def proxied(proxy: str) -> dict[str, str]:
    """The environment of a program inside the mesh; what is at a plain loopback address it asks directly."""
    return {**os.environ, "HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "127.0.0.1,localhost"}


def crds() -> Iterator[dict[str, Any]]:
    """Definitions of all kinds that the two controllers and our examples speak of."""
    argo = _module("github.com/argoproj/argo-rollouts", HERE / "kube")
    flagger = _module("github.com/fluxcd/flagger@v1.44.0")
    istio = _module(ISTIO)
    files = [
        *sorted((argo / "manifests" / "crds").glob("*-crd.yaml")),
        flagger / "artifacts" / "flagger" / "crd.yaml",
    ]
    for path in files:
        yield from _documents(path)
    for document in _documents(istio / "kubernetes" / "customresourcedefinitions.gen.yaml"):
        if document["metadata"]["name"] in _WANTED:
            yield document


def service_monitors() -> Iterator[dict[str, Any]]:
    """The definition of what the chart asks a Prometheus operator for; nobody else needs it."""
    crds = _module(OPERATOR) / "example" / "prometheus-operator-crd"
    yield from _documents(crds / "monitoring.coreos.com_servicemonitors.yaml")


def _documents(path: Path) -> Iterator[dict[str, Any]]:
    for document in yaml.load_all(path.read_text(), yaml.CSafeLoader):
        if document and document["kind"] == "CustomResourceDefinition":
            yield {name: document[name] for name in ("apiVersion", "kind", "metadata", "spec")}


def _module(name: str, within: Path | None = None) -> Path:
    """Where the sources of a module are: of that which another one requires, or of a version by itself."""
    if within is None:
        return Path(json.loads(gobuild.go(["mod", "download", "-json", name], cwd=HERE))["Dir"])
    return Path(gobuild.go(["list", "-m", "-f", "{{.Dir}}", name], cwd=within).strip())


def _answered(url: str) -> None:
    with urllib.request.urlopen(url, timeout=1):
        pass
