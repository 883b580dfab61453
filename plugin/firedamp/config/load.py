"""
Reads the settings and says in words what is wrong with them.

The YAML is turned into JSON before it is validated strictly, so that `true` is no number. `defaults` flow
into each service key by key. Environment variables override the file: `FIREDAMP_STORE__URL`,
`FIREDAMP_LISTEN__PORT`, `FIREDAMP_PUBLIC_URL`, two underscores for each step down.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firedamp.config import Settings
from firedamp.config.document import place, read, tree, variables
from firedamp.config.faults import Document, Location, explain
from firedamp.errors import ConfigError

_FLOWING = (
    "source",
    "mode",
    "cohorts",
    "window",
    "policy",
    "checks",
    "alpha",
    "alpha_warn",
    "ceiling",
    "history",
    "traces",
)
#: Sections that flow key by key themselves.
_SECTIONS = ("window", "policy", "traces")


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """
    Read the settings from a file (or none) and the environment.

    Raises:
        ConfigError: anything is wrong; every fault is named with its path and the nearest right one.
    """
    named = variables(os.environ if environ is None else environ)
    data = _merged(read(path) if path else {}, tree(named))
    return parse(data, str(path or "environment"), {place(name): name for name in named})


def parse(data: Mapping[str, Any], where: str, origins: Mapping[Location, str] | None = None) -> Settings:
    """
    Turn plain data into settings.

    Args:
        data: as in the file.
        where: what faults are attributed to.
        origins: places set by something else, with its name.

    Raises:
        ConfigError: as `load`.
    """
    whole = _with_defaults(data)
    try:
        return Settings.model_validate_json(json.dumps(whole, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(explain(error, Document(Settings, where, whole, origins or {}))) from error


def _with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    defaults = data.get("defaults")
    services = data.get("services")
    if not isinstance(defaults, dict) or not isinstance(services, list):
        return dict(data)
    return {**data, "services": [_flowed(service, defaults) for service in services]}


def _flowed(service: Any, defaults: Mapping[str, Any]) -> Any:  # noqa: ANN401 - YAML is anything
    if not isinstance(service, dict):
        return service
    flowing = {key: defaults[key] for key in _FLOWING if defaults.get(key) is not None}
    own = {
        key: {**flowing[key], **value}
        if key in _SECTIONS and isinstance(value, dict) and isinstance(flowing.get(key), dict)
        else value
        for key, value in service.items()
    }
    return {**flowing, **own}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def json_schema() -> dict[str, Any]:
    """The JSON schema of the settings file, for editors and the chart."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "firedamp settings"}


def service_to_add(namespace: str, name: str) -> str:
    """The YAML that would make firedamp judge this service, for an answer that has to ask for it."""
    events = "'http_requests_total{code=~\"5..\"}'"
    checks = f"[{{name: errors, kind: proportion, events: {events}, total: http_requests_total}}]"
    return f"services: [{{name: {json.dumps(name)}, namespace: {json.dumps(namespace)}, checks: {checks}}}]"
