"""
What verdicts were worth, by what people said of releases afterwards.

A label tells whether a release was harmful: a true positive and a false negative were. Of what failed, so
many were harmful (precision); of what was harmful, so many failed (recall). Where nobody labelled there is no
number; where few did, the interval says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from firedamp.model import Judged
from firedamp.stats.binomial import share_interval

_HARMFUL = (Judged.TRUE_POSITIVE, Judged.FALSE_NEGATIVE)
_FAILED = (Judged.TRUE_POSITIVE, Judged.FALSE_POSITIVE)


@dataclass(frozen=True, slots=True)
class Portion:
    """So many of so many, and between which bounds the true share lies, 19 times in 20."""

    part: int
    whole: int

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.part / self.whole

    @property
    def interval(self) -> tuple[float, float]:
        """By Clopper and Pearson."""
        return share_interval(self.part, self.whole)


@dataclass(frozen=True, slots=True)
class Worth:
    """
    Labelled releases, counted by what was said and what was true.

    Attributes:
        caught: harmful, and failed.
        false_alarms: failed, and harmless.
        missed: harmful, and did not fail.
        spared: harmless, and did not fail.
    """

    caught: int = 0
    false_alarms: int = 0
    missed: int = 0
    spared: int = 0

    @property
    def labels(self) -> int:
        """So many releases tell of it."""
        return self.caught + self.false_alarms + self.missed + self.spared

    @property
    def precision(self) -> Portion | None:
        """Of what failed, what was harmful; None where nothing failed."""
        failed = self.caught + self.false_alarms
        return Portion(self.caught, failed) if failed else None

    @property
    def recall(self) -> Portion | None:
        """Of what was harmful, what failed; None where nothing was harmful."""
        harmful = self.caught + self.missed
        return Portion(self.caught, harmful) if harmful else None


def of_verdicts(words: Iterable[Judged]) -> Worth:
    """What firedamp's own verdicts were worth."""
    return of_check((word in _FAILED, word) for word in words)


def of_check(cases: Iterable[tuple[bool, Judged]]) -> Worth:
    """
    What failing was worth.

    Args:
        cases: of each labelled release whether the check failed, and how people judged the verdict.
    """
    told = [(failed, word in _HARMFUL) for failed, word in cases]
    return Worth(
        caught=told.count((True, True)),
        false_alarms=told.count((True, False)),
        missed=told.count((False, True)),
        spared=told.count((False, False)),
    )
