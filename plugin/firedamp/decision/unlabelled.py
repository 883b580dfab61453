"""
Requests in no arm, lately: too many to judge by the others?

They carry none of the labels that tell the cohorts apart, so nobody can say which version answered them. A
few are a stray scrape; more might hold all that is wrong with a canary.
"""

import math
from dataclasses import dataclass

from firedamp import words

#: Largest share of all requests that may carry no version label, and number of them that proves nothing.
MOST_SHARE, FEW = 0.05, 50.0


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """
    Requests of one check in its last blocks.

    Attributes:
        labels: that tell the cohorts apart.
        window: so many blocks are looked back on.
        stray: requests without any of these labels, block by block, oldest first.
        known: requests of both arms, likewise.
    """

    labels: tuple[str, ...]
    window: int
    stray: tuple[float, ...] = ()
    known: tuple[float, ...] = ()

    def add(self, stray: float, known: float) -> "Unlabelled":
        """After one more block."""
        kept = 1 - self.window
        return Unlabelled(self.labels, self.window, (*self.stray[kept:], stray), (*self.known[kept:], known))

    @property
    def doubt(self) -> str:
        """What there is too much of, and what to do; empty where there is not."""
        number = math.fsum(self.stray)
        if number < FEW:
            return ""
        share = number / (number + math.fsum(self.known))
        if share <= MOST_SHARE:
            return ""
        names = " or ".join(f'"{label}"' for label in self.labels)
        return (
            f"{words.percent(share)} of the requests carry no label {names} (at most "
            f"{words.percent(MOST_SHARE)} may); add it to the scrape's relabelling, see docs/statistics.md"
        )
