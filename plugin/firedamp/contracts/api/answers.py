"""What the API answers; what is not known is left out."""

from pydantic import BaseModel, ConfigDict

from firedamp.contracts.api.said import LabelAnswer, RulingAnswer
from firedamp.model import (
    Arm,
    Controller,
    Judged,
    Mode,
    Outcome,
    Question,
    Situation,
    Tier,
    TroubleKind,
)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ErrorAnswer(_Answer):
    """Why a request is refused: value, limit and remedy in one sentence."""

    error: str


class CheckAnswer(_Answer):
    """What one check says: the values compared, how sure that is, and what is missing."""

    check: str
    kind: str
    tier: Tier
    outcome: Outcome
    sentence: str
    against: Arm | None = None
    unit: str = ""
    baseline: float | None = None
    canary: float | None = None
    baseline_n: float = 0.0
    canary_n: float = 0.0
    effect: float | None = None
    interval: tuple[float | None, float | None] | None = None
    tolerance: float | None = None
    p_value: float | None = None
    alpha: float | None = None
    one_look_p: float | None = None
    needs: int | None = None
    detectable: float | None = None
    set_aside: str | None = None
    situation: Situation | None = None
    #: Ids of failing traces of the canary, where a flow is judged.
    traces: tuple[str, ...] = ()


class ReleaseName(_Answer):
    """Which release a verdict is about."""

    id: int | None = None
    namespace: str
    service: str
    revision: str
    attempt: int


class VerdictAnswer(_Answer):
    """A verdict, in the same words for every caller."""

    verdict: Outcome
    summary: str
    question: Question
    mode: Mode
    recorded: Outcome
    rollback: bool
    at: float
    release: ReleaseName | None = None
    block: int | None = None
    expected: float | None = None
    checks: list[CheckAnswer]
    link: str


class ReleaseAnswer(_Answer):
    """A release as lists show it; `label` is what people said afterwards of the verdict."""

    id: int
    namespace: str
    service: str
    revision: str
    attempt: int
    controller: Controller
    arms: dict[str, str]
    experiment: bool
    started: float
    last_asked: float
    step: int
    step_label: str | None = None
    weight: float | None = None
    ended: float | None = None
    outcome: str | None = None
    verdict: Outcome
    sentence: str
    version: str
    link: str
    label: Judged | None = None


class LookPoint(_Answer):
    """One look in the timeline: the verdict so far and the p-value of every check."""

    block: int
    start: float
    end: float
    verdict: Outcome
    p_values: dict[str, float]


class StepAnswer(_Answer):
    """From `at` on the canary's traffic was this."""

    at: float
    step: int
    weight: float | None = None


class DoubtAnswer(_Answer):
    """
    Something wrong with the data of these checks, in so many looks from the first to the last.

    `now` are those that the newest look has too; for a `grave` one checks were not judged at it.
    """

    kind: str
    text: str
    checks: tuple[str, ...]
    blocks: int
    first: int
    last: int
    now: bool
    grave: bool


class AheadAnswer(_Answer):
    """What a release waits for: Unix times, left out where nothing is; `fraction` of its window is over."""

    warm_from: float | None = None
    judged_at: float | None = None
    ends_at: float | None = None
    fraction: float


class ReleaseDetail(ReleaseAnswer):
    """
    A release with what a look found, how it came to it, and what is wrong with the data.

    `timeline` are the looks around the one that is shown, `look`; more are at `/looks`.
    """

    look: int | None = None
    checks: list[CheckAnswer]
    timeline: list[LookPoint]
    steps: list[StepAnswer] = []
    doubts: list[DoubtAnswer] = []
    ahead: AheadAnswer | None = None
    rulings: list[RulingAnswer] = []
    labelled: LabelAnswer | None = None
    #: What happened to it, newest first.
    events: list["EventAnswer"] = []


class ReleasePage(_Answer):
    """A page of releases; ask again with `before=next`."""

    releases: list[ReleaseAnswer]
    next: int | None = None
    #: Why the newest looks of running releases could not read their sources; empty where all answer.
    troubles: list[str] = []


class TroubleAnswer(_Answer):
    """What was wrong with the data of a check in one block."""

    kind: TroubleKind
    text: str
    arm: Arm | None = None


class EvidenceSum(_Answer):
    """
    What one block brought for one check: numbers summed over the pods of each arm.

    `unlabelled` are requests that carry no version label and so are in no arm.
    """

    check: str
    pods: dict[str, int]
    sums: dict[str, list[float | None]]
    bounds: list[float | None] = []
    troubles: list[TroubleAnswer] = []
    unlabelled: float | None = 0.0


class LookAnswer(LookPoint):
    """One look with the evidence that it took in."""

    step: int
    weight: float | None = None
    version: str
    evidence: list[EvidenceSum]
    checks: list[CheckAnswer]
    #: What people said of this look.
    rulings: list[RulingAnswer] = []


class LookPage(_Answer):
    """A page of looks; ask again with `after=next`."""

    looks: list[LookAnswer]
    next: int | None = None


class OutcomeAnswer(_Answer):
    """The release whose end was recorded."""

    release: ReleaseAnswer


class CheckSetting(_Answer):
    """A check as configured."""

    name: str
    kind: str
    tier: Tier


class ServiceAnswer(_Answer):
    """A service as configured."""

    name: str
    namespace: str
    mode: Mode
    source: str | None = None
    promote_after: float
    decide_by: float
    checks: list[CheckSetting]


class GateAnswer(_Answer):
    """A person's switch."""

    namespace: str
    service: str
    hook: str
    revision: str
    open: bool
    expires: float
    by: str
    at: float
    note: str


class GateList(_Answer):
    """Switches that have not run out, open ones first; with `more` there are more than these."""

    gates: list[GateAnswer]
    more: bool


class EventAnswer(_Answer):
    """One line of the audit trail."""

    at: float
    kind: str
    namespace: str
    service: str
    revision: str
    by: str
    text: str
    data: dict[str, str]
