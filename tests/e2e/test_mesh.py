"""What the mesh makes of Services, routes and pods: traffic gets the weights that controllers set."""

from typing import Any

from e2e.api import DESTINATION_RULE, POD, SERVICE, VIRTUAL_SERVICE, Kind
from e2e.mesh import configured

Seen = dict[Kind, dict[tuple[str, str], Any]]


def pod(name: str, *, ready: bool = True, **labels: str) -> dict[str, Any]:
    """A pod at an address that ends like its name."""
    return {
        "metadata": {"namespace": "shop", "name": name, "labels": {"app": "cart", **labels}},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {
            "podIP": f"127.1.0.{name[-1]}",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def seen(*pods: dict[str, Any]) -> Seen:
    """A Service called cart, with these pods."""
    service = {
        "metadata": {"namespace": "shop", "name": "cart"},
        "spec": {"selector": {"app": "cart"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    found = {("shop", one["metadata"]["name"]): one for one in pods}
    return {SERVICE: {("shop", "cart"): service}, POD: found, VIRTUAL_SERVICE: {}, DESTINATION_RULE: {}}


def routed(known: Seen, *ways: dict[str, Any]) -> Seen:
    """The same with a VirtualService that has these destinations, and subsets by version."""
    spec = {"hosts": ["cart"], "http": [{"route": list(ways)}]}
    subsets = [{"name": name, "labels": {"version": name}} for name in ("stable", "canary")]
    known[VIRTUAL_SERVICE] = {("shop", "cart"): {"spec": spec}}
    known[DESTINATION_RULE] = {("shop", "cart"): {"spec": {"host": "cart", "subsets": subsets}}}
    return known


def way(subset: str, weight: int) -> dict[str, Any]:
    return {"destination": {"host": "cart", "subset": subset}, "weight": weight}


def addresses(clusters: list[dict[str, Any]]) -> dict[str, list[tuple[str, int]]]:
    """Endpoints by the cluster's name."""
    return {
        one["name"]: [
            (
                end["endpoint"]["address"]["socket_address"]["address"],
                end["endpoint"]["address"]["socket_address"]["port_value"],
            )
            for end in one["load_assignment"]["endpoints"][0]["lb_endpoints"]
        ]
        for one in clusters
    }


def test_without_routes_a_service_is_all_of_its_ready_pods():
    """At the port that they call by the name that the Service knows."""
    routes, clusters = configured(seen(pod("cart-1"), pod("cart-2", ready=False)))

    assert addresses(clusters) == {"shop/cart": [("127.1.0.1", 8080)]}
    assert routes["virtual_hosts"][0]["domains"] == [
        "cart.shop",
        "cart.shop.svc",
        "cart.shop.svc.cluster.local",
    ]


def test_weights_are_those_of_the_virtual_service():
    """Each subset has the pods with its labels."""
    known = seen(pod("cart-1", version="stable"), pod("cart-2", version="canary"))

    routes, clusters = configured(routed(known, way("stable", 80), way("canary", 20)))

    [route] = routes["virtual_hosts"][0]["routes"]
    assert {one["name"]: one["weight"] for one in route["route"]["weighted_clusters"]["clusters"]} == {
        "shop/cart/stable": 80,
        "shop/cart/canary": 20,
    }
    assert addresses(clusters) == {
        "shop/cart/stable": [("127.1.0.1", 8080)],
        "shop/cart/canary": [("127.1.0.2", 8080)],
    }


def test_nobody_is_sent_to_a_destination_without_weight():
    """Nor to one without a host, which controllers leave behind."""
    gone = {"destination": {"host": ""}, "weight": 5}

    routes, clusters = configured(
        routed(seen(pod("cart-1", version="stable")), way("stable", 95), way("canary", 0), gone)
    )

    assert list(addresses(clusters)) == ["shop/cart/stable"]
    assert len(routes["virtual_hosts"][0]["routes"][0]["route"]["weighted_clusters"]["clusters"]) == 1
