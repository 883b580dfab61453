"""
Makes the schemas in this folder anew: reduced copies of the CRDs that our YAML is written for.

    python tests/schemas/refresh.py          (needs Go, for `go mod download`)

The CRDs are taken from the Go modules of the projects that define them. Only what decides validity is kept:
descriptions go, objects with named properties forbid unknown ones (as `kubectl --validate=strict` does),
int-or-string becomes a choice, and a part that occurs more than once moves into `$defs`.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
#: Module and version -> files with CRDs in it -> kinds wanted, each with its version.
WANTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "github.com/argoproj/argo-rollouts@v1.10.1": {
        "manifests/crds/rollout-crd.yaml": ("Rollout/v1alpha1",),
        "manifests/crds/cluster-analysis-template-crd.yaml": ("ClusterAnalysisTemplate/v1alpha1",),
    },
    "github.com/fluxcd/flagger@v1.44.0": {
        "artifacts/flagger/crd.yaml": ("Canary/v1beta1", "MetricTemplate/v1beta1"),
    },
    "istio.io/api@v1.31.1": {
        "kubernetes/customresourcedefinitions.gen.yaml": ("VirtualService/v1", "DestinationRule/v1"),
    },
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": {
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml": ("ServiceMonitor/v1",),
    },
}
_KEPT = (
    "type", "properties", "required", "items", "additionalProperties", "enum", "pattern", "format",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "oneOf", "anyOf", "allOf", "not",
    "nullable",
)  # fmt: skip
Change = Callable[[Mapping[str, Any]], dict[str, Any]]
_SHARED_FROM_CHARACTERS = 120
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "namespace": {"type": "string"},
        "labels": _STRINGS,
        "annotations": _STRINGS,
    },
    "additionalProperties": False,
}


def main() -> None:
    for module, files in WANTED.items():
        folder = downloaded(module)
        for file, kinds in files.items():
            for kind, version, schema in definitions(folder / file, kinds):
                write(kind, version, schema, f"{module} {file}")


def downloaded(module: str) -> Path:
    """Folder of a Go module in the module cache."""
    done = subprocess.run(
        ["go", "mod", "download", "-json", module], cwd="/", capture_output=True, text=True, check=True
    )
    return Path(json.loads(done.stdout)["Dir"])


def definitions(file: Path, kinds: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, apiVersion and schema of the kinds wanted."""
    for crd in filter(None, yaml.safe_load_all(file.read_text(encoding="utf-8"))):
        kind = crd["spec"]["names"]["kind"]
        for version in crd["spec"]["versions"]:
            if f"{kind}/{version['name']}" in kinds:
                schema = version["schema"]["openAPIV3Schema"]
                yield kind, f"{crd['spec']['group']}/{version['name']}", schema


def write(kind: str, version: str, schema: Mapping[str, Any], source: str) -> None:
    """Write one schema as <kind>.<group>.<version>.json."""
    whole = reduced(schema)
    head = {"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": _METADATA}
    whole["properties"] = {**whole["properties"], **head}
    shared = shared_parts(whole)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"From {source}; licensed under the Apache License 2.0. Made by refresh.py.",
        **folded(whole, shared),
        "$defs": {name: folded(json.loads(text), shared) for text, name in shared.items()},
    }
    path = HERE / f"{kind}.{version.replace('/', '.')}.json"
    path.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


def reduced(node: Mapping[str, Any]) -> dict[str, Any]:
    """One schema node without words, and closed."""
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    small = changed({key: node[key] for key in _KEPT if key in node}, reduced, condition)
    if small.pop("nullable", False):
        small["type"] = [small["type"], "null"]
    if "properties" in small and not node.get("x-kubernetes-preserve-unknown-fields"):
        small.setdefault("additionalProperties", False)
    return small


def condition(node: Mapping[str, Any]) -> dict[str, Any]:
    """A branch of a choice only adds conditions: it stays open for the fields beside it."""
    return {key: value for key, value in reduced(node).items() if key != "additionalProperties"}


def changed(node: Mapping[str, Any], part: Change, branch: Change) -> dict[str, Any]:
    """A copy of the node with its parts and the branches of its choices changed."""
    small = dict(node)
    if "properties" in small:
        small["properties"] = {name: part(one) for name, one in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(small.get(key), Mapping):
            small[key] = part(node[key])
    for key in ("oneOf", "anyOf", "allOf"):
        if key in small:
            small[key] = [branch(one) for one in node[key]]
    if "not" in small:
        small["not"] = branch(node["not"])
    return small


def shared_parts(schema: Mapping[str, Any]) -> dict[str, str]:
    """JSON of every large part that occurs more than once -> its name in $defs."""
    seen: Counter[str] = Counter()

    def counted(node: Mapping[str, Any]) -> dict[str, Any]:
        seen[json.dumps(node, sort_keys=True)] += 1
        return changed(node, counted, counted)

    changed(schema, counted, counted)
    texts = [text for text, times in seen.items() if times > 1 and len(text) > _SHARED_FROM_CHARACTERS]
    return {text: f"d{number}" for number, text in enumerate(sorted(texts))}


def folded(node: Mapping[str, Any], shared: Mapping[str, str]) -> dict[str, Any]:
    """The same schema with references in place of the shared parts below it."""

    def part(one: Mapping[str, Any]) -> dict[str, Any]:
        name = shared.get(json.dumps(one, sort_keys=True))
        return folded(one, shared) if name is None else {"$ref": f"#/$defs/{name}"}

    return changed(node, part, part)


if __name__ == "__main__":
    main()
