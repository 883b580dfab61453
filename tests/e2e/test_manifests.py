"""
What we ship is taken as it stands: every manifest by a real Kubernetes, every Rollout by Argo's own rules.

Kubernetes refuses unknown fields and broken values, but looks into no analysis; `lint` of Argo's plugin looks
into Rollouts alone. Only the controller resolves the templates of a Rollout with its arguments, and says in a
condition what is wrong with them.
"""

import asyncio
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from e2e import builds
from e2e.api import Api, Document, Kind, RefusedError
from e2e.cluster import TOKEN, Cluster
from e2e.controllers import Argo, crds, service_monitors
from e2e.examples import secret
from e2e.stage import defined, until
from real.gobuild import Missing
from shipping.manifests import CHART, named, objects, of_kind, parsed, shipped, title

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

MANIFESTS = [*shipped("argo"), *shipped("flagger")]
ROLLOUTS = [path for path in shipped("argo") if path.name.startswith("rollout-")]
TEMPLATES_OF_ARGO = of_kind(objects(*shipped("argo")), "ClusterAnalysisTemplate")
#: Those that the manifests and the modes of the chart name.
NAMESPACES = ("shop", "web", "test", "firedamp", "argo-rollouts")
MODES = sorted((CHART / "ci").glob("*-values.yaml"))
#: Nobody listens there: nothing is asked before a first release is over.
_NOWHERE = "http://127.0.0.1:9"
#: A Rollout may be read before the Services that it names; four looks a second.
PATIENCE_LOOKS = 16
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def file_of(path: Path) -> str:
    """Its name, for the test's."""
    return path.name.removesuffix(".yaml")


@pytest.fixture(scope="module")
def programs():
    """The folder of Kubernetes' and Argo's programs."""
    found = builds.KUBE.build()
    if isinstance(found, Missing):
        pytest.skip(found.reason)
    return found


@pytest.fixture(scope="module")
def cluster(programs, tmp_path_factory):
    """A cluster that knows all kinds that we speak of, with Argo's controller."""
    with Cluster(programs / "kube", tmp_path_factory.mktemp("cluster")) as found:
        asyncio.run(prepared(found))
        with Argo(programs / "rollouts-controller", found.kubeconfig, _NOWHERE):
            yield found


async def prepared(cluster: Cluster) -> None:
    """Kinds, namespaces, and what the values of a mode name."""
    high = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}}
    async with client(cluster) as api:
        await defined(api, [*crds(), *service_monitors()])
        await api.apply_all(namespace(name) for name in NAMESPACES)
        await api.apply_all(namespace(mode_of(path), **_RESTRICTED) for path in MODES)
        await api.apply({**high, "value": 1000})
        # Rollouts refer to templates, and these to a token.
        await api.apply_all([*TEMPLATES_OF_ARGO, secret("shop", "fd_nobody")])


def client(cluster: Cluster) -> Api:
    return Api(cluster.url, cluster.authority, TOKEN)


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def mode_of(path: Path) -> str:
    """The namespace into which the chart is installed with these values."""
    return path.name.removesuffix("-values.yaml")


def installed(path: Path) -> list[dict[str, Any]]:
    """All that Helm would make of these values, its tests too."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(values, name="firedamp", namespace=mode_of(path))
    made = [one for name, text in files.items() if name.endswith(".yaml") for one in parsed(text)]
    for one in made:
        one["metadata"].setdefault("namespace", mode_of(path))  # as Helm does
    return made


def linted(programs: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """What Argo's linter says of a file."""
    command = [programs / "kubectl-argo-rollouts", "lint", "-f", path]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("path", MANIFESTS, ids=file_of)
async def test_kubernetes_takes_every_manifest(cluster, path):
    """Applied on the server's side, strictly: no field is unknown, and no value of the wrong form."""
    async with client(cluster) as api:
        taken = [await api.apply(one) for one in objects(path)]

    assert [title(one) for one in taken] == [title(one) for one in objects(path)]


async def test_kubernetes_refuses_a_manifest_with_a_slip(cluster):
    """So that the test above says something: a misspelt field is an error, not ignored."""
    slip = deepcopy(TEMPLATES_OF_ARGO[0])
    slip["spec"]["metric"] = slip["spec"].pop("metrics")

    async with client(cluster) as api:
        with pytest.raises(RefusedError, match="metric"):
            await api.apply(slip)


@pytest.mark.parametrize("path", MODES, ids=mode_of)
async def test_kubernetes_takes_all_that_the_chart_makes(cluster, path):
    """Every object of every mode, the chart's tests and the ServiceMonitor too."""
    made = installed(path)
    async with client(cluster) as api:
        taken = [await api.apply(one) for one in made]

    assert [title(one) for one in taken] == [title(one) for one in made]


@pytest.mark.parametrize("path", MODES, ids=mode_of)
async def test_a_restricted_namespace_lets_the_pods_in(cluster, path):
    """Kubernetes itself enforces the restricted Pod Security Standard there, and admits the Deployment's."""
    (deployment,) = of_kind(installed(path), "Deployment")
    about = {"name": "as-deployed", "namespace": mode_of(path)}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": pod_of(deployment)}
    async with client(cluster) as api:
        await api.apply(pod)
        with pytest.raises(RefusedError, match="violates PodSecurity"):
            await api.apply(careless(pod))


