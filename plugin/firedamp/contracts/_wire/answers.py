"""
Strict answers: JSON that every parser reads, or one line of text; never empty.

Released versions of Argo Rollouts call a reply that Go cannot parse *successful* (webmetric.go:132-136,
upstream issue 4535), so a number that is not finite never leaves.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from firedamp import words
from firedamp.contracts._wire.reading import RefusedError
from firedamp.errors import AskError, ForbiddenError, NotFoundError, UnsuitedError
from firedamp.model import Verdict
from firedamp.words import one_line


def json_answer(data: Mapping[str, object], status: int = HTTPStatus.OK, allow: str = "") -> web.Response:
    """Answer strict JSON; what is not finite or not known must have been left out by `plain`."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate has no UTF-8; "?" keeps the answer readable for Go.
    return _answer(text.encode("utf-8", "replace"), "application/json; charset=utf-8", status, allow)


def text_answer(line: str, status: int = HTTPStatus.OK, allow: str = "") -> web.Response:
    """Answer one line of text."""
    return _answer(one_line(line).encode("utf-8", "replace"), "text/plain; charset=utf-8", status, allow)


def _answer(data: bytes, kind: str, status: int, allow: str) -> web.Response:
    headers = {"Content-Type": kind, "Cache-Control": "no-store"} | ({"Allow": allow} if allow else {})
    return web.Response(body=data, status=status, headers=headers)


def status_of(error: AskError) -> int:
    """The 4xx that an error of a question stands for."""
    match error:
        case RefusedError():
            return error.status
        case ForbiddenError():
            return HTTPStatus.FORBIDDEN
        case NotFoundError():
            return HTTPStatus.NOT_FOUND
        case UnsuitedError():
            return HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.BAD_REQUEST


def refused_json(error: AskError) -> web.Response:
    """Say in JSON why a request is refused."""
    return json_answer({"error": one_line(str(error))}, status_of(error), getattr(error, "allow", ""))


def permalink(public_url: object, verdict: Verdict) -> str:
    """Where a person reads on about a verdict."""
    return words.permalink(public_url, verdict.release_id)


def summary(verdict: Verdict, public_url: object) -> str:
    """One line that begins with the verdict and ends with the permalink."""
    return words.linked(f"{verdict.outcome}: {verdict.sentence}", permalink(public_url, verdict))


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is anything
    """A value as JSON: dataclasses by field; what is None or not finite is left out (null in a tuple)."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case tuple() | list():
            return [plain(one) for one in value]
        case _ if is_dataclass(value):
            found = {one.name: plain(getattr(value, one.name)) for one in fields(value)}
            return {name: one for name, one in found.items() if one is not None}
        case _:
            return value
