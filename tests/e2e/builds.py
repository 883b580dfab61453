"""
The programs that a release is judged among, built once per machine from their Go modules.

    kube       etcd, kube-apiserver and the controllers of Kubernetes 1.34.4 in one, its kubectl;
               Argo Rollouts 1.10.1 with its plugin to kubectl
    flagger    1.44.0

Some 700 seconds of processor time for both.
"""

from dataclasses import dataclass
from pathlib import Path

from real import gobuild
from real.gobuild import Missing

HERE = Path(__file__).parent
NEEDS_GO = (1, 26, 8)
KUBERNETES = "1.34.4"
ARGO = "github.com/argoproj/argo-rollouts"
FLAGGER = "github.com/fluxcd/flagger/cmd/flagger@v1.44.0"

# Without a version the server reports a template string, which kubectl and Flagger cannot read.
_VERSION = "-X k8s.io/component-base/version."
_LINKED = " ".join(
    [
        "-s -w",
        f"{_VERSION}gitVersion=v{KUBERNETES}",
        *(
            f"{_VERSION}{name}={value}"
            for name, value in (
                ("gitMajor", "1"),
                ("gitMinor", "34"),
                ("gitCommit", "unknown"),
                ("gitTreeState", "clean"),
                ("buildDate", "1970-01-01T00:00:00Z"),
            )
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Module:
    """
    A Go module of ours, and the packages of it or of what it requires that become programs.

    Attributes:
        folder: beside this file; its name is that in the cache.
        programs: package by the name of its program.
    """

    folder: str
    programs: dict[str, str]

    def build(self) -> Path | Missing:
        """
        The folder of its programs, from the cache or freshly built, or why there is none.

        Raises:
            gobuild.BuildError: a program does not build.
        """
        version = gobuild.go_version(NEEDS_GO)
        if isinstance(version, Missing):
            return version
        files = [path for path in (HERE / self.folder).iterdir() if path.is_file()]
        return gobuild.cached(self.folder, gobuild.key_of(f"{version} {_LINKED}", files), self._compile)

    def _compile(self, into: Path) -> None:
        for name, package in self.programs.items():
            flags = ["-p", "2", "-ldflags", _LINKED, "-o", str(into / name)]
            gobuild.go(["build", *flags, package], cwd=HERE / self.folder)


KUBE = Module(
    "kube",
    {
        "kube": ".",
        "rollouts-controller": f"{ARGO}/cmd/rollouts-controller",
        "kubectl-argo-rollouts": f"{ARGO}/cmd/kubectl-argo-rollouts",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    },
)


def flagger() -> Path | Missing:
    """
    The folder of `flagger`, from the cache or freshly built, or why there is none.

    Raises:
        gobuild.BuildError: it does not build.
    """
    version = gobuild.go_version(NEEDS_GO)
    if isinstance(version, Missing):
        return version
    return gobuild.cached("flagger", gobuild.key_of(f"{version} {FLAGGER}"), _install)


def _install(into: Path) -> None:
    gobuild.go(["install", "-p", "2", "-ldflags", "-s -w", FLAGGER], cwd=into, settings={"GOBIN": str(into)})
