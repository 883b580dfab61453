"""
What every check shares: what it is called, what it may spend, and when it is asked.

A check is its own configuration (a frozen value read from the settings). For one release it begins a
`Run`; a run takes in the evidence block by block and says what it finds, and never waits, reads a
clock or rolls dice. Runs are frozen: the same blocks in the same order give the same run, whether
taken one by one or rebuilt from the store.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from firedamp import words
from firedamp.model import Arm, Block, Finding, Outcome, Row, Situation, Slice, Tier, TroubleKind
from firedamp.queries import MAX_QUERY_CHARACTERS, Level, Need, selector
from firedamp.stats.noise import Learnt
from firedamp.stats.null import Null
from firedamp.stats.spending import Budget, nominal_levels

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]

#: The pass rule is judged three times at most, 5 % in all.
PASS_LEVEL = 0.05 / 3
# Nominal levels are integrated up to this multiple of the window.
_HORIZON = 4
# A loose hurdle keeps a multiple of alpha, but never more than this.
_LARGEST_ALPHA = 0.5


def _readable(text: str) -> str:
    selector(text)
    return text


def _placed(text: str) -> str:
    if "$cohort" not in text:
        raise ValueError(
            f"{text!r} has no $cohort: write metric{{$cohort}} where the cohort's matchers belong"
        )
    return text


SelectorText = Annotated[str, AfterValidator(_readable), Field(max_length=MAX_QUERY_CHARACTERS)]
#: PromQL with $cohort (whole matchers of the cohort) and, where wanted, $window (a range).
QueryText = Annotated[str, AfterValidator(_placed), Field(max_length=MAX_QUERY_CHARACTERS)]

# Metrics of kube-state-metrics and cAdvisor know pods, not versions.
_KNOW_PODS_ONLY = re.compile(r"\b(kube_pod_|container_)")
_SITUATIONS = {
    TroubleKind.SOURCE_DOWN: Situation.SOURCE_DOWN,
    TroubleKind.REFUSED: Situation.NO_DATA,
    TroubleKind.PARTIAL: Situation.NO_DATA,
    TroubleKind.TOO_LARGE: Situation.NO_DATA,
    TroubleKind.NO_SERIES: Situation.NO_DATA,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What a release grants a check.

    Attributes:
        alpha: probability in (0, 1) of ever failing a healthy release, over all looks.
        against: the arm the canary is compared with; None where there is none.
        look_seconds, warm_up_seconds, decide_by_seconds: the release's clock.
        ceiling: share of errors in the comparison arm above which nothing passes, in (0, 1).
        known: what history and earlier releases told of the check's noise.
    """

    alpha: float
    against: Arm | None
    look_seconds: float
    warm_up_seconds: float
    decide_by_seconds: float
    ceiling: float = 0.2
    known: Learnt = field(default_factory=Learnt)

    def spent_by(self, moment: "Moment", share: float) -> float:
        """Alpha (of this share of the grant, or multiple of it) that may be used up to a moment."""
        return self._budget(share).spent_by(self.fraction(moment.lived))

    def budgets(self, moment: "Moment", null: Null, part: float) -> tuple[float, ...]:
        """
        Alpha that a sequential test may use up to a moment, over all looks so far.

        Args:
            moment: the look's.
            null: the test's, for its hurdles.
            part: of the grant that the test may use, in (0, 1].

        Returns:
            (hurdles,) cumulative budgets.
        """
        return tuple(self.spent_by(moment, part * multiple) for multiple in null.multiples)

    def level(self, moment: "Moment", share: float = 1.0) -> float:
        """
        Nominal level of the look at a moment, for a Gaussian test statistic.

        Warm-up and the time after it have plans of their own, each look in it with a level that is spent
        once. After an outage in warm-up more blocks are missing than the plan begins with; until they are
        made up for the level is 0. Beyond four times the window the levels are no longer integrated but
        fall with the square of time, which stays within the reserve.
        """
        first = self.warm_up_looks + 1 if moment.warm else 1
        levels = _planned(self._budget(share), first, self.look_seconds, self.decide_by_seconds)
        last, look = len(levels), moment.lived - first + 1
        return float(levels[min(look, last) - 1]) * min(1.0, (last / look) ** 2) if look > 0 else 0.0

    def fraction(self, lived: int) -> float:
        """Elapsed part of the maximum window after so many blocks: 1 at decide-by, more after it."""
        return lived * self.look_seconds / self.decide_by_seconds

    @property
    def looks(self) -> int:
        """Blocks up to decide-by, at least 1."""
        return max(1, round(self.decide_by_seconds / self.look_seconds))

    @property
    def warm_up_looks(self) -> int:
        """Blocks that end within the warm-up."""
        return math.floor(self.warm_up_seconds / self.look_seconds)

    def _budget(self, share: float) -> Budget:
        return Budget(min(self.alpha * share, _LARGEST_ALPHA))


