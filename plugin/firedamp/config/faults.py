"""
Says in words what is wrong with the settings: where, what was found, what was expected.

Paths are those of the file (services.0.checks.1.tolerance), without the names that a union gives to its
members. What looks like a misspelling gets the nearest right word; what may hold a secret is not shown.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

Location = tuple[int | str, ...]
_MISSING = "missing"
_UNKNOWN = "extra_forbidden"
#: What may be a secret in an address: all between // and @, and a password among its parameters.
_CREDENTIALS = re.compile(r"(?<=//)[^/\s]*(?=@)|(?<=password=)[^&\s\"]*")
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Document:
    """
    What was validated.

    Attributes:
        model: the settings' type; its JSON schema knows which keys there are.
        name: what faults are attributed to: the file.
        data: the values as given, defaults already in them.
        origins: places that something else than the file set, with its name (a variable).
    """

    model: type[BaseModel]
    name: str
    data: Any = None
    origins: Mapping[Location, str] = field(default_factory=dict)

    def place(self, location: Location, kind: str) -> Location:
        """The location without the names of union members, which the file knows nothing of."""
        kept: list[int | str] = []
        here = self.data
        for at, part in enumerate(location):
            known = _has(here, part)
            if known or (at == len(location) - 1 and kind == _MISSING):
                kept.append(part)
                here = here[part] if known else None
        return tuple(kept)

    def origin(self, place: Location) -> str:
        """Who set this: the variable with the longest matching place, else the file."""
        lengths = range(len(place), 0, -1)
        return next((self.origins[place[:n]] for n in lengths if place[:n] in self.origins), self.name)


def explain(error: ValidationError, document: Document) -> str:
    """One line per fault; a fault of `defaults` is not told again for each service it flows into."""
    faults = error.errors(include_url=False)
    places = [document.place(one["loc"], one["type"]) for one in faults]
    default = {
        (place[1:], one["type"])
        for place, one in zip(places, faults, strict=True)
        if place[:1] == ("defaults",)
    }
    lines = []
    for place, one in zip(places, faults, strict=True):
        if place[:1] == ("services",) and (place[2:], one["type"]) in default:
            continue
        path = ".".join(map(str, place))
        said = _said(one, place, document)
        lines.append(f"{document.origin(place)}: {path}: {said}" if path else f"{document.name}: {said}")
    return "\n".join(dict.fromkeys(lines))


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that this one resembles, else at all of them."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(words)}" if words else ""


def _said(one: Any, place: Location, document: Document) -> str:  # noqa: ANN401 - a TypedDict of anything
    context = one.get("ctx", {})
    match one["type"]:
        case "extra_forbidden":
            return f"unknown key{nearest(str(place[-1]), _Schema(document.model).keys(one['loc'][:-1]))}"
        case "missing":
            return "is missing"
        case "union_tag_invalid":
            key = context["discriminator"].strip("'")
            return (
                f"unknown {key} {context['tag']!r}{nearest(context['tag'], _words(context['expected_tags']))}"
            )
        case "union_tag_not_found":
            key = context["discriminator"].strip("'")
            return f"{key} is missing{nearest('', _Schema(document.model).tags(one['loc'], key))}"
        case "enum" | "literal_error" if isinstance(one["input"], str):
            return f"unknown value {one['input']!r}{nearest(one['input'], _words(context['expected']))}"
        case _:
            return f"{str(one['msg']).removeprefix('Value error, ')}{_found(one)}"


def _found(one: Any) -> str:  # noqa: ANN401 - a TypedDict of anything
    value = one.get("input")
    if not isinstance(value, str | int | float | bool) or str(value) in one["msg"]:
        return ""
    shown = _CREDENTIALS.sub("…", json.dumps(value, default=str, ensure_ascii=False))
    return f" (found {shown[:80]})"


def _words(listed: str) -> list[str]:
    return _QUOTED.findall(listed)


def _has(here: Any, part: int | str) -> bool:  # noqa: ANN401 - YAML is anything
    if isinstance(part, int):
        return isinstance(here, list) and part < len(here)
    return isinstance(here, dict) and part in here


class _Schema:
    """The JSON schema of the settings, walked along a location."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._whole = model.model_json_schema()

    def keys(self, location: Location) -> set[str]:
        """Keys that may stand at this place."""
        return {key for node in self._at(location) for key in node.get("properties", {})}

    def tags(self, location: Location, key: str) -> set[str]:
        """Values of a key that tells the members of a union apart."""
        return {
            tag for node in self._at(location) for tag in _constants(node.get("properties", {}).get(key, {}))
        }

    def _at(self, location: Location) -> list[dict[str, Any]]:
        nodes = [self._whole]
        for part in location:
            below = [found for node in nodes for found in self._below(node, part)]
            # What is no key is the name of a union's member, which stays at the same place.
            nodes = below or [node for node in nodes if part in _tagged(node)] or nodes
        return nodes

    def _below(self, node: dict[str, Any], part: int | str) -> list[dict[str, Any]]:
        if isinstance(part, int):
            return self._resolved(node.get("items", {}))
        properties = node.get("properties", {})
        return self._resolved(properties[part]) if part in properties else []

    def _resolved(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        if "$ref" in node:
            return self._resolved(self._whole["$defs"][node["$ref"].rsplit("/", 1)[1]])
        choices = node.get("anyOf") or node.get("oneOf")
        return [found for choice in choices for found in self._resolved(choice)] if choices else [node]


def _tagged(node: dict[str, Any]) -> set[str]:
    return {tag for one in node.get("properties", {}).values() for tag in _constants(one)}


def _constants(node: dict[str, Any]) -> set[str]:
    return {str(tag) for tag in [node.get("const"), *node.get("enum", [])] if tag}
