"""
What sees the cluster: a Prometheus that discovers its pods, and a collector that hands spans to a Jaeger.

Pods are found by the API server, as in any cluster, and keep their own labels (`rollouts_pod_template_hash`,
`app`) beside `namespace`, `pod` and `workload`. Restarts and memory come from the kubelet's stand-in.
"""

from pathlib import Path
from typing import Any

from aiohttp import web

from e2e.kubelet import Kubelet

SCRAPE = "2s"
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
            "regex": "(.+)-[a-z0-9]+",
            "target_label": "destination_workload",
        },
    ]
    return {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": "1900ms"},
        "scrape_configs": [
            {"job_name": "pods", "kubernetes_sd_configs": [found], "relabel_configs": relabel},
            {"job_name": "kubelet", "honor_labels": True, "static_configs": [{"targets": [kubelet]}]},
        ],
    }


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
