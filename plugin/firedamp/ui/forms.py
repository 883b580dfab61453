"""
Posted forms, strictly read: a form is understood wholly, or comes back as it was typed with its faults.

By the time a form is read here, the door has held it to a page of ours: method, other sites, role of the
reader, and the seal that `parts.csrf` puts into it. What is left is what stands in its fields. A form's model
derives from `Form` and takes its fields from the types below, each with its limits.

    try:
        order = await forms.read(request, Order)
    except forms.MistakenError as mistake:
        return page("order.html", wording.order(shell, forms.entries(Order, mistake)), status=mistake.status)
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from firedamp.errors import AskError
from firedamp.units import seconds, share

Model = TypeVar("Model", bound="Form")

#: The field with the page's seal, which the door has looked at.
SEAL = "csrf"
#: Longest text of one field that is given back to whoever typed it.
LONGEST = 2000
_KIND = "application/x-www-form-urlencoded"
_MOST_FIELDS = 64
_LONGEST_NAME, _LONGEST_NOTE = 253, 500
_LONGEST_SECONDS = 30 * 86400.0
#: What Kubernetes calls things.
NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
_SHOWN_CHARACTERS = 60


class Form(BaseModel):
    """Base of what a page's form sends."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"write it as in Kubernetes: 1 to {_LONGEST_NAME} of A-Z a-z 0-9 . _ -")
    return text


def _line(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(f"it has {len(text)} characters, {longest} are allowed; shorten it")
    if not text.isprintable():
        raise ValueError("only printable characters on one line are allowed; leave the others out")
    return text


def _label(text: str) -> str:
    return _line(text, _LONGEST_NAME)


def _note(text: str) -> str:
    return _line(text.strip(), _LONGEST_NOTE)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("say in a few words why; it stands in the audit trail")
    return _note(text)


def _duration(text: object) -> float:
    try:
        found = seconds(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is no duration; write it like 30m, 8h or 1d") from None
    if not 0 < found <= _LONGEST_SECONDS:
        raise ValueError(
            f"it is {shown(text)}: more than 0 s and at most 30 days are allowed; write it like 30m or 8h"
        )
    return found


def _share(text: object) -> float:
    try:
        return share(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is no share; write it like 20% or 0.2") from None


def _whole(text: object) -> int:
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 15:
        return int(text)
    raise ValueError(f"it is {shown(text)}: a whole number is expected; write it like 50")


def _ticked(text: object) -> bool:
    if text in ("yes", "on"):
        return True
    if text in ("no", ""):
        return False
    raise ValueError("yes or no is expected; choose one")


#: Services and namespaces.
Name = Annotated[str, AfterValidator(_name)]
#: Revisions, checks, hashes: opaque, possibly empty.
Label = Annotated[str, AfterValidator(_label)]
#: A few words for the audit trail, possibly none.
Note = Annotated[str, AfterValidator(_note)]
#: The same, and not none.
Said = Annotated[str, AfterValidator(_said)]
#: "30m", in seconds.
Duration = Annotated[float, BeforeValidator(_duration)]
#: "20%", as a fraction.
Share = Annotated[float, BeforeValidator(_share)]
Whole = Annotated[int, BeforeValidator(_whole)]
#: A box to tick, or yes and no.
Ticked = Annotated[bool, BeforeValidator(_ticked)]


class MistakenError(AskError):
    """
    A form with faults: it is shown again, with what was typed.

    Attributes:
        typed: what stood in the fields.
        faults: what is wrong, by field.
    """

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, typed: Mapping[str, str], faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.typed = typed
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Entry:
    """A field as it is drawn: what stands in it, and what is wrong with that."""

    name: str
    value: str = ""
    fault: str = ""


async def read(request: web.Request, form: type[Model]) -> Model:
    """
    The form that was posted.

    Raises:
        MistakenError: some fields are not what they should be.
        AskError: it is no form of ours at all.
    """
    typed = await _fields(request)
    typed.pop(SEAL, None)
    if strange := typed.keys() - form.model_fields.keys():
        known = ", ".join(form.model_fields)
        raise AskError(f"field {shown(min(strange))} is unknown: allowed are {known}; load the page again")
    try:
        return form.model_validate(typed)
    except ValidationError as error:
        kept = {name: text[:LONGEST] for name, text in typed.items()}
        raise MistakenError(kept, _faults(error)) from error


def entries(form: type[Form], mistake: MistakenError | None = None, **values: str) -> Mapping[str, Entry]:
    """The fields of a form to be drawn: as they were typed with their faults, else with these values."""
    typed = mistake.typed if mistake else values
    faults = mistake.faults if mistake else {}
    return {name: Entry(name, typed.get(name, ""), faults.get(name, "")) for name in form.model_fields}


def shown(value: object) -> str:
    """What somebody typed as it may stand in a sentence: escaped and short."""
    text = str(value)
    return json.dumps(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...")


async def _fields(request: web.Request) -> dict[str, str]:
    if request.content_type != _KIND:
        raise AskError(
            f"Content-Type is {shown(request.headers.get('Content-Type', ''))}: only {_KIND} is read; "
            "send the page's own form"
        )
    try:
        text = (await request.read()).decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise AskError(
            f"the form is no UTF-8, or has more than {_MOST_FIELDS} fields; send the page's own form"
        ) from error
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AskError(f"field {shown(twice)} is given twice: once is allowed; load the page again")
    return found


def _faults(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in error.errors(include_url=False):
        found.setdefault(str(one["loc"][0]) if one["loc"] else "", _fault(one))
    return found


def _fault(one: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is a TypedDict of anything
    match one["type"]:
        case "missing":
            return "it is missing; fill it in"
        case "literal_error" | "enum":
            return f"{shown(one['input'])} is none of these; choose one"
        case "value_error":
            return str(one["msg"]).removeprefix("Value error, ")
        case _:
            # Pydantic's own words: "Input should be less than 1".
            return f"{str(one['msg']).removeprefix('Input should be ')} is expected"
