"""
Values that may be tuned, as fields of a form and back.

What stands in a field is what may be typed there: "25%", "10m", "2". A field that is left as it was drawn
keeps its value to the last digit; an empty one goes back to the settings.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from firedamp.checks import BaseCheck
from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change, CheckChange, WindowChange

CHECK_FIELDS = tuple(CheckChange.model_fields)
WINDOW_FIELDS = tuple(WindowChange.model_fields)
ALPHAS = tuning.ALPHAS
FIELDS = (*CHECK_FIELDS, *WINDOW_FIELDS, *ALPHAS)
_HOURS, _MINUTES = 3600, 60
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Values:
    """All that one form can tune of a service: of a check (None where there is none), and of the whole."""

    check: BaseCheck | None
    named: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: Parameters, name: str) -> "Values":
        """Those of a check and of the whole."""
        check = next((one for one in parameters.checks if one.name == name), None)
        own = tuning.tunable(check) if check else {}
        alphas = {one: getattr(parameters, one) for one in ALPHAS}
        return cls(check, {**own, **tuning.in_window(parameters), **alphas})

    def text(self, name: str) -> str:
        """A value as it stands in its field; "" for none."""
        return typed(name, self.named.get(name))


class WrongError(Exception):
    """Fields whose text is no value, each with its fault."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = faults


def typed(name: str, value: object) -> str:
    """A value as people type it."""
    if value is None:
        return ""
    if not isinstance(value, float | int):
        return str(value)
    if name in tuning.SHARES:
        return f"{100 * value:.10g}%"
    return _lasting(value) if name in tuning.DURATIONS else f"{value:.10g}"


def _lasting(seconds: float) -> str:
    if seconds != int(seconds) or seconds < _MINUTES:
        return f"{seconds:.10g}s"
    hours, rest = divmod(int(seconds), _HOURS)
    minutes, rest = divmod(rest, _MINUTES)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def change(draft: Change, written: Parameters, name: str, fields: Mapping[str, str]) -> Change:
    """
    The change of the settings that a form asks for.

    Args:
        draft: what was to be other before the form was filled in.
        written: the settings.
        name: of the check in the form.
        fields: what was typed, by field; a field that was not in the form is left as in the draft.

    Raises:
        WrongError: some of it is no value.
        UnsuitedError: the values do not go together, or not with the settings.
    """
    drawn = Values.of(draft.applied(written), name)
    said = tuning.said(draft)
    checks, window = _parts(said.get("checks")), dict(_part(said.get("window")))
    own = dict(_part(checks.get(name)))
    whole = {one: said[one] for one in ALPHAS if one in said}
    faults: dict[str, str] = {}
    for one, text in fields.items():
        part = own if one in CHECK_FIELDS else window if one in WINDOW_FIELDS else whole
        if text.strip() == drawn.text(one):
            continue
        part.pop(one, None)
        if text.strip():
            part[one] = _read(one, text.strip(), faults)
    asked = {"checks": {**checks, **({name: own} if name else {})}, "window": window, **whole}
    found = _valid(asked, faults)
    return tuning.between(written, found.applied(written))


def _parts(value: object) -> dict[str, object]:
    return dict(_part(value))


def _part(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _read(name: str, text: str, faults: dict[str, str]) -> object:
    """Numbers are told from texts here; shares and durations are read as in the settings."""
    if len(text) > _LONGEST:
        faults[name] = f"it has {len(text)} characters, {_LONGEST} are allowed; shorten it"
    if name in tuning.SHARES or name in tuning.DURATIONS or name == "tier":
        return text
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if math.isfinite(found):
        return found
    faults[name] = f"{text[:_LONGEST]!r} is no number; write it like 2 or 0.5"
    return None


def _valid(asked: Mapping[str, object], faults: dict[str, str]) -> Change:
    try:
        found = Change.model_validate(asked)
    except ValidationError as error:
        faults |= {name: fault for name, fault in _faults(error) if name not in faults}
        raise WrongError(faults) from error
    if faults:
        raise WrongError(faults)
    return found


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    for one in error.errors(include_url=False):
        name, text = str(one["loc"][-1]), str(one["msg"]).removeprefix("Value error, ")
        bound = next((kind for kind in _BOUNDS if kind in one.get("ctx", {})), None)
        if bound is not None:
            text = _beyond(name, one["input"], bound, one["ctx"][bound])
        elif one["type"] == "enum":
            text = "it is none of these; choose one"
        yield name, text


_BOUNDS = {
    "gt": "too little: only more than {} is allowed; write more",
    "ge": "too little: at least {} is allowed; write more",
    "lt": "too much: only less than {} is allowed; write less",
    "le": "too much: at most {} is allowed; write less",
}


def _beyond(name: str, value: object, bound: str, limit: object) -> str:
    """What was typed, what is allowed, and what to do."""
    typed = value if isinstance(value, str) else tuning.shown(name, value)
    return f"{typed!r} is {_BOUNDS[bound].format(tuning.shown(name, limit))}"
