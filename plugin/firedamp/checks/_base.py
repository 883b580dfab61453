"""
What every check shares: what it is called, what it fetches, and how its findings begin.

A check is its own configuration, a frozen value read from the settings; what it does in one release is
its run.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from firedamp import words
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice, Tier, TroubleKind
from firedamp.queries import MAX_QUERY_CHARACTERS, Level, Need, Selector, Traced, selector

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]


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


class BaseCheck(BaseModel):
    """Fields that every check has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: str
    tier: Tier = Tier.CRITICAL
    #: This check's part of the release's alpha, relative to the others of its tier.
    weight: float = Field(default=1.0, gt=0, le=100)

    @property
    def each(self) -> str:
        """What is counted or timed, in sentences."""
        return "request"

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

    def traced(self) -> Traced | None:
        """What to ask of traces; None where the check lives on metrics."""
        return None

    def where(self, trace_id: str) -> str:
        """Where people see a trace; its id where nobody knows."""
        return trace_id

    def traffic(self) -> Selector | None:
        """Counter of all requests that are judged; None where none are counted."""
        return None

    def requests(self, rows: Mapping[str, Row]) -> float | None:
        """Requests behind these rows; None where rows count none."""
        return None


def _text(need: Need) -> str:
    return need.expression.text if isinstance(need, Level) else need.selector.metric


def blank(
    check: BaseCheck,
    against: Arm | None,
    *,
    unit: str = "",
    tolerance: float | None = None,
    alpha: float | None = None,
) -> Finding:
    """What every finding of a check has, before anything is known."""
    head = (check.name, check.kind, check.tier, Outcome.INCONCLUSIVE, "", against, unit)
    return Finding(*head, tolerance=tolerance, alpha=alpha)


def say(
    finding: Finding, text: str, outcome: Outcome = Outcome.INCONCLUSIVE, *, needs: int | None = None
) -> Finding:
    """The finding with an outcome, what is missing, and its sentence, which begins with the check's name."""
    return replace(finding, outcome=outcome, sentence=f"{finding.check}: {text}", needs=needs)


def set_aside(finding: Finding, piece: Slice) -> Finding | None:
    """A blank finding with the trouble which keeps a block from being judged; None without one."""
    for trouble in piece.troubles:
        if situation := _SITUATIONS.get(trouble.kind):
            return aside(finding, trouble.text, situation)
    return None


def aside(finding: Finding, why: str, situation: Situation) -> Finding:
    """The finding of a check that cannot be judged, and why."""
    found = replace(finding, set_aside=why, situation=situation, detectable=None)
    return say(found, f"cannot judge, {why}")


def unheard_of(piece: Slice) -> str:
    """Why a block tells nothing of what is judged, of neither arm; empty where it does, or should."""
    return next((one.text for one in piece.troubles if one.kind is TroubleKind.UNTOLD), "")


def unjudged(finding: Finding, why: str) -> Finding:
    """The finding of a check that has no object: it is recorded, and counts for nothing."""
    return replace(say(finding, f"{why}; not judged"), tier=Tier.DEBUG)


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
    summed = tuple(map(math.fsum, islice(zip(*rows.values(), strict=True), columns)))
    return summed or (0.0,) * columns


def arm_rows(piece: Slice, arm: Arm | None) -> Mapping[str, Row]:
    """Rows of an arm by pod; none where there is no such arm."""
    return piece.rows.get(arm, {}) if arm else {}
