"""What is planned: a release to come, what its service usually does, and when something would be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firedamp.model import Row, Tier

#: Nobody plans a canary of more than a month.
LONGEST_SECONDS = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """
    A release to come.

    Attributes:
        share: of the service's requests that the canary gets, in (0, 1); the other version gets the rest.
        canaries: its pods; None for as many as the share makes of main's pods.
    """

    share: float
    canaries: int | None = None

    def pods(self, mains: int) -> int:
        """The canary's pods beside so many of main."""
        return self.canaries or max(1, round(self.share * mains))


@dataclass(frozen=True, slots=True)
class Usual:
    """
    What the stable pods did in the hours before.

    Attributes:
        rows: for each block of history, the check's row of each pod that was there.
        block_seconds: length of those blocks.
        bounds: upper bucket bounds, for histograms.
        refused: why the source did not say; empty when it did.
    """

    rows: Sequence[Mapping[str, Row]] = ()
    block_seconds: float = 1.0
    bounds: tuple[float, ...] = ()
    refused: str = ""

    @property
    def present(self) -> list[Mapping[str, Row]]:
        """The blocks in which there was something."""
        return [rows for rows in self.rows if rows]

    @property
    def pods(self) -> Mapping[str, float]:
        """What each pod of the newest block served in it, by the last column of its row."""
        return {pod: row[-1] for pod, row in self.present[-1].items()} if self.present else {}

    @property
    def hours(self) -> float:
        """How much time the history covers, gaps included."""
        return len(self.rows) * self.block_seconds / 3600


@dataclass(frozen=True, slots=True)
class Sight:
    """
    When a change is seen in four of five releases.

    Attributes:
        seconds: from the canary's start; None for never.
        why: why never, or what must change for it to be in time; empty where it is.
    """

    seconds: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Prospect:
    """
    What one check can do for a release to come.

    Attributes:
        check, kind, tier: of the check.
        usual: what main usually does, in words.
        sights: by ratio, when that change would be seen; empty where `blind` says why.
        passing: when four of five healthy canaries pass, at one of the times at which that is judged; None
            where the check has nothing to wait for.
        curve: (seconds, ratio) of the smallest change that would be seen by then, falling.
        told: what a person must know beside it; empty when nothing.
        blind: why the check can tell nothing of all this; empty when it can.
    """

    check: str
    kind: str
    tier: Tier
    usual: str = ""
    sights: Mapping[float, Sight] | None = None
    passing: Sight | None = None
    curve: tuple[tuple[float, float], ...] = ()
    told: str = ""
    blind: str = ""
