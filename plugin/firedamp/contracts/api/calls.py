"""What callers of the API may send, each field with its limits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from firedamp.contracts._wire import Label, Name
from firedamp.model import Arm
from firedamp.ports import GatedHook
from firedamp.units import seconds

_LONGEST_SECONDS = 30 * 86400.0
_LONGEST_NOTE = 500
_MOST_ID = 2**53 - 1


def _whole(text: object) -> object:
    """A whole number out of a query, where everything is text."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 16:
        return int(text)
    raise ValueError("a whole number without sign is expected; write it like 50")


def _duration(text: object) -> float:
    found = seconds(text)
    if not 0 < found <= _LONGEST_SECONDS:
        raise ValueError("more than 0 s and at most 30 days are allowed; write it like 30m")
    return found


def _moment(text: object) -> float:
    try:
        moment = datetime.fromisoformat(str(text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("a time is expected; write it like 2026-11-22T03:00:00Z") from None


def _sentence(text: str) -> str:
    if len(text) > _LONGEST_NOTE or not text.isprintable():
        raise ValueError(f"at most {_LONGEST_NOTE} printable characters on one line are allowed; shorten it")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError('it is empty; say how the release ended, like "promoted" or "rolled back"')
    return _sentence(text)


def _text(pattern: str, **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


def _integer(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": least, "maximum": most})


# The document promises a little less than is taken: printable letters of other scripts pass as well.
ApiName = Annotated[Name, _text(r"^[A-Za-z0-9._-]{1,253}$")]
ApiLabel = Annotated[Label, _text(r"^[ -~]{0,253}$")]
Note = Annotated[str, AfterValidator(_sentence), _text(r"^[ -~]{0,500}$")]
Said = Annotated[str, AfterValidator(_said), _text(r"^[!-~][ -~]{0,499}$")]
Duration = Annotated[
    float,
    BeforeValidator(_duration),
    _text(r"^([1-9][0-9]{0,2}[sm]|[1-9][0-9]?h([1-9][0-9]?m)?|([1-9]|[12][0-9]|30)d)$", examples=["1h30m"]),
]
Moment = Annotated[
    float,
    BeforeValidator(_moment),
    _text(r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"),
]
Page = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=500), _integer(1, 500)]
Id = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=_MOST_ID), _integer(0, _MOST_ID)]
Hook = Literal[GatedHook, "rollback"]


class _Call(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Arms(_Call):
    """What the cohorts are called in the metrics: pod-template hashes, versions, workloads."""

    canary: ApiLabel = ""
    baseline: ApiLabel = ""
    main: ApiLabel = ""

    def named(self) -> Mapping[str, str]:
        """The cohorts that were given."""
        return {arm.value: value for arm in Arm if (value := getattr(self, arm.value))}


class JudgeCall(_Call):
    """One question about one release; without a revision, about the latest one."""

    service: ApiName
    namespace: ApiName = "default"
    question: Literal["guard", "advance", "promote"] = "promote"
    revision: ApiLabel | None = None
    cohorts: Arms = Arms()
    #: Expected share of the canary's traffic.
    weight: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    step: ApiLabel | None = None
    experiment: bool = False


class ReleasesCall(_Call):
    """A page of releases, newest first; `before` is `next` of the page before, `after` goes back."""

    namespace: ApiName | None = None
    service: ApiName | None = None
    verdict: Literal["pass", "fail", "inconclusive"] | None = None
    controller: Literal["argo", "flagger", "ci", "api"] | None = None
    state: Literal["running", "ended"] | None = None
    label: Literal["true-positive", "false-positive", "true-negative", "false-negative"] | None = None
    #: They enclose the start.
    since: Moment | None = None
    until: Moment | None = None
    before: Id | None = None
    after: Id | None = None
    limit: Page = 50


class LooksCall(_Call):
    """A page of looks, oldest first; `after` is `next` of the page before."""

    after: Id | None = None
    limit: Page = 100


class LookCall(_Call):
    """A release as it was known at this look; at its newest one without."""

    look: Id | None = None


class OutcomeCall(_Call):
    """How a release ended, as a controller or a person tells."""

    service: ApiName
    namespace: ApiName = "default"
    revision: ApiLabel | None = None
    outcome: Said


class NamespaceCall(_Call):
    """Everything, or one namespace of it."""

    namespace: ApiName | None = None


class GatesCall(NamespaceCall):
    """Switches of everything, of one namespace, or of one service."""

    service: ApiName | None = None
    limit: Page = 200


class GateCall(_Call):
    """Open or close a gate; `revision` empty means any, `hook` "*" all but rollback."""

    service: ApiName
    namespace: ApiName = "default"
    hook: Hook
    revision: ApiLabel = ""
    open: bool
    expires: Duration = 1800.0
    note: Note = ""


class HoldCall(_Call):
    """A person's hold (advance and promote wait) or kill switch (firedamp stands aside) for a service."""

    service: ApiName
    namespace: ApiName = "default"
    mode: Literal["hold", "off"] = "hold"
    expires: Duration = 8 * 3600.0
    note: Note = ""


class LiftCall(_Call):
    """Lift a hold or kill switch."""

    service: ApiName
    namespace: ApiName = "default"
    mode: Literal["hold", "off"] = "hold"
