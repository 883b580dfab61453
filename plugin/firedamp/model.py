"""
The values that travel through firedamp: questions come down, findings and verdicts go up.

Everything here is frozen and knows nothing of HTTP, SQL or Prometheus. Instants are Unix
seconds (float, UTC); shares are fractions in [0, 1]; baseline stands before canary everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Arm(StrEnum):
    """A group of pods. Canary is compared with baseline where there is one, else with main."""

    BASELINE = "baseline"  # old version, started together with the canary
    MAIN = "main"  # old version, the rest of production
    CANARY = "canary"  # new version


class Question(StrEnum):
    """What a caller wants to know; the same evidence answers all three."""

    GUARD = "guard"  # may the release go on as it is?
    ADVANCE = "advance"  # may the canary get more traffic?
    PROMOTE = "promote"  # may the canary replace the rest?


class Outcome(StrEnum):
    """A three-valued answer. Inconclusive always says what is missing."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Tier(StrEnum):
    """What a failing check does: critical rolls back, warn asks a person, debug only records."""

    CRITICAL = "critical"
    WARN = "warn"
    DEBUG = "debug"


class Mode(StrEnum):
    """How much firedamp's word counts for a service."""

    JUDGE = "judge"
    SHADOW = "shadow"  # judged and recorded, never blocks
    HOLD = "hold"  # advance and promote stay undecided; fail still fails
    OFF = "off"  # stands aside


class Controller(StrEnum):
    """Who moves the traffic and asks."""

    ARGO = "argo"
    FLAGGER = "flagger"
    CI = "ci"
    API = "api"


class Resort(StrEnum):
    """What a policy makes of "cannot tell"."""

    HOLD = "hold"
    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - a policy, not a password


class Situation(StrEnum):
    """Why a release stays undecided for good; each has its own policy per service."""

    WINDOW_OVER = "window_over"
    NO_TRAFFIC = "no_traffic"
    NO_DATA = "no_data"
    SOURCE_DOWN = "source_down"


class TroubleKind(StrEnum):
    """What can be wrong with the data of a check in one block."""

    SOURCE_DOWN = "source_down"
    REFUSED = "refused"
    PARTIAL = "partial"  # the source warned that its answer is not whole
    NO_SERIES = "no_series"
    GAP = "gap"  # fewer samples than the scrape interval promises
    RESET = "reset"
    TOO_LARGE = "too_large"
    NO_POD_LABEL = "no_pod_label"


@dataclass(frozen=True, slots=True)
class Ask:
    """
    One question as the judge understands it.

    Attributes:
        revision: what the controller calls the new version; None asks about the latest attempt.
        arms: the caller's names of the cohorts (pod-template hashes, versions, workloads),
            by placeholder: "canary", "baseline", "main".
        weight: expected share of the canary's traffic in [0, 1]; None when not known.
        step: the controller's name of the current traffic step; None when it has none.
        experiment: the comparison runs in an Argo experiment with its own baseline pods.
    """

    namespace: str
    service: str
    question: Question
    controller: Controller
    revision: str | None = None
    arms: Mapping[str, str] = field(default_factory=dict)
    weight: float | None = None
    step: str | None = None
    experiment: bool = False
    opens: bool = True  # may this question open a release? (a rollback hook may, promql may not)


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """Identity of a release: one canary run of one service."""

    namespace: str
    service: str
    revision: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}@{self.revision}#{self.attempt}"


