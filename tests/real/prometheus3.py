"""
Prometheus 3.15.0 and promtool, built from their Go module.

Distributions still ship 2.x, some without Kubernetes service discovery; users run both, and the
two differ in what a query returns. The build is asked for by FIREDAMP_TEST_PROMETHEUS3=1, for it
takes minutes; once built it is found without asking. There is no page in it, the API is whole.
"""

import json
import os
from pathlib import Path

from real import gobuild
from real.gobuild import Missing

MODULE = "github.com/prometheus/prometheus@v0.315.0"
VERSION = "3.15.0"  # of the release that this module is
ASKED_BY = "FIREDAMP_TEST_PROMETHEUS3"
NEEDS_GO = (1, 26, 0)  # the module's own go line

# Every cloud's discovery but one would double the build; file_sd and http_sd are always in.
TAGS = "remove_all_sd,enable_kubernetes_sd,enable_dns_sd"
FLAGS = ["-tags", TAGS, "-ldflags", f"-s -w -X github.com/prometheus/common/version.Version={VERSION}"]


def found() -> Path | None:
    """The folder that holds `prometheus` and `promtool` if it is built already; cheap."""
    ready = gobuild.folder("prometheus3", _key())
    return ready if ready.is_dir() else None


def build(*, asked: bool = False) -> Path | Missing:
    """
    The folder that holds `prometheus` and `promtool`, built if that is asked for, or why there is none.

    Whoever cannot do without it asks; others leave that to the environment.

    Raises:
        gobuild.BuildError: the module does not build.
    """
    if ready := found():
        return ready
    if not asked and os.environ.get(ASKED_BY) != "1":
        return Missing(f"Prometheus {VERSION} is not built yet; {ASKED_BY}=1 builds it, in some minutes")
    version = gobuild.go_version(NEEDS_GO)
    return version if isinstance(version, Missing) else gobuild.cached("prometheus3", _key(), _compile)


def _key() -> str:
    return gobuild.key_of(f"{MODULE} {FLAGS}")


def _compile(into: Path) -> None:
    # `go install MODULE` refuses a module with replacements; inside its own folder it builds.
    source = json.loads(gobuild.go(["mod", "download", "-json", MODULE], cwd=into))["Dir"]
    for program in ("prometheus", "promtool"):
        gobuild.go(
            ["build", "-p", "2", *FLAGS, "-o", str(into / program), f"./cmd/{program}"], cwd=Path(source)
        )