@lru_cache(maxsize=1024)
def _planned(
    budget: Budget, first: int, look_seconds: float, decide_by_seconds: float
) -> NDArray[np.float64]:
    """Levels of all looks from the first one on; to list so many fractions takes longer than a look may."""
    last = max(first, math.ceil(_HORIZON * decide_by_seconds / look_seconds))
    return nominal_levels(
        budget, [lived * look_seconds / decide_by_seconds for lived in range(first, last + 1)]
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """
    When a run is asked.

    Attributes:
        block: the block just taken.
        lived: blocks judged so far, this one included; blocks without any data do not count.
        warm: the warm-up is over.
        pass_level: level at which the pass rule is judged at this block; None when it is not.
        planning: what is still missing, and what would have been seen, is wanted too; it takes the longest.
        step: number of the traffic step.
    """

    block: Block
    lived: int
    warm: bool
    pass_level: float | None = None
    planning: bool = True
    step: int = 0

    @property
    def read(self) -> bool:
        """Somebody asks for more than whether harm is proven."""
        return self.planning or self.pass_level is not None


class Run(Protocol):
    """One check over one release. Frozen."""

    def take(self, piece: Slice, moment: Moment) -> "Run":
        """The run after one more block."""
        ...

    def finding(self, moment: Moment) -> Finding:
        """What the check says now."""
        ...

    @property
    def learnt(self) -> Learnt:
        """What this release's own blocks tell of the check's noise, for later releases."""
        ...


class BaseCheck(BaseModel):
    """Fields that every check has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: str
    tier: Tier = Tier.CRITICAL
    #: This check's part of the release's alpha, relative to the others of its tier.
    weight: float = Field(default=1.0, gt=0, le=100)

    @property
    def compares(self) -> bool:
        """The check needs the comparison arm beside the canary."""
        return True

    def needs(self) -> Mapping[str, Need]:
        """What to fetch for each cohort, by role."""
        raise NotImplementedError

    def by_pod(self) -> bool:
        """The metrics carry no cohort label of their own: tell cohorts apart by the pod's name."""
        return any(_KNOW_PODS_ONLY.search(_text(need)) for need in self.needs().values())

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Join what each role brought, pod by pod, into this check's rows."""
        raise NotImplementedError

    def requests(self, rows: Mapping[str, Row]) -> float | None:
        """Requests behind these rows; None where rows count none."""
        return None


def _text(need: Need) -> str:
    return need.expression.text if isinstance(need, Level) else need.selector.metric


def blank(check: BaseCheck, against: Arm | None, *, unit: str = "") -> Finding:
    """What every finding of a check has, before anything is known."""
    return Finding(check.name, check.kind, check.tier, Outcome.INCONCLUSIVE, "", against=against, unit=unit)


def say(finding: Finding, text: str, outcome: Outcome = Outcome.INCONCLUSIVE) -> Finding:
    """The finding with an outcome and its one sentence, which begins with the check's name."""
    return replace(finding, outcome=outcome, sentence=f"{finding.check}: {text}")


def set_aside(finding: Finding, piece: Slice) -> Finding | None:
    """A blank finding with the trouble which keeps a block from being judged; None without one."""
    for trouble in piece.troubles:
        if situation := _SITUATIONS.get(trouble.kind):
            return aside(finding, trouble.text, situation)
    return None


def aside(finding: Finding, why: str, situation: Situation) -> Finding:
    """The finding of a check that cannot be judged, and why."""
    found = replace(finding, set_aside=why, situation=situation, needs=None, detectable=None)
    return say(found, f"cannot judge, {why}")


def early(
    finding: Finding,
    seen: tuple[float, float],
    *,
    warm: bool,
    what: str = "requests",
    situation: Situation = Situation.NO_TRAFFIC,
) -> Finding | None:
    """
    What is said while an arm is silent, or while it is too early; None when neither is the case.

    Args:
        finding: blank.
        seen: how much came from the comparison arm and from the canary.
        warm: the warm-up is over.
        what: what came, or did not.
        situation: for the service's policy, where it did not.
    """
    if finding.against is None or not all(seen):
        silent = replace(finding, situation=situation)
        if finding.against is None:
            return say(silent, "there is neither baseline nor main to compare the canary with")
        arm = words.arm(finding.against) if seen[1] else "the canary"
        return say(silent, f"no {what} in {arm} so far, nothing to compare")
    return None if warm else warming(finding)


def warming(finding: Finding) -> Finding:
    """Too early."""
    return say(finding, "warming up, not judged yet")


def totals(rows: Mapping[str, Row], columns: int) -> Row:
    """Column sums over the pods, in whatever order they come; zeros without pods."""
    return tuple(math.fsum(row[column] for row in rows.values()) for column in range(columns))


def arm_rows(piece: Slice, arm: Arm | None) -> Mapping[str, Row]:
    """Rows of an arm by pod; none where there is no such arm."""
    return piece.rows.get(arm, {}) if arm else {}
