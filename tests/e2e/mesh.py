"""
The mesh: one Envoy through which everybody calls everybody, with the weights that the controllers set.

`Mesh` follows Services, pods, VirtualServices and DestinationRules and writes from them Envoy's routes and
clusters, which Envoy takes up within a second. Programs call through it by HTTP_PROXY, under the names that
they would have in a cluster (`orders.shop`, `firedamp.firedamp.svc:8080`): it is proxy, DNS and Service
addresses in one.
"""

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from e2e.api import DESTINATION_RULE, POD, SERVICE, VIRTUAL_SERVICE, Api, Document, Kind
from real.program import Program, free_ports

KINDS = (POD, SERVICE, VIRTUAL_SERVICE, DESTINATION_RULE)
#: Changes that come close together become one new configuration.
GATHER_SECONDS = 0.05
_ENVOY = "type.googleapis.com/envoy"
_ROUTES, _CLUSTERS = "config.route.v3.RouteConfiguration", "config.cluster.v3.Cluster"
_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "extensions.filters.http.router.v3.Router"
#: A caller waits no longer than this, and firedamp's own limit is far below.
TIMEOUT = "30s"

Key = tuple[str, str]
Json = dict[str, Any]


class Envoy(Program):
    """
    The data plane; reads `routes.json` and `clusters.json` of its folder whenever they are replaced.

    Attributes:
        url: what others take for their proxy.
        files: where the two are.
    """

    name = "envoy"

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = program
        self.url = ""
        self.files = Path()

    def start(self, folder: Path) -> None:
        port, admin = free_ports(2)
        self.url, self.files = f"http://127.0.0.1:{port}", folder
        write(folder, _routes([]), [])
        (folder / "envoy.json").write_text(json.dumps(_bootstrap(folder, port, admin)))
        command = [self._program, "-c", folder / "envoy.json", "--concurrency", "1", "-l", "warning"]
        command += ["--use-dynamic-base-id"]

        def is_ready() -> None:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=1):
                pass

        self.run(command, folder, is_ready)


class Mesh:
    """
    Keeps an Envoy's configuration as the cluster has it, between `run` and its being cancelled.

    Attributes:
        seen: what there is of each kind, by namespace and name.
    """

    def __init__(self, api: Api, files: Path) -> None:
        self._api = api
        self._files = files
        self._changed = asyncio.Event()
        self.seen: dict[Kind, dict[Key, Document]] = {kind: {} for kind in KINDS}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for kind in KINDS:
                tasks.create_task(self._follow(kind))
            tasks.create_task(self._keep())

    async def _follow(self, kind: Kind) -> None:
        async for change, document in self._api.watch(kind):
            key = document["metadata"]["namespace"], document["metadata"]["name"]
            if change == "DELETED":
                self.seen[kind].pop(key, None)
            else:
                self.seen[kind][key] = document
            self._changed.set()

    async def _keep(self) -> None:
        last: tuple[Json, list[Json]] | None = None
        while True:
            await self._changed.wait()
            self._changed.clear()
            made = configured(self.seen)
            if made != last:
                write(self._files, *made)
                last = made
            await asyncio.sleep(GATHER_SECONDS)


def configured(seen: Mapping[Kind, Mapping[Key, Document]]) -> tuple[Json, list[Json]]:
    """Routes and clusters of what there is."""
    clusters: dict[str, Json] = {}

    def cluster(namespace: str, host: str, subset: str) -> str:
        service = host.split(".")[0]
        name = "/".join(filter(None, (namespace, service, subset)))
        labels = _subset_labels(seen, (namespace, service), subset)
        clusters[name] = _cluster(name, list(_endpoints(seen, (namespace, service), labels)))
        return name

    hosts = [_host(key, _ways(seen, key, cluster)) for key in sorted(seen[SERVICE])]
    return _routes(hosts), [clusters[name] for name in sorted(clusters)]


def write(folder: Path, routes: Json, clusters: list[Json]) -> None:
    """Replace both files, clusters first: a route may only name what is there."""
    for name, resources in (("clusters", clusters), ("routes", [routes])):
        draft = folder / f".{name}.json"
        draft.write_text(json.dumps({"resources": resources}))
        draft.rename(folder / f"{name}.json")


