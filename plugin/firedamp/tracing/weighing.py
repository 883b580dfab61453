"""
Traces kept by chance stand for others: counts as if all had been kept, and no more certain than these are.

Each trace counts the inverse of the probability with which it was kept (Horvitz and Thompson), all of them
divided by one number, so that what a test rests on counts as often as it is worth: failures where flows fail
(Kish's effective size of those that were seen), else everything. Where all were kept with the same
probability that gives the plain counts, and where every failure is kept and a part of the rest, the
failures as they are against all that there were.

Source: Horvitz & Thompson (1952), JASA 47, 663-685; effective size: Kish (1965), Survey Sampling, 8.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from firedamp import words
from firedamp.model import Trouble, TroubleKind

#: So many of a block's traces may tell no probability where others do.
_SILENT = 0.05
#: Weights that differ by less are the same; so many good flows are to be kept for each failure.
_ALIKE, _BESIDE = 1.5, 5.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """
    What each trace of a block counts.

    Attributes:
        weights: (traces,) > 0.
        unit: what those that the test rests on stood for when they were last seen; None never.
    """

    weights: Sequence[float]
    unit: float | None = None


def weighed(
    probabilities: Sequence[float | None], failed: Sequence[bool], unit: float | None = None
) -> Weighed | Trouble:
    """
    What each trace of a block counts.

    Args:
        probabilities: (traces,) with which each was kept, in (0, 1]; None where nobody told.
        failed: (traces,) whether it is what the test rests on.
        unit: of earlier blocks: one without any failure is divided by the same.

    Returns:
        The weights; or why there are none: some traces tell, and some do not.
    """
    known = [1 / chance for chance in probabilities if chance is not None]
    if not known:
        return Weighed([1.0] * len(probabilities), unit)
    if len(known) < (1 - _SILENT) * len(probabilities):
        return _unlike(1 - len(known) / len(probabilities))
    usual = sum(known) / len(known)
    whole = [usual if chance is None else 1 / chance for chance in probabilities]
    resting = [one for one, counts in zip(whole, failed, strict=True) if counts]
    unit = _size(resting) if resting else unit
    divisor = unit or _size(whole)
    return Weighed([one / divisor for one in whole], unit)


def too_few(counts: Sequence[float], failed: Sequence[bool]) -> Trouble | None:
    """
    Why a block's traffic cannot be told from the few good flows that were kept; None where it can.

    Where each stands for many, a version's share of the traffic is as uncertain as they are few. Asked of the
    other version's flows alone: what the canary does must not decide whether it is judged.
    """
    good = [count for count, bad in zip(counts, failed, strict=True) if not bad]
    kept, failures = len(good), len(failed) - len(good)
    if not failures or not kept or max(good) <= _ALIKE * min(counts) or kept >= _BESIDE * failures:
        return None
    text = (
        f"{kept} of the old version's flows that went well were kept beside {failures} that failed: too few "
        f"to tell what part of the traffic each version had; keep {_BESIDE:g} for each failure"
    )
    return Trouble(TroubleKind.PARTIAL, text)


def _size(weights: Sequence[float]) -> float:
    """By which many divided count as often as they are worth; exactly what all have, where they do."""
    if min(weights) == max(weights):
        return weights[0]
    return sum(one * one for one in weights) / sum(weights)


def _unlike(share: float) -> Trouble:
    text = (
        f"{words.percent(share)} of the traces do not tell how they were sampled, and the others do: they "
        "cannot be counted together; let every collector write the threshold into the trace state, or none"
    )
    return Trouble(TroubleKind.PARTIAL, text)
