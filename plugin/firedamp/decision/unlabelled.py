"""
Requests in no arm, lately: too many to judge by the others?

They carry none of the labels that tell the cohorts apart, so nobody can say which version answered them. A
few are a stray scrape; more might hold all that is wrong with a canary.
"""

import math
from dataclasses import dataclass, replace

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
        lately: requests without any of these labels and requests of both arms, block by block, oldest first.
    """

    labels: tuple[str, ...]
    window: int
    lately: tuple[tuple[float, float], ...] = ()

    def add(self, unlabelled: float, labelled: float) -> "Unlabelled":
        """After one more block."""
        return replace(self, lately=(*self.lately[1 - self.window :], (unlabelled, labelled)))

    @property
    def doubt(self) -> str:
        """What there is too much of, and what to do; empty where there is not."""
        number = math.fsum(one for one, _ in self.lately)
        if number < FEW:
            return ""
        share = number / (number + math.fsum(labelled for _, labelled in self.lately))
        if share <= MOST_SHARE:
            return ""
        names = " or ".join(f'"{label}"' for label in self.labels)
        return (
            f"{words.percent(share)} of the requests carry no label {names} (at most "
            f"{words.percent(MOST_SHARE)} may); add it to the scrape's relabelling, see docs/statistics.md"
        )
