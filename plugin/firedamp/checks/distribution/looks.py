"""
What each look at the body may use of alpha, by what is known at it.

Alpha is released with time, but what a look knows does not grow with time: traffic rises with its weight,
pauses, and once pods differ by more than chance further requests of the same few pods tell next to nothing.
The level of a look follows from both: from what the budget has grown by, and from how much of its estimate
is new.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from firedamp.stats.spending import informed_levels

#: A look is remembered where the requests behind it have grown so much; others know next to nothing new.
_GROWTH = 1.015


@dataclass(frozen=True, slots=True)
class Looks:
    """
    The looks so far.

    Attributes:
        taken: (allowance, variance by requests, concentration of pods) of each that is remembered.
        allowed: alpha that may be used by the last look of any kind.
        spent: of it, what those looks may use that are not remembered, and all before them.
        last: allowance of the last look, where it is not remembered; else None.
    """

    taken: tuple[tuple[float, float, float], ...] = ()
    allowed: float = 0.0
    spent: float = 0.0
    last: float | None = None

    def add(self, allowed: float, sampling: float, concentration: float) -> Looks:
        """
        After one more look.

        Args:
            allowed: alpha that may be used by it, never falling.
            sampling: variance of the estimate that chance alone makes, in any unit, > 0.
            concentration: of pods, by which their variance counts in the same unit, ≥ 0.
        """
        if self.taken and sampling * _GROWTH > self.taken[-1][1]:
            # A union bound: half of the growth now, the other half for the next that knows more.
            half = (allowed - self.allowed) / 2
            return replace(self, allowed=allowed, spent=self.spent + half, last=half)
        taken = (*self.taken, (allowed - self.spent, sampling, concentration))
        return Looks(taken, allowed, allowed)

    def level(self, tau: float) -> float:
        """
        One-sided level of the last look.

        Args:
            tau: standard deviation between pods, in the unit's root, ≥ 0, as it is known now.
        """
        if self.last is not None:
            return self.last
        allowances, information = zip(*((a, 1 / (v + tau**2 * k)) for a, v, k in self.taken), strict=True)
        return float(informed_levels(allowances, information)[-1])
