"""
OpenAPI 3.1, written from the pydantic models of the API and its table of routes.

Pydantic emits JSON Schema 2020-12, which is what OpenAPI 3.1 means by a schema, so nothing is translated.
Source: OpenAPI Specification 3.1.1, https://spec.openapis.org/oas/v3.1.1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from firedamp import __version__
from firedamp.contracts.api.answers import ErrorAnswer

BASE = "/api/v1"
_REF = "#/components/schemas/{model}"
#: What a path names.
_IN_PATH = {
    "id": {"type": "integer", "minimum": 1},
    "check": {"type": "string", "minLength": 1, "maxLength": 63},
    "namespace": {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,253}$"},
    "service": {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,253}$"},
}
_REFUSALS = {
    "400": "The question cannot be understood.",
    "401": "There is no valid token.",
    "403": "The token may not ask this.",
    "404": "What is named does not exist.",
    "408": "The body did not arrive in time.",
    "409": "What is there does not allow it, or somebody else was faster.",
    "413": "The body is too large.",
    "415": "The body is no plain JSON.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address: what it takes, what it answers, and which role it needs."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    below: str
    role: str
    answer: type[BaseModel]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    #: Two who change the same at once are told so.
    may_clash: bool = False

    @property
    def path(self) -> str:
        return BASE + self.below

    @property
    def name(self) -> str:
        words = re.sub(r"\{\w+\}", "one", self.below.strip("/")).replace("/", "_")
        return f"{self.method.lower()}_{words}"


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document as plain data."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "firedamp",
            "version": __version__,
            "summary": "Judges canary releases.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    taken = operation.body or operation.query
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": ((taken or operation.answer).__doc__ or "").strip(),
        "description": f"Needs a token whose role includes {operation.role}.",
        "parameters": [*_in_path(operation), *_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in _IN_PATH.items()
        if f"{{{name}}}" in operation.path
    ]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema(ref_template=_REF)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _of_query(one)}
        for name, one in schema["properties"].items()
    ]


def _of_query(schema: dict[str, Any]) -> dict[str, Any]:
    """A query cannot say null: a parameter that may be left out is just not required."""
    choices = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    chosen = choices[0] if len(choices) == 1 else schema
    return {
        key: value for key, value in chosen.items() if key not in ("title", "default") or value is not None
    }


def _responses(operation: Operation) -> dict[str, Any]:
    refusals = {
        status: {"description": text, "content": _content(ErrorAnswer)}
        for status, text in _REFUSALS.items()
        if status != "409" or operation.may_clash
    }
    return {"200": {"description": "The answer.", "content": _content(operation.answer)}, **refusals}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    taken = [operation.body for operation in operations if operation.body is not None]
    given: list[type[BaseModel]] = [ErrorAnswer, *(operation.answer for operation in operations)]
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    models |= {(model, "validation"): None for model in taken}
    models |= {(model, "serialization"): None for model in given}
    _, found = models_json_schema(list(models), ref_template=_REF)
    schemas: dict[str, Any] = found["$defs"]
    return {name: _optional(schema) for name, schema in schemas.items()}


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Answers leave out what is not known, so only what has no default is required."""
    properties = schema.get("properties", {})
    required = [name for name in schema.get("required", []) if "default" not in properties.get(name, {})]
    return {**schema, "required": required} if "required" in schema else schema
