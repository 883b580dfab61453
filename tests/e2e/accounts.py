"""
What a pod's service account is to its pod: a folder with a token, as kubelets project it.

The API server writes the token, bound to the pod and good for the shortest time that it allows; a new one
takes its place long before. The server's plugin that would give one to every pod is off here, so only those
pods have one whose manifest asks for it.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from e2e.api import Api, Document, Kind

SERVICE_ACCOUNT = Kind("v1", "ServiceAccount")
MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount"
EXPIRES_SECONDS, RENEWED_SECONDS = 600, 60.0


class Accounts:
    """
    Gives pods their tokens, and renews them.

    Attributes:
        environment: what every pod is told of the API server.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._due: dict[Path, float] = {}
        server = urlsplit(api.server)
        self.environment = {
            "KUBERNETES_SERVICE_HOST": str(server.hostname),
            "KUBERNETES_SERVICE_PORT": str(server.port),
        }

    async def mounted(self, pod: Document, folder: Path) -> Mapping[str, Path]:
        """Where it is mounted and where it really is, with a young token in it; most pods have none."""
        if not pod["spec"].get("automountServiceAccountToken"):
            return {}
        place = folder / "account"
        if time.monotonic() >= self._due.get(place, 0.0):
            await self._write(pod, place)
            self._due[place] = time.monotonic() + RENEWED_SECONDS
        return {MOUNTED: place}

    async def _write(self, pod: Document, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        about = pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": about["name"], "uid": about["uid"]}
        files = {
            "namespace": about["namespace"],
            "ca.crt": self._api.authority.read_text(),
            "token": await token(self._api, about["namespace"], pod["spec"]["serviceAccountName"], bound),
        }
        for name, text in files.items():
            # As kubelets do it: whoever reads meanwhile gets the whole of the old one.
            (place / f".{name}").write_text(text)
            (place / f".{name}").replace(place / name)


async def token(api: Api, namespace: str, account: str, bound: Document) -> str:
    """A token of a service account, good for as long as what it is bound to is there."""
    wanted = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": EXPIRES_SECONDS, "boundObjectRef": bound},
    }
    found = await api.ask(SERVICE_ACCOUNT, account, namespace, "token", wanted)
    return str(found["status"]["token"])
