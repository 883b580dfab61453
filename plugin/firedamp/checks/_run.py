"""
What a release grants a check, when the check's run is asked, and what a run does.

For one release a check begins a `Run`; a run takes in the evidence block by block and says what it finds,
and never waits, reads a clock or rolls dice. Runs are frozen: the same blocks in the same order give the
same run, whether taken one by one or rebuilt from the store.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from firedamp.checks._pods import Witness
from firedamp.model import Arm, Block, Finding, Slice
from firedamp.stats.noise import Learnt
from firedamp.stats.null import Null
from firedamp.stats.spending import Budget, nominal_levels

#: The pass rule is judged three times at most, 5 % in all.
PASS_LEVEL = 0.05 / 3
# Nominal levels are integrated up to this multiple of the window.
_HORIZON = 4
# A loose hurdle keeps a multiple of alpha, but never more than this.
_LARGEST_ALPHA = 0.5


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
        return _spent(self.alpha * share, self.fraction(moment.lived))

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
        levels = _planned(_budget(self.alpha * share), first, self.look_seconds, self.decide_by_seconds)
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


def _budget(alpha: float) -> Budget:
    return Budget(min(alpha, _LARGEST_ALPHA))


@lru_cache(maxsize=256)  # all checks of a release ask for the same
def _spent(alpha: float, fraction: float) -> float:
    return _budget(alpha).spent_by(fraction)


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

    @property
    def witness(self) -> Witness | None:
        """What the check sees of the canary's pods, for the other checks; None where it counts nothing."""
        ...

    def heard(self, witnesses: Sequence[Witness]) -> "Run":
        """The run once all checks, itself among them, have told what they saw up to its last block."""
        ...


class CountsNothing:
    """Of a run that counts no events: nothing to learn noise from, nothing known for or against a pod."""

    __slots__ = ()

    @property
    def learnt(self) -> Learnt:
        """Nothing."""
        return Learnt()

    @property
    def witness(self) -> None:
        """None."""

    def heard(self, witnesses: Sequence[Witness]) -> Self:
        """The same."""
        return self
