"""
Strict reading: a request is understood wholly or refused with a sentence of value, limit and remedy.

Values of callers stand in those sentences escaped and shortened; secrets never do.
"""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from firedamp.errors import AskError

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

_MAX_NAME = 253
_MAX_METADATA = 8192
_MAX_FIELDS = 64
_SHOWN_CHARACTERS = 60
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")


class RefusedError(AskError):
    """A request refused with a status of its own."""

    def __init__(self, sentence: str, status: int = HTTPStatus.BAD_REQUEST, allow: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.allow = allow


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"1 to {_MAX_NAME} of A-Z a-z 0-9 . _ - are allowed; write the name as in Kubernetes"
        )
    return text


def _label(text: str) -> str:
    if len(text) > _MAX_NAME or not text.isprintable():
        raise ValueError(
            f"at most {_MAX_NAME} printable characters are allowed; pass what the controller calls it"
        )
    return text


def _metadata(text: str) -> str:
    if len(text) > _MAX_METADATA:
        raise ValueError(f"at most {_MAX_METADATA} characters are allowed; shorten the metadata")
    return text


#: Services and namespaces.
Name = Annotated[str, AfterValidator(_name)]
#: Hashes, revisions, steps, phases: opaque, possibly empty.
Label = Annotated[str, AfterValidator(_label)]


class Body(BaseModel):
    """Base of what callers send."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )


class Payload(BaseModel):
    """
    What Flagger sends with every hook (flagger v1.44.0, pkg/apis/flagger/v1beta1/canary.go:464-481).

    Fields we do not know are ignored: Flagger added `checksum` in a minor release, and a refused `rollout`
    hook counts against the canary.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    name: Name
    namespace: Name
    phase: Label = ""
    checksum: Label = ""
    metadata: dict[Label, Annotated[str, AfterValidator(_metadata)]] = Field(default_factory=dict)

    @field_validator("metadata")
    @classmethod
    def _named(cls, metadata: dict[str, str]) -> dict[str, str]:
        try:
            _name(metadata.get("service") or "-")
        except ValueError as error:
            raise RefusedError(f"metadata.service is {shown(metadata['service'])}: {error}") from error
        return metadata

    @property
    def service(self) -> str:
        """The service by its own name where the Canary's name differs from it."""
        return self.metadata.get("service") or self.name


