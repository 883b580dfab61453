"""
A Kubernetes cluster without nodes: etcd, kube-apiserver, and the controllers that make pods of workloads.

    with Cluster(programs / "kube") as cluster:
        cluster.kubeconfig

Its controllers are real, its role-based access too; pods are only written down until somebody runs them
(`kubelet`). There is no scheduler: an unbound pod is removed at once when it is deleted.
"""

import ssl
import subprocess
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import yaml

from real.program import Program, free_ports

_Part = TypeVar("_Part", bound=Program)

#: Of the client that may do everything; the server lives no longer than a test.
TOKEN = "everything"
CONTROLLERS = (
    "replicaset-controller",
    "deployment-controller",
    "garbage-collector-controller",
    "namespace-controller",
    # A claim that is deleted waits for it.
    "persistentvolumeclaim-protection-controller",
    "serviceaccount-controller",
)


class Etcd(Program):
    """Where the API server keeps everything; forgets it at the end."""

    name = "etcd"

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = program
        self.url = ""

    def start(self, folder: Path) -> None:
        clients, peers = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        self.url = clients
        options = {
            "data-dir": folder / "data",
            "log-level": "warn",
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
        }
        command = [self._program, "etcd", "--unsafe-no-fsync", *_flags(options)]
        self.run(command, folder, lambda: _answered(f"{clients}/health"))


class ApiServer(Program):
    """
    A kube-apiserver.

    Attributes:
        url: once entered.
        authority: the certificate that it signed for itself.
    """

    name = "apiserver"

    def __init__(self, program: Path, etcd: str) -> None:
        super().__init__()
        self._program = program
        self._etcd = etcd
        self.url = ""
        self.authority = Path()

    def start(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self.url, self.authority = f"https://127.0.0.1:{port}", folder / "apiserver.crt"
        key = folder / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        options = {
            "etcd-servers": self._etcd,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": port,
            "endpoint-reconciler-type": "none",
            "cert-dir": folder,
            "token-auth-file": folder / "tokens.csv",
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": key,
            "service-account-signing-key-file": key,
            "service-cluster-ip-range": "10.96.0.0/16",
            "disable-admission-plugins": "ServiceAccount",
            "enable-priority-and-fairness": "false",
            "profiling": "false",
        }
        self.run([self._program, "apiserver", *_flags(options)], folder, self._is_ready)

    def _is_ready(self) -> None:
        _answered(f"{self.url}/readyz", ssl.create_default_context(cafile=self.authority))


class Controllers(Program):
    """Those of Kubernetes itself that turn Deployments into ReplicaSets, and these into pods."""

    name = "controllers"

    def __init__(self, program: Path, kubeconfig: Path) -> None:
        super().__init__()
        self._program = program
        self._kubeconfig = kubeconfig

    def start(self, folder: Path) -> None:
        (port,) = free_ports(1)
        options = {
            "kubeconfig": self._kubeconfig,
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "leader-elect": "false",
            "cert-dir": folder,
            "use-service-account-credentials": "false",
            "controllers": ",".join(CONTROLLERS),
        }
        unchecked = ssl._create_unverified_context()
        command = [self._program, "controllers", *_flags(options)]
        self.run(command, folder, lambda: _answered(f"https://127.0.0.1:{port}/healthz", unchecked))


class Cluster:
    """
    The three, between enter and exit.

    Attributes:
        kubeconfig: a file for its clients.
        url, authority: for who needs them by themselves.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._parts = ExitStack()
        self.kubeconfig = folder / "kubeconfig"
        self.url = ""
        self.authority = Path()

    def __enter__(self) -> Self:
        with ExitStack() as parts:
            etcd = parts.enter_context(self._kept(Etcd(self._program)))
            server = parts.enter_context(self._kept(ApiServer(self._program, etcd.url)))
            self.url, self.authority = server.url, server.authority
            self.kubeconfig.write_text(yaml.safe_dump(kubeconfig(server.url, server.authority, TOKEN)))
            parts.enter_context(self._kept(Controllers(self._program, self.kubeconfig)))
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._parts.close()

    def _kept(self, part: _Part) -> _Part:
        part.logs = self.kubeconfig.parent
        return part


def kubeconfig(server: str, authority: Path, token: str) -> dict[str, object]:
    """What a client needs to know of a cluster, in the form that all of them read."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "test", "cluster": {"server": server, "certificate-authority": str(authority)}}
        ],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }


def _flags(options: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _answered(url: str, context: ssl.SSLContext | None = None) -> None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=1, context=context):
        pass
