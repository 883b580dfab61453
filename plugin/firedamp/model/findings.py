"""What one check says at one look."""

from dataclasses import dataclass

from firedamp.model.terms import Arm, Outcome, Situation, Tier


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
        traces: ids of failing traces of the canary, where a flow is judged.
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
    traces: tuple[str, ...] = ()