def _ways(
    seen: Mapping[Kind, Mapping[Key, Document]], key: Key, cluster: Callable[[str, str, str], str]
) -> list[Json]:
    """Where requests to a Service go: as its VirtualService has it, or else to all of its pods."""
    namespace, name = key
    for (its, _), document in sorted(seen[VIRTUAL_SERVICE].items()):
        hosts = [host.split(".")[0] for host in document["spec"].get("hosts", ())]
        if its == namespace and name in hosts:
            ways = [_way(rule, namespace, cluster) for rule in document["spec"].get("http", ())]
            return [way for way in ways if way]
    return [
        {"match": {"prefix": "/"}, "route": {"cluster": cluster(namespace, name, ""), "timeout": TIMEOUT}}
    ]


def _way(rule: Document, namespace: str, cluster: Callable[[str, str, str], str]) -> Json:
    targets: Json = {}
    for target in rule.get("route", ()):
        host, subset = target["destination"].get("host", ""), target["destination"].get("subset", "")
        weight = int(target.get("weight", 100 if len(rule["route"]) == 1 else 0))
        if host and weight:
            name = cluster(namespace, host, subset)
            targets[name] = {"name": name, "weight": targets.get(name, {"weight": 0})["weight"] + weight}
    if not targets:
        return {}
    route = {"weighted_clusters": {"clusters": list(targets.values())}, "timeout": TIMEOUT}
    headers = [
        {"name": name, "string_match": dict(how)}
        for match in rule.get("match", ())
        for name, how in match.get("headers", {}).items()
    ]
    return {"match": {"prefix": "/", **({"headers": headers} if headers else {})}, "route": route}


def _subset_labels(seen: Mapping[Kind, Mapping[Key, Document]], key: Key, subset: str) -> dict[str, str]:
    for (namespace, _), rule in seen[DESTINATION_RULE].items():
        if (namespace, rule["spec"]["host"].split(".")[0]) == key:
            for found in rule["spec"].get("subsets", ()):
                if found["name"] == subset:
                    return dict(found.get("labels", {}))
    return {}


def _endpoints(
    seen: Mapping[Kind, Mapping[Key, Document]], key: Key, labels: Mapping[str, str]
) -> Iterator[tuple[str, int]]:
    """Address and port of every ready pod of a Service, of the subset with these labels."""
    service = seen[SERVICE].get(key)
    if service is None:
        return
    wanted = {**service["spec"].get("selector", {}), **labels}
    target = service["spec"]["ports"][0].get("targetPort", service["spec"]["ports"][0]["port"])
    for (namespace, _), pod in sorted(seen[POD].items()):
        has = pod["metadata"].get("labels", {})
        if namespace == key[0] and wanted and wanted.items() <= has.items() and _is_ready(pod):
            yield str(pod["status"]["podIP"]), _port(pod, target)


def _is_ready(pod: Document) -> bool:
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = pod.get("status", {}).get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _port(pod: Document, target: str | int) -> int:
    if isinstance(target, int):
        return target
    ports = pod["spec"]["containers"][0].get("ports", ())
    return next(int(port["containerPort"]) for port in ports if port.get("name") == target)


def _host(key: Key, ways: list[Json]) -> Json:
    namespace, name = key
    base = f"{name}.{namespace}"
    return {"name": base, "domains": [base, f"{base}.svc", f"{base}.svc.cluster.local"], "routes": ways}


def _routes(hosts: Iterable[Json]) -> Json:
    return {"@type": f"{_ENVOY}.{_ROUTES}", "name": "mesh", "virtual_hosts": list(hosts)}


def _cluster(name: str, endpoints: list[tuple[str, int]]) -> Json:
    addresses = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
        for host, port in endpoints
    ]
    return {
        "@type": f"{_ENVOY}.{_CLUSTERS}",
        "name": name,
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": addresses}]},
    }


def _bootstrap(folder: Path, port: int, admin: int) -> Json:
    def source(name: str) -> Json:
        watched = {"path": str(folder / f"{name}.json"), "watched_directory": {"path": str(folder)}}
        return {"path_config_source": watched, "resource_api_version": "V3"}

    manager = {
        "@type": f"{_ENVOY}.{_MANAGER}",
        "stat_prefix": "mesh",
        "strip_any_host_port": True,
        "rds": {"route_config_name": "mesh", "config_source": source("routes")},
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_ENVOY}.{_ROUTER}"}}
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "node": {"id": "mesh", "cluster": "mesh"},
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [
                {"name": "mesh", "address": _address(port), "filter_chains": [{"filters": filters}]}
            ]
        },
        "dynamic_resources": {"cds_config": source("clusters")},
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
