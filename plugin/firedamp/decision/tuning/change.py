"""
What may be tuned of a service, and a change of it: the body of an override.

Tuned is what decides how strict a judgement is: of a check its tolerance, its tier and its part of alpha; of
the window when it is judged; alpha itself. What is fetched is not (that would be another check), and neither
is the length of a block, in which the evidence is kept. A change says only what is other; units and names are
those of the settings.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, field_validator

from firedamp.checks import BaseCheck
from firedamp.decision.parameters import Parameters, Window
from firedamp.errors import UnsuitedError
from firedamp.model import Tier
from firedamp.units import Delay, Excess, Seconds, Share, Tolerance

_MOST_CHECKS = 500
_MOST_NAMED = 20
_Name = Annotated[str, Field(min_length=1, max_length=63)]
_Limit = Annotated[float, Field(allow_inf_nan=False)]
_Data = dict[str, object]
_Model = TypeVar("_Model", bound=BaseModel)
CheckT = TypeVar("CheckT", bound=BaseCheck)
ParametersT = TypeVar("ParametersT", bound=Parameters)


def _written(most: float, percents: str, *, least: str = "exclusiveMinimum") -> WithJsonSchema:
    """A share as the API's document promises to take it: a little less than it takes."""
    number = {"type": "number", least: 0, "maximum": most}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": f"^(?:{percents})%$"}]})


def _lasting(most: float) -> WithJsonSchema:
    number = {"type": "number", "exclusiveMinimum": 0, "maximum": most}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": "^[1-9][0-9]{0,2}[sm]$"}]})


