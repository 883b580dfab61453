"""What images are here: which process a pod of that name is."""

import sys
from pathlib import Path

from e2e.pods import Images, Pod, Started

_SHOP = Path(__file__).parent / "shop.py"
#: Names under which the examples run a service; each of them is the demo shop here.
SERVICES = ("shop", "cart", "front", "search", "podinfo", "payments")
#: Versions with this at the end of their tag answer so many of their requests with an error.
_BROKEN, _BROKEN_ERRORS = "-broken", "0.1"


def shop(proxy: str, spans: str) -> Images:
    """The demo shop under each of its names, behind that proxy, with spans to that OTLP/HTTP address."""

    def started(pod: Pod) -> Started:
        environment = {
            "SHOP_HOST": pod.address,
            "SHOP_PORT": str(pod.container["ports"][0]["containerPort"]),
            "SHOP_SERVICE": str(pod.container["name"]),
            "SHOP_NAMESPACE": pod.namespace,
            "HTTP_PROXY": proxy,
            "NO_PROXY": "127.0.0.1",  # what carries spans away is no part of the mesh
            "OTEL_EXPORTER_OTLP_ENDPOINT": spans,
        }
        if pod.container["image"].endswith(_BROKEN):
            environment["SHOP_ERRORS"] = _BROKEN_ERRORS
        return Started((sys.executable, str(_SHOP)), environment)

    return dict.fromkeys(SERVICES, started)
