"""
Before a release: which harm each check would see, by when, and which it never can.

The answers come from the checks' own code: forecasts that stand in their sentences at every look, or the
check run over the blocks that are to be expected. History says what is usual; the plan decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from firedamp.checks import (
    Check,
    Distribution,
    FlowCollateral,
    FlowDuration,
    FlowFailures,
    Grant,
    Operations,
    Proportion,
    Relative,
    Threshold,
    Trend,
)
from firedamp.decision.parameters import Parameters, Window
from firedamp.decision.planning import distribution, proportion, relative
from firedamp.decision.planning.rollout import Prospect, Rollout, Sight, Usual
from firedamp.decision.session import JUDGEMENTS, grant, judgement_after
from firedamp.model import Arm, Tier
from firedamp.stats.noise import Learnt

__all__ = ["RATIOS", "Prospect", "Rollout", "Sight", "Usual", "prospects"]

#: Changes that are asked about.
RATIOS = (2.0, 3.0, 5.0)


def prospects(
    parameters: Parameters,
    against: Arm,
    usual: Mapping[str, Usual],
    known: Mapping[str, Learnt],
    rollout: Rollout,
    ratios: Sequence[float] = RATIOS,
) -> list[Prospect]:
    """
    What each critical and each warn check can do for a release to come, in their order.

    Args:
        parameters: how the service is judged.
        against: the comparison arm.
        usual: by check, what main usually does; checks not named were not asked about.
        known: noise by check, as history tells it.
        rollout: the release.
        ratios: changes asked about, > 1.
    """

    def prospect(check: Check) -> Prospect:
        window = parameters.window
        past = usual.get(check.name, Usual())
        if past.refused:
            blank = Prospect(check.name, check.kind, check.tier)
            return replace(blank, blind=f"its history cannot be read: {past.refused}")
        granted = grant(parameters, check, against, known)
        found = _of(check, granted, past, rollout, ratios, window.promote_after)
        return replace(found, passing=_judged(found.passing, window))

    asked = [check for check in parameters.checks if check.tier is not Tier.DEBUG]
    return sorted(map(prospect, asked), key=lambda one: one.tier is not Tier.CRITICAL)


def _judged(passing: Sight | None, window: Window) -> Sight | None:
    """The pass rule is judged at three times only: the first of them that is late enough."""
    if passing is None or passing.seconds is None:
        return passing
    first, last = window.promote_after, window.deadline_seconds
    times = (judgement_after(first, last, judged) for judged in range(JUDGEMENTS))
    return replace(passing, seconds=next((at for at in times if at >= passing.seconds), passing.seconds))


def _of(
    check: Check, grant: Grant, usual: Usual, rollout: Rollout, ratios: Sequence[float], by_seconds: float
) -> Prospect:
    match check:
        case Proportion():
            return proportion.prospect(check, grant, usual, rollout, ratios, by_seconds)
        case Distribution():
            return distribution.prospect(check, grant, usual, rollout, ratios)
        case Relative():
            return relative.prospect(check, grant, usual, rollout, ratios)
        case _:
            return Prospect(check.name, check.kind, check.tier, told=_told(check))


def _told(check: Threshold | Trend | FlowFailures | FlowDuration | FlowCollateral | Operations) -> str:
    """What is said of checks whose requests are not counted ahead."""
    match check:
        case Threshold():
            return "an absolute limit: it acts at the first looks beyond it, whatever the traffic"
        case Trend():
            return "growth of pods, judged when the pass rule is; time counts there, not requests"
        case FlowFailures() | FlowDuration():
            return "flows, as traces tell them: what their history shows is not read ahead"
        case FlowCollateral():
            return "flows beside the canary: compared with what they did before, once the release has begun"
        case Operations():
            return "what is asked for in traces: missed once some ten requests for it should have come"