_Share = Annotated[Share, _written(0.99, "[1-9][0-9]?")]
_Excess = Annotated[Excess, _written(0.99, "[0-9]|[1-9][0-9]", least="minimum")]
_Tolerance = Annotated[Tolerance, _written(100, "[0-9]|[1-9][0-9]{1,2}", least="minimum")]
_Seconds = Annotated[Seconds, _lasting(30 * 86400)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def given(self) -> _Data:
        """What is said, as plain data; what is left out stays as it is."""
        return self.model_dump(mode="json", exclude_none=True)


class CheckChange(_Part):
    """What is other of one check; not every kind has all of it."""

    #: Largest difference that is no harm: of odds, of durations, of growth.
    tolerance: _Tolerance | None = None
    #: The same for a level, upwards or downwards.
    max_increase: _Tolerance | None = None
    max_decrease: _Share | None = None
    #: Limits of a threshold.
    max: _Limit | None = None
    min: _Limit | None = None
    #: Smallest absolute rise that can be harm.
    min_excess: _Excess | None = None
    #: Pass when a rise to this multiple is excluded ...
    pass_ratio: Annotated[float, Field(gt=1, le=100)] | None = None
    #: ... or a rise by this much.
    pass_excess: _Share | None = None
    tier: Annotated[Tier, Field(strict=False)] | None = None
    #: Its part of the tier's alpha, relative to the other checks.
    weight: Annotated[float, Field(gt=0, le=100)] | None = None

    def applied(self, check: CheckT) -> CheckT:
        """
        The check with this change; the same one where nothing is other.

        Raises:
            UnsuitedError: its kind has no such field, or the values do not go together.
        """
        given = self.given()
        if not given:
            return check
        allowed = tunable(check)
        wrong = next((field for field in given if field not in allowed), None)
        if wrong is not None:
            raise UnsuitedError(
                f"{wrong} of check {check.name!r} is {given[wrong]!r}: this check, of kind {check.kind}, "
                f"has {', '.join(allowed)} to tune; leave {wrong} out"
            )
        return _valid(type(check), check, given, f"check {check.name!r}")


class WindowChange(_Part):
    """When a release is judged; the length of a block stays, for evidence is kept in blocks."""

    warm_up: Annotated[Delay, Field(le=86400), _lasting(86400)] | None = None
    promote_after: _Seconds | None = None
    decide_by: _Seconds | None = None


class Change(_Part):
    """What is other than in the settings of a service; empty, nothing is."""

    checks: Annotated[dict[_Name, CheckChange], Field(max_length=_MOST_CHECKS)] = Field(default_factory=dict)
    window: WindowChange = WindowChange()
    #: Probability of ever rolling back a healthy release.
    alpha: Annotated[Share, Field(le=0.2), _written(0.2, "[1-9]|1[0-9]")] | None = None
    #: The same for the warn tier.
    alpha_warn: Annotated[Share, Field(le=0.5), _written(0.5, "[1-9]|[1-4][0-9]")] | None = None

    @field_validator("checks")
    @classmethod
    def _said(cls, checks: dict[str, CheckChange]) -> dict[str, CheckChange]:
        return {name: checks[name] for name in sorted(checks) if checks[name].given()}

    @property
    def is_empty(self) -> bool:
        """Nothing is other."""
        return not (self.checks or self.window.given() or self.own())

    def own(self) -> _Data:
        """What is other of the whole: alpha of both tiers."""
        return {name: value for name in ALPHAS if (value := getattr(self, name)) is not None}

    def applied(self, parameters: ParametersT) -> ParametersT:
        """
        The parameters with this change; the same ones where it is empty.

        Raises:
            UnsuitedError: there is no such check or field, or the values do not go together.
        """
        if self.is_empty:
            return parameters
        _refuse_unknown(self.checks, parameters.checks)
        blank = CheckChange()
        checks = tuple(self.checks.get(check.name, blank).applied(check) for check in parameters.checks)
        window = _valid(Window, parameters.window, self.window.given(), "window")
        return parameters.model_copy(update={"checks": checks, "window": window, **self.own()})


#: Of the whole.
ALPHAS = ("alpha", "alpha_warn")


def tunable(check: BaseCheck) -> dict[str, float | Tier]:
    """What may be tuned of a check, with its present values."""
    known = type(check).model_fields
    values = {name: getattr(check, name) for name in CheckChange.model_fields if name in known}
    return {name: value for name, value in values.items() if value is not None}


def between(old: Parameters, new: Parameters) -> Change:
    """The change that makes of the old parameters the new ones, as far as they can be tuned."""
    before = {check.name: tunable(check) for check in old.checks}
    return Change.model_validate(
        {
            "checks": {
                check.name: _other(before[check.name], tunable(check))
                for check in new.checks
                if check.name in before
            },
            "window": _other_window(old, new),
            **_other(_alphas(old), _alphas(new)),
        }
    )


def _other_window(old: Parameters, new: Parameters) -> _Data:
    other = _other(in_window(old), in_window(new))
    # A change cannot say "none", only when that is.
    return other | ({"decide_by": new.window.deadline_seconds} if "decide_by" in other else {})


def in_window(parameters: Parameters) -> dict[str, float | None]:
    """What may be tuned of the window, with its present values."""
    return {name: getattr(parameters.window, name) for name in WindowChange.model_fields}


def _alphas(parameters: Parameters) -> _Data:
    return {name: getattr(parameters, name) for name in ALPHAS}


def _other(before: Mapping[str, object], after: Mapping[str, object]) -> _Data:
    return {name: value for name, value in after.items() if before.get(name) != value}


def to_json(change: Change) -> str:
    """Canonical JSON: the same change gives the same bytes."""
    return json.dumps(said(change), sort_keys=True, separators=(",", ":"), allow_nan=False)


def said(change: Change) -> _Data:
    """A change as plain data, without what it leaves as it is."""
    checks = {name: other.given() for name, other in change.checks.items()}
    parts = {"checks": checks, "window": change.window.given()}
    return {**{name: part for name, part in parts.items() if part}, **change.own()}


def from_json(text: str) -> Change:
    """
    Read back what `to_json` wrote.

    Raises:
        ValueError: it was written by an incompatible version.
    """
    return Change.model_validate_json(text)


def _refuse_unknown(named: Iterable[str], checks: Sequence[BaseCheck]) -> None:
    known = [check.name for check in checks]
    wrong = next((name for name in named if name not in known), None)
    if wrong is not None:
        more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
        told = f"known are {', '.join(known[:_MOST_NAMED])}{more}" if known else "the settings have none"
        raise UnsuitedError(f"there is no check {wrong!r}: {told}; name one of them")


def _valid(kind: type[_Model], old: BaseModel, given: _Data, where: str) -> _Model:
    data = {**old.model_dump(mode="json"), **given}
    try:
        return kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        faults = [str(one["msg"]).removeprefix("Value error, ") for one in error.errors(include_url=False)]
        raise UnsuitedError(f"{where} does not allow this: {'; '.join(dict.fromkeys(faults))}") from error
