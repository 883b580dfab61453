"""
A relative check's prospect: the check itself, run over levels to be expected.

Pods are its samples, and no time makes more of them: what it sees at all, it sees within a few looks. Main's
pods are as they were, the canary's differ as theirs do; that luck is against the canary in one of five
releases is granted to it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from firedamp import words
from firedamp.checks import Grant, Relative
from firedamp.decision.planning import fed
from firedamp.decision.planning.rollout import Prospect, Rollout, Sight, Usual
from firedamp.model import Arm, Outcome, Row, Slice

_FOUR_OF_FIVE = 0.8
_MOST_PODS = 20


def prospect(
    check: Relative, grant: Grant, usual: Usual, rollout: Rollout, ratios: Sequence[float]
) -> Prospect:
    """
    What the check can do for a release to come.

    Args:
        check: the check.
        grant: what it may spend.
        usual: rows of (level,).
        rollout: the release.
        ratios: how many times as high (or, where a fall is harm, as low) the canary's level is, > 1.
    """
    blank = Prospect(check.name, check.kind, check.tier)
    levels = {pod: _mean(usual, pod) for pod in usual.pods}
    if not any(level > 0 for level in levels.values()):
        return replace(blank, blind=f"no level above 0 in the last {usual.hours:g} h: nothing to compare")
    pods = rollout.pods(len(levels))
    middle = words.quantity(float(np.median(list(levels.values()))), check.unit)
    return replace(
        blank,
        usual=f"{middle}, {words.plural(len(levels), 'pod')}",
        sights={ratio: _sight(check, grant, levels, pods, ratio) for ratio in ratios},
    )


def _mean(usual: Usual, pod: str) -> float:
    return float(np.mean([rows[pod][0] for rows in usual.present if pod in rows]))


def _sight(check: Relative, grant: Grant, levels: dict[str, float], pods: int, ratio: float) -> Sight:
    if ratio <= max(check.margin, 1 / check.margin):
        return Sight(None, "within what the check allows")
    if (seconds := _seconds(check, grant, levels, pods, ratio)) is not None:
        return Sight(seconds)
    enough = (more for more in range(pods + 1, _MOST_PODS + 1) if _seconds(check, grant, levels, more, ratio))
    would = next((f"; {more} would do" for more in enough), "")
    return Sight(None, f"{words.plural(pods, 'canary pod')} may differ by that much by accident{would}")


def _seconds(
    check: Relative, grant: Grant, levels: dict[str, float], pods: int, ratio: float
) -> float | None:
    usual = np.log([level for level in levels.values() if level > 0])
    spread = float(usual.std(ddof=1)) if usual.size > 1 else 0.0
    luck = math.exp(float(ndtri(_FOUR_OF_FIVE)) * spread * math.sqrt(1 / usual.size + 1 / pods))
    change = max(ratio / luck, 1.0)
    level = math.exp(float(usual.mean())) * (change if check.max_increase is not None else 1 / change)
    canary: dict[str, Row] = {f"canary {pod}": (level,) for pod in range(pods)}
    mains: dict[str, Row] = {pod: (level,) for pod, level in levels.items()}
    piece = Slice({grant.against or Arm.MAIN: mains, Arm.CANARY: canary})
    blocks = fed.first(check, grant, piece, Outcome.FAIL, grant.looks)
    return None if blocks is None else blocks * grant.look_seconds
