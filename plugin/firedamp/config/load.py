"""
Reads the settings and says in words what is wrong with them.

The YAML is turned into JSON before it is validated strictly, so that `true` is no number and a date no
text. `defaults` flow into each service key by key. Environment variables override the file:
`FIREDAMP_STORE__URL`, `FIREDAMP_LISTEN__PORT`, `FIREDAMP_PUBLIC_URL`, two underscores for each step down.
"""

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from firedamp.config import Settings
from firedamp.errors import ConfigError

PREFIX = "FIREDAMP_"
_MAX_BYTES = 4 * 1024 * 1024
#: Variables of ours that are not settings.
_NOT_SETTINGS = {"FIREDAMP_CONFIG", "FIREDAMP_TOKEN", "FIREDAMP_URL"}
_FLOWING = ("source", "mode", "cohorts", "window", "policy", "checks", "alpha", "alpha_warn", "ceiling")


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """
    Read the settings from a file (or none) and the environment.

    Raises:
        ConfigError: anything is wrong; every fault is named with its path and the nearest right one.
    """
    written = _read(path) if path else {}
    data = _merged(written, _from_environment(os.environ if environ is None else environ))
    return parse(data, str(path or "environment"))


def parse(data: Mapping[str, Any], where: str) -> Settings:
    """
    Turn plain data into settings.

    Raises:
        ConfigError: as `load`.
    """
    try:
        text = json.dumps(_with_defaults(data), default=str)
        return Settings.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigError(explain(error, where)) from error


def explain(error: ValidationError, where: str) -> str:
    """One line per fault: path, what was found, what was expected, the nearest right key."""
    return "\n".join(f"{where}: {_fault(one)}" for one in error.errors(include_url=False))


def _fault(one: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is a TypedDict of anything
    path = ".".join(str(part) for part in one["loc"])
    if one["type"] == "extra_forbidden":
        return f"{path}: unknown key{_nearest(one['loc'])}"
    message = str(one["msg"]).removeprefix("Value error, ")
    value = one.get("input")
    shown = (
        f" (found {json.dumps(value, default=str)[:80]})"
        if isinstance(value, str | int | float | bool)
        else ""
    )
    return f"{path or 'settings'}: {message}{shown}"


def _nearest(location: tuple[int | str, ...]) -> str:
    known = sorted(_keys_at(location[:-1]))
    close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known keys are {', '.join(known)}" if known else ""


def _keys_at(location: tuple[int | str, ...]) -> set[str]:
    """Keys that may stand at this place of the settings, found by walking the JSON schema."""
    schema = Settings.model_json_schema()
    nodes = [schema]
    for part in location:
        nodes = [found for node in nodes for found in _below(node, part, schema)]
    return {key for node in nodes for key in node.get("properties", {})}


def _below(node: dict[str, Any], part: int | str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    if isinstance(part, int):
        return _resolved(node.get("items", {}), schema)
    if part in node.get("properties", {}):
        return _resolved(node["properties"][part], schema)
    # A tag of a discriminated union ("proportion") stays at the same place.
    return [node] if part in _tags(node) else []


def _tags(node: dict[str, Any]) -> set[str]:
    fields = node.get("properties", {})
    chosen = fields.get("kind") or fields.get("preset") or {}
    return {str(tag) for tag in [chosen.get("const"), *chosen.get("enum", [])] if tag}


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in node:
        return _resolved(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    choices = node.get("anyOf") or node.get("oneOf")
    if choices:
        return [found for choice in choices for found in _resolved(choice, schema)]
    return [node]


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is no YAML: {str(error).splitlines()[0]}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of settings at the top")
    return data


def _with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    defaults = data.get("defaults")
    services = data.get("services")
    if not isinstance(defaults, dict) or not isinstance(services, list):
        return dict(data)
    return {**data, "services": [_flowed(service, defaults) for service in services]}


def _flowed(service: Any, defaults: Mapping[str, Any]) -> Any:  # noqa: ANN401 - YAML is anything
    if not isinstance(service, dict):
        return service
    flowing = {key: defaults[key] for key in _FLOWING if key in defaults and defaults[key] is not None}
    for key in ("window", "policy"):
        if isinstance(flowing.get(key), dict) and isinstance(service.get(key), dict):
            flowing[key] = {**flowing[key], **service[key]}
            service = {name: value for name, value in service.items() if name != key}
    return {**flowing, **service}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in environ.items():
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS and not name.startswith("FIREDAMP_TEST"):
            _place(found, name.removeprefix(PREFIX).lower().split("__"), yaml.safe_load(text))
    return found


def _place(tree: dict[str, Any], path: list[str], value: Any) -> None:  # noqa: ANN401 - YAML is anything
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def json_schema() -> dict[str, Any]:
    """The JSON schema of the settings file, for editors and the chart."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "firedamp settings", **schema}


def service_to_add(namespace: str, name: str) -> str:
    """The YAML that would make firedamp judge this service, for an answer that has to ask for it."""
    return (
        f"services: [{{name: {name}, namespace: {namespace}, checks: [{{name: errors, kind: proportion, "
        "events: 'http_requests_total{code=~\"5..\"}', total: http_requests_total}]}]"
    )
