"""What a release still waits for, and how much of its alpha may be gone: reckoned from its last look."""

from collections.abc import Sequence
from dataclasses import dataclass

from firedamp.decision.parameters import Parameters
from firedamp.decision.session import JUDGEMENTS, judgement_after
from firedamp.model import Arm, Finding, Look, Tier
from firedamp.stats.spending import Budget


@dataclass(frozen=True, slots=True)
class Ahead:
    """
    Where a release stands in its window.

    Attributes:
        warm_from: Unix time from which evidence counts; None while no canary was seen.
        judged_at: Unix time at which the pass rule is judged next; None where it is judged no more.
        ends_at: Unix time at which the policy decides; None after it.
        fraction: elapsed part of the window, 1 at decide-by.
    """

    warm_from: float | None
    judged_at: float | None
    ends_at: float | None
    fraction: float


@dataclass(frozen=True, slots=True)
class Spent:
    """
    Alpha of one check.

    Attributes:
        alpha: for the whole release, in (0, 1).
        allowed: what looks up to now may use of it.
        p_value: what the decisive test has come to.
    """

    alpha: float
    allowed: float
    p_value: float


def ahead(looks: Sequence[Look], parameters: Parameters) -> Ahead | None:
    """Where the release stands after these looks, in order; None before the first."""
    if not looks:
        return None
    window, last = parameters.window, looks[-1]
    standing, now = last.standing, last.evidence.block.end
    deadline = window.deadline_seconds
    left = deadline - standing.elapsed_seconds
    settled = standing.failed_block is not None or standing.passed_block is not None
    judged_at = None
    if left > 0 and standing.judged < JUDGEMENTS and not settled:
        after = judgement_after(window.promote_after, deadline, standing.judged)
        judged_at = now + max(0.0, after - standing.elapsed_seconds)
    ends_at = now + left if left > 0 and not settled else None
    return Ahead(warm_from(looks, parameters), judged_at, ends_at, min(1.0, _lived(looks, parameters)))


def warm_from(looks: Sequence[Look], parameters: Parameters | None) -> float | None:
    """When warm-up is over, counted from the first block with a canary; None where none was seen."""
    for look in looks:
        if any(piece.rows.get(Arm.CANARY) for piece in look.evidence.slices.values()):
            return look.evidence.block.start + (parameters.window.warm_up if parameters else 0.0)
    return None


def spent(finding: Finding, fraction: float) -> Spent | None:
    """How far a check's test has come; None where it has none."""
    if finding.p_value is None or not finding.alpha:
        return None
    return Spent(finding.alpha, Budget(min(finding.alpha, 0.5)).spent_by(fraction), finding.p_value)


def pace(looks: Sequence[Look], finding: Finding) -> float:
    """Canary requests per second over the last looks, by the growth of what the findings count; 0 unknown."""
    counted = [
        (look.evidence.block.end, one.canary_n)
        for look in looks
        for one in look.findings
        if one.check == finding.check and one.canary_n
    ][-10:]
    if len(counted) < 2 or counted[-1][0] <= counted[0][0]:
        return 0.0
    return max(0.0, (counted[-1][1] - counted[0][1]) / (counted[-1][0] - counted[0][0]))


def _lived(looks: Sequence[Look], parameters: Parameters) -> float:
    """Elapsed part of the window by blocks in which a critical check had evidence, as alpha is spent."""
    critical = {check.name for check in parameters.checks if check.tier is Tier.CRITICAL}
    lived = sum(_seen(look, critical) for look in looks) + looks[0].evidence.block.index
    return lived * parameters.window.look / parameters.window.deadline_seconds


def _seen(look: Look, critical: set[str]) -> bool:
    pieces = look.evidence.slices.items()
    return any(any(piece.rows.values()) for name, piece in pieces if name in critical or not critical)
