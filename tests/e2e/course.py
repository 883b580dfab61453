"""What happened to a release: its weights, its first spoilt request, its end."""

from dataclasses import dataclass, field

from e2e.releasing import End


@dataclass(frozen=True, slots=True)
class Weight:
    """The canary's share of traffic in percent, from a Unix time on."""

    at: float
    percent: int


@dataclass(slots=True)
class Course:
    """
    What happened, in Unix times.

    Attributes:
        begun: when the new version was applied.
        weights: each change of the canary's share.
        spoilt: the first request that a fault spoilt.
        zero: when the canary had no traffic any more, and stayed without.
        end: how it ended.
        sentence: what a person reads of it last.
    """

    begun: float = 0.0
    weights: list[Weight] = field(default_factory=list)
    spoilt: float | None = None
    zero: float | None = None
    end: End | None = None
    sentence: str = ""

    @property
    def seconds_to_zero(self) -> float | None:
        """From the first request that was spoilt to no traffic."""
        return None if self.spoilt is None or self.zero is None else round(self.zero - self.spoilt, 1)

    @property
    def steps(self) -> tuple[int, ...]:
        """The canary's shares one after the other, from its first traffic on."""
        begun = [weight.percent for weight in self.weights if weight.at >= self.begun]
        return tuple(percent for at, percent in enumerate(begun) if percent or at)