def pod_of(deployment: Document) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def careless(pod: Document) -> Document:
    """Another one like it that does not say what its container may not do."""
    found = deepcopy(dict(pod))
    found["metadata"]["name"] = "careless"
    del found["spec"]["containers"][0]["securityContext"]
    return found


@pytest.mark.parametrize("path", ROLLOUTS, ids=file_of)
def test_argo_lints_every_rollout(programs, path):
    """`kubectl argo rollouts lint` finds nothing in any complete example."""
    done = linted(programs, path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("replicas: 2", "replica: 2", 'unknown field "replica"'),
        ("canaryService: front-canary", "canaryService: front-stable", "the same service for the stable"),
        ("routes: [primary]", "routes: [secondary]", "secondary"),
        (
            "- setCanaryScale:",
            "- setWeight: 120\n        - setCanaryScale:",
            "SetWeight needs to be between 0 and 100",
        ),
    ],
    ids=["field", "service", "route", "step"],
)
def test_argo_refuses_a_broken_rollout(programs, tmp_path, right, wrong, said):
    """So that the test above says something: what is wrong with a Rollout or its route is named."""
    good = next(path for path in ROLLOUTS if path.name == "rollout-istio-header.yaml")
    broken = tmp_path / "rollout.yaml"
    broken.write_text(good.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")

    done = linted(programs, broken)

    assert done.returncode == 1
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize("path", ROLLOUTS, ids=file_of)
async def test_argo_accepts_every_rollout_with_its_templates(cluster, path):
    """The controller resolves each template that it names, with its arguments, and objects to none."""
    (rollout,) = of_kind(objects(path), "Rollout")
    async with client(cluster) as api:
        await api.apply_all(objects(path))

        assert await objections(api, rollout) == ""


async def test_the_number_for_the_dashboard_stands_beside_the_guard(cluster):
    """Both in one background analysis, as there is only one: their metrics have names of their own."""
    rollout = in_the_background("both", "firedamp-background", "firedamp-promote-prometheus")
    async with client(cluster) as api:
        await api.apply(rollout)

        assert await objections(api, rollout) == ""


async def test_argo_objects_to_a_template_that_is_not_there(cluster):
    """So that the tests above say something: a Rollout is not begun with a question that nobody knows."""
    rollout = in_the_background("unknown", "firedamp-guard")
    async with client(cluster) as api:
        await api.apply(rollout)

        assert "'firedamp-guard' not found" in await objections(api, rollout)


@pytest.mark.parametrize("template", TEMPLATES_OF_ARGO, ids=title)
async def test_argo_begins_to_ask_every_question(cluster, template):
    """A run of each template is under way: its arguments, limits and provider are in order."""
    async with client(cluster) as api:
        assert await begun(api, template, template["metadata"]["name"]) == ("Running", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"interval": "often"}, "invalid interval string"),
        ({"inconclusiveLimit": 1000}, "count must be >= inconclusiveLimit"),
        ({"provider": {}}, "no provider"),
    ],
    ids=["interval", "limit", "provider"],
)
async def test_argo_asks_no_broken_question(cluster, change, said):
    """So that the test above says something: templates that Kubernetes takes end as errors."""
    broken = deepcopy(named(TEMPLATES_OF_ARGO, "ClusterAnalysisTemplate", "firedamp-promote"))
    broken["spec"]["metrics"][0] |= change
    async with client(cluster) as api:
        phase, message = await begun(api, broken, f"broken-{next(iter(change)).lower()}")

    assert (phase, said in message) == ("Error", True), message


async def begun(api: Api, template: Document, name: str) -> tuple[str, str]:
    """Phase and message of a run of a template, with a word for every argument that has none."""
    arguments = [{"value": "x"} | one for one in template["spec"]["args"]]
    for one in arguments:
        if "valueFrom" in one:
            del one["value"]
    about = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun"}
    run = {**about, "metadata": {"name": name, "namespace": "shop"}}
    await api.apply({**run, "spec": {"metrics": template["spec"]["metrics"], "args": arguments}})

    async def status() -> Document:
        found: Document = (await api.get(Kind.of(run), name, "shop")).get("status", {})
        return found if found.get("phase") not in (None, "Pending") else {}

    found = await until(status, 20.0)
    return found["phase"], found.get("message", "")


def in_the_background(name: str, *templates: str) -> dict[str, Any]:
    """The plainest of the examples under another name, with these templates beside its steps."""
    found = deepcopy(named(objects(*ROLLOUTS), "Rollout", "cart"))
    found["metadata"]["name"] = name
    guard = found["spec"]["strategy"]["canary"]["analysis"]
    guard["templates"] = [{"templateName": template, "clusterScope": True} for template in templates]
    return found


async def objections(api: Api, rollout: Document) -> str:
    """What the controller has against a Rollout; empty as soon as it has nothing, else what it stays with."""
    about, said = rollout["metadata"], "the controller has not read it"
    for _ in range(PATIENCE_LOOKS):
        found = await api.get(Kind.of(rollout), about["name"], about["namespace"])
        if conditions := found.get("status", {}).get("conditions", ()):
            said = " ".join(one["message"] for one in conditions if one["type"] == "InvalidSpec")
            if not said:
                break
        await asyncio.sleep(0.25)
    return said
