"""
The manifests that people are given, on the stage: the very files, in a namespace of their own.

What is changed of them is what a reader would change: names of namespaces, the path secret, how often is
asked, and the container's environment, in which a release says what is wrong with it. Everything else, hooks,
templates, steps and conditions, is as it stands in `analysis_templates/`. Where a release wants more of a
change, that has a function of its own: another ramp (`ramp`), a dry run (`dry`), another name (`renamed`).
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from e2e.api import Document
from shipping.manifests import ROOT, TEMPLATES, objects

_AROUND = Path(__file__).parent / "shop.yaml"
_WORKLOADS = ("Rollout", "Deployment")
_NOTIFICATIONS = TEMPLATES / "argo" / "notifications.yaml"
#: Where Argo Rollouts looks for its notifications.
ARGO_NAMESPACE = "argo-rollouts"
#: Hooks that tell firedamp how a release ended.
_TELLING = ("post-rollout", "event")

#: Where the examples take a Prometheus to be; who installs them says where it is.
PROMETHEUS = "http://prometheus-server.monitoring.svc:9090"

#: Environment of a container as JSON values; a release changes some of it.
Faults = Mapping[str, float | bool]


def templates(token: str, house: str) -> list[Document]:
    """What is installed once for all that ask the firedamp in namespace `house`."""
    cluster = objects(TEMPLATES / "argo" / "templates.yaml")
    metrics = objects(TEMPLATES / "flagger" / "metric-templates.yaml")
    return [*cluster, *asking(metrics, house), secret(house, token)]


def secret(namespace: str, token: str) -> Document:
    """The token with which a namespace asks."""
    about = {"name": "firedamp-token", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": {"token": token}}


def notifications(token: str) -> list[Document]:
    """What has Argo Rollouts tell of ends, and the Secret that it refers to; their namespace is there."""
    (config,) = objects(_NOTIFICATIONS)
    about = {"name": "argo-rollouts-notification-secret", "namespace": config["metadata"]["namespace"]}
    given = {"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": {"firedamp-token": token}}
    return [given, config]


def telling(documents: Sequence[Document]) -> list[Document]:
    """With the annotations by which Rollouts have their ends told; Canaries have hooks that tell."""
    lines = re.findall(r'^# +(\S+/subscribe\.\S+): ""$', _NOTIFICATIONS.read_text(encoding="utf-8"), re.M)
    made = [deepcopy(dict(one)) for one in documents]
    for one in made:
        if one["kind"] == "Rollout":
            one["metadata"]["annotations"] = dict.fromkeys(lines, "")
    return made


def silent(documents: Sequence[Document]) -> list[Document]:
    """The same, telling firedamp nothing of its end: without those annotations, and without those hooks."""
    made = [deepcopy(dict(one)) for one in documents]
    for one in made:
        one["metadata"].pop("annotations", None)
        if one["kind"] == "Canary":
            hooks = one["spec"]["analysis"]["webhooks"]
            one["spec"]["analysis"]["webhooks"] = [hook for hook in hooks if hook["type"] not in _TELLING]
    return made


def rollout(name: str, namespace: str, *, replicas: int, weight: int, **arguments: str) -> list[Document]:
    """
    An example of Argo Rollouts.

    Args:
        name: of its file.
        namespace: that it is put in.
        replicas: of the whole service.
        weight: percent of traffic for each group of its experiment.
        arguments: of its analyses, beside those that they have.
    """
    made = _placed(f"argo/{name}", namespace, replicas)
    more = [{"name": argument, "value": value} for argument, value in arguments.items()]
    for analysis in _analyses(made):
        analysis["args"] += deepcopy(more)
    for step in _canary(made)["steps"]:
        if "experiment" in step:
            _weighted(step["experiment"], weight)
    return made


def canary(name: str, namespace: str, *, secret: str, replicas: int, **analysis: Any) -> list[Document]:
    """An example of Flagger with this path secret; `analysis` are fields of its analysis."""
    made = _placed(f"flagger/{name}", namespace, replicas)
    for one in made:
        if one["kind"] == "Canary":
            one["spec"]["analysis"] |= analysis
            for hook in one["spec"]["analysis"]["webhooks"]:
                hook["url"] = hook["url"].replace("PATH-SECRET", secret)
    return made


def ramp(documents: Sequence[Document], weights: Sequence[int]) -> list[Document]:
    """The same Rollout without experiment, up these weights, with a question at each."""
    made = deepcopy(list(documents))
    canary = _canary(made)
    asked = [step for step in canary["steps"] if "analysis" in step]
    steps = []
    for weight in weights:
        step = deepcopy(asked[-1] if weight == weights[-1] else asked[0])
        _argument(step["analysis"], "weight")["value"] = str(weight)
        steps += [{"setWeight": weight}, step]
    canary["steps"] = steps
    canary["analysis"].pop("startingStep", None)
    return made


def dry(documents: Sequence[Document]) -> list[Document]:
    """The same Rollout, which asks, keeps every answer and ignores it."""
    made = deepcopy(list(documents))
    canary = _canary(made)
    steps = [step.get("experiment", step.get("analysis")) for step in canary["steps"]]
    for one in [canary["analysis"], *filter(None, steps)]:
        one["dryRun"] = [{"metricName": "firedamp"}]
    return made


def renamed(documents: Sequence[Document], before: str, after: str) -> list[Document]:
    """The same of another service."""
    found: list[Document] = json.loads(json.dumps(documents).replace(before, after))
    return found


def asking(documents: Sequence[Document], house: str) -> list[Document]:
    """The same, asking the firedamp in another namespace than the usual one."""
    made = json.loads(json.dumps(documents).replace("firedamp.firedamp.svc", f"firedamp.{house}.svc"))
    for one in made:
        if one["kind"] == "MetricTemplate":
            one["metadata"]["namespace"] = house
        if one["kind"] == "Canary":
            for metric in one["spec"]["analysis"].get("metrics", ()):
                metric["templateRef"]["namespace"] = house
    found: list[Document] = made
    return found


def around(namespace: str, service: str, port: int, without: Collection[str] = ()) -> list[Document]:
    """A gateway in front of a service, and payments behind it, but for those that are there anyway."""
    text = _AROUND.read_text(encoding="utf-8").replace("SERVICE", f"{service}.{namespace}:{port}")
    made = [one for one in yaml.safe_load_all(text) if one["metadata"]["name"] not in without]
    for one in made:
        one["metadata"]["namespace"] = namespace
        if one["kind"] == "Deployment":
            _container(one)["env"] = [*_told(), *_container(one).get("env", ())]
    return made


def released(workload: Document, image: str, calls: str, faults: Faults) -> Document:
    """A workload with another version in it."""
    made = deepcopy(dict(workload))
    container = _container(made)
    container["image"] = f"{container['image'].split(':')[0]}:{image}"
    wrong = {f"SHOP_{name.upper()}": str(value) for name, value in faults.items()}
    said = {"SHOP_CALLS": calls, **wrong}
    container["env"] = [*_told(), *({"name": name, "value": value} for name, value in said.items())]
    return made


def workload(documents: Sequence[Document]) -> Document:
    """That which a release changes."""
    return next(one for one in documents if one["kind"] in _WORKLOADS)


def port(documents: Sequence[Document]) -> int:
    """At which the service is asked."""
    for one in documents:
        if one["kind"] == "Service":
            return int(one["spec"]["ports"][0]["port"])
        if one["kind"] == "Canary":
            return int(one["spec"]["service"]["port"])
    raise LookupError("neither a Service nor a Canary")


def settings() -> Mapping[str, Any]:
    """The settings under which the examples are judged."""
    read: Mapping[str, Any] = yaml.safe_load((TEMPLATES / "settings.yaml").read_text(encoding="utf-8"))
    return read


def _placed(file: str, namespace: str, replicas: int) -> list[dict[str, Any]]:
    made = [deepcopy(one) for one in objects(TEMPLATES / file)]
    for one in made:
        one["metadata"]["namespace"] = namespace
        if one["kind"] in _WORKLOADS:
            one["spec"]["replicas"] = replicas
    return made


def _canary(documents: Sequence[Document]) -> dict[str, Any]:
    """The strategy of the Rollout among them."""
    found: dict[str, Any] = workload(documents)["spec"]["strategy"]["canary"]
    return found


def _analyses(documents: Sequence[Document]) -> Iterator[dict[str, Any]]:
    """Every analysis of the Rollout among them: in the background, of steps, of experiments."""
    canary = _canary(documents)
    if "analysis" in canary:
        yield canary["analysis"]
    for step in canary["steps"]:
        if "analysis" in step:
            yield step["analysis"]
        yield from step.get("experiment", {}).get("analyses", ())


def _weighted(experiment: Mapping[str, Any], weight: int) -> None:
    for template in experiment["templates"]:
        template["weight"] = weight
    for analysis in experiment["analyses"]:
        _argument(analysis, "weight")["value"] = str(weight)


def _argument(analysis: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in analysis["args"] if one["name"] == name)
    return found


def _container(workload: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = workload["spec"]["template"]["spec"]["containers"][0]
    return found


def _told() -> list[dict[str, Any]]:
    """The environment by which spans tell of their pod, as docs/traces.md asks for it."""
    text = (ROOT / "docs" / "traces.md").read_text(encoding="utf-8")
    blocks = (block.split("```")[0] for block in text.split("```yaml")[1:])
    found: list[dict[str, Any]] = next(
        yaml.safe_load(block)["env"] for block in blocks if "OTEL_RESOURCE_ATTRIBUTES" in block
    )
    return deepcopy(found)