async def body(request: web.Request, limit: int) -> bytes:
    """
    Read a body of at most `limit` bytes.

    Raises:
        RefusedError: it is larger, compressed, or breaks off (the server's clock for bodies says so).
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RefusedError(
            f"Content-Encoding is {shown(request.headers['Content-Encoding'])}: only identity is allowed; "
            "send the body uncompressed",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    data = bytearray()
    try:
        async for chunk in request.content.iter_any():
            data += chunk
            if len(data) > limit:
                raise _too_large(len(data), limit)
    except web.RequestPayloadError as error:
        raise RefusedError(
            f"the body breaks off: {error}; send it whole", HTTPStatus.REQUEST_TIMEOUT
        ) from error
    return bytes(data)


def _too_large(size: int, limit: int) -> RefusedError:
    sentence = f"the body has {size} bytes or more, the limit is {limit}; send the documented fields only"
    return RefusedError(sentence, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def content_type(request: web.Request, expected: str) -> None:
    """
    Hold the caller to a media type in UTF-8; none at all is let through, as Argo's `body` sends none.

    Raises:
        RefusedError: it is another one.
    """
    written = request.headers.get("Content-Type")
    if written is None:
        return
    kind, charset = request.content_type, (request.charset or "utf-8").lower()
    if kind != expected or charset not in ("utf-8", "utf8"):
        raise RefusedError(
            f"Content-Type is {shown(written)}: only {expected} in UTF-8 is read; send that",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )


def method(request: web.Request, *allowed: str) -> None:
    """
    Hold the caller to some methods.

    Raises:
        RefusedError: it is another one.
    """
    if request.method not in allowed:
        raise RefusedError(
            f"method is {shown(request.method)}: allowed here is {' or '.join(allowed)}; use that",
            HTTPStatus.METHOD_NOT_ALLOWED,
            ", ".join(allowed),
        )


def from_json(data: bytes) -> dict[str, Any]:
    """
    Read a JSON object more strictly than `json` does: no repeated key, no NaN, no byte-order mark.

    Raises:
        RefusedError: it is anything else.
    """
    try:
        found = json.loads(utf8(data), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise RefusedError(
            "the body is nested too deep: one object of plain values is allowed; flatten it"
        ) from error
    except ValueError as error:
        raise RefusedError(f"the body is no JSON ({error}): send one JSON object") from error
    if not isinstance(found, dict):
        raise RefusedError(f"the body is {shown(found)}: expected one JSON object; wrap the fields in braces")
    return found


def utf8(data: bytes) -> str:
    """
    Text of a body.

    Raises:
        RefusedError: it is not UTF-8, or begins with a byte-order mark.
    """
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise RefusedError(
            "the body begins with a byte-order mark: plain UTF-8 is expected; leave the mark out"
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _no_utf8("the body", error) from error


def _no_utf8(what: str, error: UnicodeDecodeError) -> RefusedError:
    wrong = shown(hex(error.object[error.start]))
    return RefusedError(f"{what} is no UTF-8 (byte {wrong} at {error.start}): encode it as UTF-8")


def _no_constant(word: str) -> float:
    raise RefusedError(f"the body holds {word}: JSON has finite numbers only; leave it out")


def from_query(text: str) -> dict[str, str]:
    """
    Read `a=b&c=d`, each name once.

    Raises:
        RefusedError: it is repeated, not UTF-8 or too much.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise _no_utf8("a parameter", error) from error
    except ValueError as error:
        raise RefusedError(
            f"the query {shown(text)} has more than {_MAX_FIELDS} parameters: send the documented ones only"
        ) from error
    return _once(pairs)


def _once(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise RefusedError(f"{shown(name)} is given twice: once is allowed; remove one of them")
        found[name] = value
    return found


def read(model: type[Model], data: Mapping[str, object]) -> Model:
    """
    Make a typed value of what a caller sent.

    Raises:
        RefusedError: the first faults, each with value, limit and remedy.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        faults = [_fault(model, one) for one in error.errors(include_url=False)[:3]]
        raise RefusedError("; ".join(faults)) from error


def _fault(model: type[BaseModel], error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is a TypedDict of anything
    where = ".".join(str(part)[:_SHOWN_CHARACTERS] for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            fields = _part(model, error["loc"][:-1]).model_fields
            known = ", ".join(part.alias or name for name, part in fields.items())
            return f"parameter {shown(error['loc'][-1])} is unknown: allowed are {known}; remove or rename it"
        case "missing":
            return f"{where} is missing: it is required; add it"
        case "string_type":
            return f"{where} is {shown(error['input'])}: only JSON strings are allowed; put it in quotes"
        case "value_error":
            wrong = str(error["msg"]).removeprefix("Value error, ")
            return f"{where} is {shown(error['input'])}: {wrong}"
        case _:
            # Pydantic's own words: "Input should be a valid number".
            right = str(error["msg"]).removeprefix("Input should be ")
            return f"{where} is {shown(error['input'])}: {right} is expected; send that"


def _part(model: type[BaseModel], place: Iterable[Any]) -> type[BaseModel]:
    """The innermost model at a place within another one."""
    for name in place:
        field = model.model_fields.get(name)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        model = next((kind for kind in kinds if hasattr(kind, "model_fields")), model)
    return model


def shown(value: object) -> str:
    """A caller's value as it may stand in a sentence: escaped and short, containers by their kind only."""
    match value:
        case str():
            short = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}..."
            return json.dumps(short)
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return json.dumps(value, default=str)[:_SHOWN_CHARACTERS]