@dataclass(frozen=True, slots=True)
class Block:
    """Evidence is taken in fixed blocks (start, end] of Unix seconds, numbered from 0."""

    index: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with the data of one check in one block, in words for a person."""

    kind: TroubleKind
    text: str
    arm: Arm | None = None


#: Numbers of one pod in one block; each check kind says what its columns mean.
Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """
    What one block brought for one check.

    Attributes:
        rows: arm -> pod -> numbers, new in this block (counters as increases, levels as they are).
        bounds: upper bucket bounds of a histogram, ascending, the last one inf; else empty.
        troubles: what was wrong with the data.
    """

    rows: Mapping[Arm, Mapping[str, Row]] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    All that one block brought: a slice per check, by the check's name.

    Attributes:
        weight: the canary's expected share in this block, as the controller told; None unknown.
        step: number of the traffic step this block lies in, counted from 0.
    """

    block: Block
    slices: Mapping[str, Slice]
    weight: float | None = None
    step: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What one check says at one look.

    Attributes:
        outcome: FAIL when harm is proven, PASS when harm is excluded, else INCONCLUSIVE.
        sentence: one sentence a tired engineer understands.
        against: the comparison arm; None for an absolute limit.
        baseline, canary: the two values compared, in `unit`.
        baseline_n, canary_n: requests (or samples) behind them.
        effect: canary over baseline (odds ratio, scale factor or ratio), with its interval.
        tolerance: largest effect that is no harm, in the effect's own terms.
        p_value: of the test that decides, valid over all looks so far where the check promises
            so; 1 - nothing seen.
        alpha: what that p-value is compared with over the whole release.
        one_look_p: the plain one-look Fisher or Mann-Whitney p-value, for display only.
        needs: canary requests still missing for a pass; None when unknown or nothing missing.
        detectable: smallest canary/baseline ratio that would have been seen with 80 %.
        set_aside: why the check cannot be judged; None when it can.
        situation: the kind of trouble behind set_aside, for the service's policy.
    """

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
    interval: tuple[float, float] | None = None
    tolerance: float | None = None
    p_value: float | None = None
    alpha: float | None = None
    one_look_p: float | None = None
    needs: int | None = None
    detectable: float | None = None
    set_aside: str | None = None
    situation: Situation | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """
    A release as stored.

    Attributes:
        started: Unix time at which block 0 begins.
        parameters: the service's settings as judged, as canonical JSON; replay reads them back.
        step, step_label, step_since: current traffic step: number, the controller's name, Unix time.
        advanced_block: the block in which this step's advance question was passed; None before.
        weight: canary's expected share in [0, 1], as last told; None unknown.
        ask_gap: usual distance of its questions in seconds, 0 before the second one.
        ended, outcome: when and how it ended, in the words of whoever reported it.
        verdict, sentence: of the last look, for lists.
    """

    id: int
    key: ReleaseKey
    controller: Controller
    started: float
    arms: Mapping[str, str]
    experiment: bool
    parameters: str
    version: str
    last_asked: float
    ask_gap: float = 0.0
    step: int = 0
    step_label: str | None = None
    step_since: float = 0.0
    advanced_block: int | None = None
    weight: float | None = None
    ended: float | None = None
    outcome: str | None = None
    verdict: Outcome = Outcome.INCONCLUSIVE
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """
    Where a release stands after a look; with the findings, all that any question needs.

    Attributes:
        failed_block: block at which harm was proven; None while it is not.
        passed_block: block at which the pass rule held; None while it has not.
        judged: how often the pass rule was judged so far (at most three times).
        detectable: smallest rise of the worst critical check that would have been seen with 80 %.
        harm: the sentence of the check that failed, at the look at which it failed.
        elapsed_seconds: time since the release's start, outages of the source left out.
    """

    failed_block: int | None = None
    passed_block: int | None = None
    judged: int = 0
    detectable: float | None = None
    harm: str = ""
    elapsed_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """One judgement of one release at the end of one block, with the evidence it took in."""

    evidence: Evidence
    findings: tuple[Finding, ...]
    standing: Standing
    version: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The answer to one question.

    Attributes:
        sentence: one sentence why, without the leading verdict and without the permalink.
        findings: failing first, then waiting, then passing.
        release: None where no release is known (unknown service, empty hashes).
        release_id: its number in the store; a permalink is /releases/{release_id}.
        block: the last evidence block behind it; None before the first one is over.
        expected: Unix time at which a decision is expected; None when unknown.
        mode: how the service is judged; contracts render shadow, hold and off.
        recorded: what was found where the mode changed the answer; equal to outcome otherwise.
        rollback: harm is proven, or a person ordered it: a rollback hook may say yes.
    """

    outcome: Outcome
    question: Question
    sentence: str
    at: float
    findings: tuple[Finding, ...] = ()
    release: ReleaseKey | None = None
    release_id: int | None = None
    block: int | None = None
    expected: float | None = None
    mode: Mode = Mode.JUDGE
    recorded: Outcome | None = None
    rollback: bool = False
