"""
Reads the YAML we ship and checks every object against the schema of its kind, unknown fields forbidden.

Kubernetes' own kinds are checked by kubernetes-validate, those of Argo, Flagger, Istio and the Prometheus
operator by the reduced CRDs in `tests/schemas`.
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "analysis_templates"
CHART = ROOT / "charts" / "firedamp"
_SCHEMAS = ROOT / "tests" / "schemas"
#: Newest Kubernetes that kubernetes-validate and the chart both know.
KUBERNETES = "1.34"

Object = dict[str, Any]


def objects(*paths: Path) -> list[Object]:
    """All objects in these files, in order."""
    return [one for path in paths for one in parsed(path.read_text(encoding="utf-8"))]


def parsed(text: str) -> list[Object]:
    """All objects in a stream of YAML documents; empty documents are none."""
    return [one for one in yaml.safe_load_all(text) if one]


def shipped(folder: str) -> list[Path]:
    """The manifests below analysis_templates/<folder>."""
    return sorted((TEMPLATES / folder).glob("*.yaml"))


def rendered(chart: helm_python.Chart, values: Object | None = None) -> list[Object]:
    """What Helm would install, as release `firedamp` in namespace `judges`."""
    files = chart.render(values or {}, name="firedamp", namespace="judges")
    return [one for name, text in files.items() if name.endswith(".yaml") for one in parsed(text)]


def of_kind(found: Iterable[Object], *kinds: str) -> list[Object]:
    return [one for one in found if one["kind"] in kinds]


def named(found: Iterable[Object], kind: str, name: str) -> Object:
    return next(one for one in found if one["kind"] == kind and one["metadata"]["name"] == name)


def title(one: Object) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def faults(one: Object) -> list[str]:
    """What is wrong with an object, by the schema of its kind."""
    path = _SCHEMAS / f"{one['kind']}.{one['apiVersion'].replace('/', '.')}.json"
    if path.exists():
        found = _validator(path).iter_errors(one)
        return [
            f"{title(one)}: {'.'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in found
        ]
    return list(_kubernetes_faults(one))


@cache
def _validator(path: Path) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def _kubernetes_faults(one: Object) -> Iterator[str]:
    try:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as fault:
        yield f"{title(one)}: {fault}"
