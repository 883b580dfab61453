"""
What Argo Rollouts makes of an AnalysisTemplate, as far as our templates need it.

Arguments: utils/template/template.go (ResolveQuotedArgs) of argo-rollouts v1.10.1. Conditions: only the
handful of shapes our templates use, each spelled out; an expression of any other shape is an error here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shipping.manifests import Object

_ARGUMENT = re.compile(r"\{\{\s*args\.([a-z-]+)\s*\}\}")
_STARTS = re.compile(r'(not \()?result startsWith "(?P<word>[a-z]+:)"(?(1)\))')
_FIRST = re.compile(r"result\[0\] (?P<sign>>=|<=) (?P<limit>[0-9.]+)")


def analyses(rollout: Object) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Place, template's name and arguments of each analysis of a Rollout; None where Argo finds the value."""
    strategy = rollout["spec"]["strategy"]
    canary, blue_green = strategy.get("canary", {}), strategy.get("blueGreen", {})
    for place in ("prePromotionAnalysis", "postPromotionAnalysis"):
        yield from _referenced(place, blue_green.get(place, {}))
    yield from _referenced("background", canary.get("analysis", {}))
    for number, step in enumerate(canary.get("steps", ())):
        yield from _referenced(f"step {number}", step.get("analysis", {}))
        for one in step.get("experiment", {}).get("analyses", ()):
            yield f"experiment in step {number}", one["templateName"], _values(one)


def _referenced(place: str, analysis: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for template in analysis.get("templates", ()):
        yield place, template["templateName"], _values(analysis)


def _values(analysis: Mapping[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in analysis.get("args", ())}


def defaults(template: Object) -> dict[str, str]:
    """The arguments a template fills in by itself."""
    return {one["name"]: one["value"] for one in template["spec"]["args"] if "value" in one}


def required(template: Object) -> set[str]:
    """The arguments a caller must bring; those from a Secret come by themselves."""
    return {one["name"] for one in template["spec"]["args"] if not {"value", "valueFrom"} & set(one)}


def resolved(template: Object, arguments: Mapping[str, str]) -> list[Object]:
    """
    The template's metrics with the arguments in their places.

    Raises:
        KeyError: a place has no argument.
    """
    given = {**defaults(template), **arguments}

    def value(hit: re.Match[str]) -> str:
        return json.dumps(given[hit[1]])[1:-1]

    metrics: list[Object] = json.loads(_ARGUMENT.sub(value, json.dumps(template["spec"]["metrics"])))
    return metrics


def holds(condition: str, result: Any) -> bool:
    """
    Whether a condition holds for a result.

    Raises:
        ValueError: the condition has a shape that our templates are not meant to have.
    """
    if starts := _STARTS.fullmatch(condition):
        return str(result).startswith(starts["word"]) is (starts[1] is None)
    if first := _FIRST.fullmatch(condition):
        value, limit = float(result[0]), float(first["limit"])
        return value >= limit if first["sign"] == ">=" else value <= limit
    raise ValueError(f"unknown condition {condition!r}")


def phase(metric: Object, result: Any) -> str:
    """What Argo calls a measurement: evaluate.go, both conditions set."""
    if holds(metric["failureCondition"], result):
        return "Failed"
    return "Successful" if holds(metric["successCondition"], result) else "Inconclusive"


def json_path(answer: Mapping[str, Any], path: str) -> Any:
    """The one path our templates take: a key at the top."""
    found = re.fullmatch(r"\{\$\.([a-z]+)\}", path)
    if found is None:
        raise ValueError(f"unknown path {path!r}")
    return answer[found[1]]
