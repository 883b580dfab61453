"""
What Argo Rollouts makes of a notification, as far as our templates need it.

Services, triggers and templates are entries of one ConfigMap (argoproj/notifications-engine v0.5.0,
pkg/api/config.go); bodies are Go templates with sprig's functions. Only the shapes that ours use are known
here; any other one is an error.
"""

import json
import re
from typing import Any

import yaml

from shipping.manifests import Object

_PLACE = re.compile(r"\{\{ (.+?) \| toJson \}\}")
_DIG = re.compile(r'dig ((?:"[^"]+" )+)(\.[a-zA-Z.]+) (\.[a-zA-Z.]+)')
_PATH = re.compile(r"\.[a-zA-Z.]+")


def entry(config: Object, name: str) -> Any:
    """One entry of the ConfigMap, read."""
    return yaml.safe_load(config["data"][name])


def service(config: Object, name: str, secrets: dict[str, str]) -> Any:
    """A receiver, `$key` replaced by the secret of that key."""
    filled = re.sub(r"\$([\w-]+)", lambda hit: secrets[hit[1]], config["data"][f"service.webhook.{name}"])
    return yaml.safe_load(filled)


def triggered(config: Object, trigger: str) -> list[str]:
    """
    Names of the templates that a trigger sends with the event that it is named after.

    Raises:
        ValueError: it has a condition, which is tried without any event as well, whenever a Rollout changes
            (argoproj/notifications-engine v0.5.0, pkg/controller/controller.go, processResourceWithAPI; one
            without is left to argo-rollouts v1.10.1, utils/record/record.go, sendNotifications).
    """
    conditions = entry(config, f"trigger.{trigger}")
    if any("when" in one for one in conditions):
        raise ValueError(f"{trigger} would be tried upon every change of a Rollout")
    return [name for one in conditions for name in one["send"]]


def body(template: str, rollout: Object) -> str:
    """
    A body with its places filled.

    Raises:
        ValueError: a place has a shape that our templates are not meant to have.
    """
    filled = _PLACE.sub(lambda hit: json.dumps(_value(hit[1], {"rollout": rollout})), template)
    if "{{" in filled:
        raise ValueError(f"a place was left: {filled}")
    return filled


def _value(expression: str, known: Object) -> Any:
    if _PATH.fullmatch(expression):
        return _at(expression, known)
    if dug := _DIG.fullmatch(expression):
        found = _at(dug[3], known)
        for key in re.findall(r'"([^"]+)"', dug[1]):
            if key not in found:
                return _at(dug[2], known)
            found = found[key]
        return found
    raise ValueError(f"unknown expression {expression!r}")


def _at(path: str, known: Object) -> Any:
    found: Any = known
    for key in path.lstrip(".").split("."):
        found = found[key]
    return found
