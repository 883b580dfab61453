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

#: What is missing, and what to do about it.
Lacking = tuple[str, str]
#: Of flows: nothing tells the version of the pods that they were sent to.
WITHOUT_VERSION: Lacking = (
    "the flows were sent to pods whose version nothing tells",
    "add k8s.pod.name, the pod-template hash or service.version to the spans' resource, see docs/traces.md",
)


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """
    Requests of one check in its last blocks.

    Attributes:
        lacking: what they do not tell, and what to do about it.
        window: so many blocks are looked back on.
        stray: requests without any of these labels, block by block, oldest first.
        known: requests of both arms, likewise.
    """

    lacking: Lacking
    window: int
    stray: tuple[float, ...] = ()
    known: tuple[float, ...] = ()

    def add(self, stray: float, known: float) -> "Unlabelled":
        """After one more block."""
        kept = 1 - self.window
        return Unlabelled(self.lacking, self.window, (*self.stray[kept:], stray), (*self.known[kept:], known))

    @property
    def doubt(self) -> str:
        """What there is too much of, and what to do; empty where there is not."""
        number = math.fsum(self.stray)
        if number < FEW:
            return ""
        share = number / (number + math.fsum(self.known))
        if share <= MOST_SHARE:
            return ""
        what, remedy = self.lacking
        return f"{words.percent(share)} of {what} (at most {words.percent(MOST_SHARE)} may); {remedy}"


def without_labels(labels: tuple[str, ...]) -> Lacking:
    """Of requests, by the labels that tell the cohorts apart."""
    names = " or ".join(f'"{label}"' for label in labels)
    remedy = "add it to the scrape's relabelling, see docs/statistics.md"
    return f"the requests carry no label {names}", remedy
