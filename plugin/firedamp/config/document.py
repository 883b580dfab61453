"""
YAML as people mean it, and `FIREDAMP_*` variables as a tree.

YAML 1.1 reads `off` as false and `22:00` as 1320, which is wrong for a mode and for a time of day, so
only what YAML 1.2 calls a boolean or a number is one here; all else is text. A key that stands twice is
an error, for one of the two was meant.
"""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from firedamp.errors import ConfigError

PREFIX = "FIREDAMP_"
_MAX_BYTES = 4 * 1024 * 1024
#: Variables of ours that are not settings.
_NOT_SETTINGS = {"FIREDAMP_CONFIG", "FIREDAMP_TOKEN", "FIREDAMP_URL"}
# Kubernetes tells every pod the addresses of the services beside it; one of them may be called firedamp.
_SERVICE_LINK = re.compile(
    r"FIREDAMP_((?!.*__).*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)"
)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema: true, false, null and decimal numbers; no duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - yaml's own name

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for at, key in enumerate(own):
            if any(key.value == other.value for other in own[:at]):
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands twice", key.start_mark
                )
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|(?:0|[1-9][0-9]*)(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        list("-+0123456789."),
    ),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


class _Dumper(yaml.SafeDumper):
    """Text that the loader above would take for a number or a word of YAML is put in quotes."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        taken = any(pattern.match(text) for _, pattern in _Loader.yaml_implicit_resolvers.get(text[:1], ()))
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="'" if taken else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def written(data: object) -> str:
    """Values as a YAML text which `parsed` reads back as they are."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def parsed(text: str) -> Any:  # noqa: ANN401 - YAML is anything
    """
    The values in a YAML text.

    Raises:
        ValueError: it is no YAML; the message names line and column.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from error


def read(path: Path) -> dict[str, Any]:
    """
    The mapping in a YAML file; empty where the file is.

    Raises:
        ConfigError: it cannot be read, is too large, is no YAML or no mapping.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes")
        data = parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no YAML: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of settings at the top")
    return data


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are settings."""
    return {
        name: text
        for name, text in sorted(environ.items())
        if name.startswith(PREFIX)
        and name not in _NOT_SETTINGS
        and not name.startswith("FIREDAMP_TEST_")
        and not _SERVICE_LINK.fullmatch(name)
    }


def place(name: str) -> tuple[str, ...]:
    """Where a variable's value belongs: FIREDAMP_STORE__URL is store, url."""
    return tuple(name.removeprefix(PREFIX).lower().split("__"))


def tree(named: Mapping[str, str]) -> dict[str, Any]:
    """
    Variables as nested values.

    Raises:
        ConfigError: a value is no YAML, or stands where another one has its branches.
    """
    found: dict[str, Any] = {}
    for name, text in named.items():
        try:
            _put(found, place(name), parsed(text))
        except (ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"{name}: {error}") from error
    return found


def _put(branch: dict[str, Any], path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401 - YAML is anything
    for part in path[:-1]:
        branch = branch.setdefault(part, {})
        if not isinstance(branch, dict):
            raise ValueError(f"{part} is set to a value by another variable")  # noqa: TRY004 - a text's fault
    branch[path[-1]] = value
