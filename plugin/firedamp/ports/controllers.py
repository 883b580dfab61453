"""What a release's controller is told, and asked: the Rollout or Canary that rolls it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from firedamp.model import Mode, Release


class Turn(StrEnum):
    """What may become of a release that a person cares about."""

    FAILED = "failed"
    PASSED = "passed"
    UNDECIDED = "undecided"  # its time is over, and neither is so
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class News:
    """
    A turn that a release took.

    Attributes:
        sentence: why, without link; of a release that ended, how.
        mode: how the service is judged at that time.
        at: Unix time.
    """

    release: Release
    turn: Turn
    sentence: str
    at: float
    mode: Mode = Mode.JUDGE


class Herald(Protocol):
    """Tells news where people look at what rolls the release out."""

    async def tell(self, news: News) -> None:
        """
        Tell it; told again within the hour, it is counted and not repeated.

        Raises:
            ClusterError: nobody could be told.
        """
        ...


class Rollers(Protocol):
    """Those who roll releases out, as their own state tells."""

    async def endings(self, releases: Sequence[Release]) -> Mapping[int, str]:
        """
        How they ended, by id, in the words of the hooks; none for what goes on or is not known.

        Args:
            releases: of one controller and one namespace, at least one.

        Raises:
            ClusterError: their state cannot be read.
        """
        ...
