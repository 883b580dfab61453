"""
What sees the cluster: a Prometheus that discovers its pods, and a collector that hands spans to a Jaeger.

Pods are found by the API server, as in any cluster, and keep their own labels (`rollouts_pod_template_hash`,
`app`) beside `namespace`, `pod` and `workload`. Restarts and memory come from the kubelet's stand-in. A
Prometheus that knows no Kubernetes reads the same from a file (`told`).
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from aiohttp import web

from e2e.kubelet import Kubelet
from e2e.pods import Pod

SCRAPE = "2s"
_WORKLOAD = "(.+)-[a-z0-9]+"
_POD = "__meta_kubernetes_pod"


def configuration(server: str, authority: Path, token: str, kubelet: str) -> dict[str, Any]:
    """A Prometheus' configuration for the cluster at `server`; `kubelet` is host:port."""
    found = {
        "role": "pod",
        "api_server": server,
        "authorization": {"credentials": token},
        "tls_config": {"ca_file": str(authority)},
    }
    relabel = [
        {"source_labels": [f"{_POD}_container_port_name"], "regex": "http", "action": "keep"},
        {"source_labels": [f"{_POD}_ready"], "regex": "true|false", "action": "keep"},
        {"regex": f"{_POD}_label_(.+)", "action": "labelmap"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": [f"{_POD}_name"], "target_label": "pod"},
        {
            "source_labels": [f"{_POD}_controller_name"],
            "regex": _WORKLOAD,
            "target_label": "destination_workload",
        },
    ]
    return _scraping({"kubernetes_sd_configs": [found], "relabel_configs": relabel}, kubelet)


def reading(targets: Path, kubelet: str) -> dict[str, Any]:
    """The configuration of a Prometheus that reads in a file which pods there are."""
    return _scraping({"file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}]}, kubelet)


async def told(kubelet: Kubelet, namespace: str, targets: Path) -> None:
    """Keep that file as it should be, until cancelled."""
    while True:
        pods = [pod for pod in kubelet.pods.values() if pod.namespace == namespace]
        draft = targets.with_suffix(".draft")
        draft.write_text(json.dumps([_target(pod) for pod in pods]))
        draft.rename(targets)
        await asyncio.sleep(0.5)


def _scraping(pods: dict[str, Any], kubelet: str) -> dict[str, Any]:
    restarts = {"job_name": "kubelet", "honor_labels": True, "static_configs": [{"targets": [kubelet]}]}
    return {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": "1900ms"},
        "scrape_configs": [{"job_name": "pods", **pods}, restarts],
    }


def _target(pod: Pod) -> dict[str, Any]:
    about = pod.document["metadata"]
    labels = {re.sub(r"\W", "_", name): value for name, value in about.get("labels", {}).items()}
    owner = re.fullmatch(_WORKLOAD, about["ownerReferences"][0]["name"])
    known = {"namespace": pod.namespace, "pod": pod.name, "destination_workload": owner[1] if owner else ""}
    return {"targets": [f"{pod.address}:{pod.port('http')}"], "labels": {**labels, **known}}


async def exposing(kubelet: Kubelet) -> tuple[web.AppRunner, str]:
    """Serve what the kubelet says of restarts and memory; the runner, and host:port."""
    app = web.Application()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=kubelet.exposition())

    app.add_routes([web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"127.0.0.1:{port}"
