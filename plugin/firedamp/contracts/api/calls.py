"""What callers of the API may send, each field with its limits."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from firedamp.contracts._wire import Label, Name
from firedamp.model import Arm
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


def _sentence(text: str) -> str:
    if len(text) > _LONGEST_NOTE or not text.isprintable():
        raise ValueError(f"at most {_LONGEST_NOTE} printable characters on one line are allowed; shorten it")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError('it is empty; say how the release ended, like "promoted" or "rolled back"')
    return _sentence(text)


_NAMED = WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,253}$"})
_LABELLED = WithJsonSchema({"type": "string", "maxLength": 253})

ApiName = Annotated[Name, _NAMED]
ApiLabel = Annotated[Label, _LABELLED]
Note = Annotated[
    str, AfterValidator(_sentence), WithJsonSchema({"type": "string", "maxLength": _LONGEST_NOTE})
]
Duration = Annotated[
    float, BeforeValidator(_duration), WithJsonSchema({"type": "string", "examples": ["30m", "1h30m"]})
]
Page = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=500)]
Id = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=_MOST_ID)]
Hook = Literal[
    "*",
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
    "rollback",
]


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
    """A page of releases, newest first; `before` is `next` of the page before."""

    namespace: ApiName | None = None
    service: ApiName | None = None
    before: Id | None = None
    limit: Page = 50


class LooksCall(_Call):
    """A page of looks, oldest first; `after` is `next` of the page before."""

    after: Id | None = None
    limit: Page = 100


class OutcomeCall(_Call):
    """How a release ended, as a controller or a person tells."""

    service: ApiName
    namespace: ApiName = "default"
    revision: ApiLabel | None = None
    outcome: Annotated[
        str,
        AfterValidator(_said),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_NOTE}),
    ]


class NamespaceCall(_Call):
    """Everything, or one namespace of it."""

    namespace: ApiName | None = None


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


class EventsCall(_Call):
    """The audit trail, newest first."""

    namespace: ApiName | None = None
    service: ApiName | None = None
    revision: ApiLabel | None = None
    limit: Page = 200
