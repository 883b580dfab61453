"""
Kinds of releases: noise, traffic, pods, fault and its onset.

A release is judged over an hour of 30-second blocks (promote_after 30 min, decide_by 60 min), for every
method alike. Twenty critical checks share alpha: half of them see errors of 1 %, half of 0.1 %; each check
has as many requests per half hour, over both arms, as the cell says. A fault is in one check alone.
"""

from dataclasses import dataclass
from enum import StrEnum

from arena import noise
from arena.noise import Noise

#: Blocks of 30 seconds.
HORIZON, HALF_HOUR = 120, 60
SHARE, PODS = 0.2, 20
#: Canary's share for a third of the hour each; in the last step everybody fails so many times as often.
RAMP, LATE_DRIFT = (0.05, 0.2, 0.5), 3.0
RATES = (0.01, 0.001)
#: Blocks that a release goes on after a fault that begins 10 minutes after decide-by.
BEYOND = 60


class Kind(StrEnum):
    """What a fault does."""

    NONE = "healthy"
    ERRORS = "errors"  # so many times as many
    SLOWER = "latency"  # so many times as slow
    WAITING = "waiting"  # this share of requests takes a second more
    LOST = "lost"  # the canary gets no requests
    BOTH = "both"  # this share fails in both versions


class Onset(StrEnum):
    """When a fault begins."""

    START = "from the start"
    MINUTE_20 = "from minute 20"
    LAST_STEP = "with the last step"
    AFTER = "10 min after decide-by"

    @property
    def block(self) -> int:
        """The first block with the fault."""
        return {"from minute 20": 40, "with the last step": 80, "10 min after decide-by": 140}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the canary: its kind, its size, and the base rate of the check that has it."""

    kind: Kind = Kind.NONE
    size: float = 1.0
    rate: float = 0.01

    def __str__(self) -> str:
        times = f"×{self.size:g}"
        match self.kind:
            case Kind.NONE:
                return "healthy"
            case Kind.ERRORS:
                what = "all failing" if self.size == float("inf") else f"errors {times}"
                return what if self.rate == RATES[0] else f"{what} of {100 * self.rate:g} %"
            case Kind.SLOWER:
                return f"latency {times}"
            case Kind.WAITING:
                return f"{100 * self.size:g} % of requests +1 s"
            case Kind.LOST:
                return "no canary traffic"
            case Kind.BOTH:
                return f"both versions failing {100 * self.size:g} %"


@dataclass(frozen=True, slots=True)
class Cell:
    """
    A kind of release.

    Attributes:
        requests: per half hour and check, both arms together.
        canary_pods: of all pods; with a ramp they follow the share.
        pods: in all.
        uneven: every other pod gets so many times the traffic of its neighbour.
        history: six hours of main before the release are known.
        pooled: so many earlier releases of the same noise are known.
        checks, histograms: how many critical checks share alpha, and how many of them are latencies.
        warm_up: the first two minutes are left out, by whoever would judge them.
        bare: the sequential test by itself over half an hour, without tolerance, noise and warm-up.
    """

    noise: Noise = noise.NONE
    requests: float = 10_000.0
    fault: Fault = Fault()
    onset: Onset = Onset.START
    canary_pods: int = 4
    pods: int = PODS
    uneven: float = 1.0
    ramp: bool = False
    history: bool = True
    pooled: int = 0
    alpha: float = 0.02
    checks: int = 20
    histograms: int = 0
    warm_up: bool = True
    bare: bool = False

    def __str__(self) -> str:
        onset = "" if self.onset is Onset.START else f" {self.onset}"
        said = [self.noise.name, thousands(self.requests), f"{self.fault}{onset}"]
        said += ["ramp"] if self.ramp else []
        said += [self._arms()] if (self.pods, self.canary_pods) != (PODS, 4) else []
        said += [f"traffic 1:{self.uneven:g}"] if self.uneven != 1.0 else []
        said += [] if self.history else ["no history"]
        said += [f"{self.pooled} earlier releases"] if self.pooled else []
        said += [counted(self.checks, "check")] if self.checks != 20 else []
        said += [f"{self.histograms} latencies"] if self.histograms and self.healthy else []
        said += [] if self.warm_up else ["no warm-up"]
        said += ["sequential test alone"] if self.bare else []
        said += [f"alpha {100 * self.alpha:g} %"] if self.alpha != 0.02 else []
        return ", ".join(said)

    def _arms(self) -> str:
        canary = counted(self.canary_pods, "canary pod")
        return canary if self.pods == PODS else f"{self.pods - self.canary_pods} main and {canary}"

    @property
    def healthy(self) -> bool:
        """Nothing is wrong with the canary alone."""
        return self.fault.kind in (Kind.NONE, Kind.BOTH)

    @property
    def blocks(self) -> int:
        """Blocks that the release is judged for."""
        if self.bare:
            return HALF_HOUR
        return HORIZON + BEYOND if self.onset is Onset.AFTER else HORIZON

    @property
    def counters(self) -> int:
        """Checks that count errors."""
        return self.checks - self.histograms

    @property
    def rates(self) -> tuple[float, ...]:
        """Base error rate of each counting check."""
        if self.checks == 1:
            return (self.fault.rate,) * self.counters
        half = self.counters // 2
        return (RATES[0],) * (self.counters - half) + (RATES[1],) * half

    @property
    def faulty(self) -> int:
        """The check that has the fault."""
        if self.fault.kind in (Kind.SLOWER, Kind.WAITING):
            return self.counters
        return self.rates.index(self.fault.rate) if self.rates else 0


def thousands(requests: float) -> str:
    """10000 as 10k."""
    return f"{requests / 1000:g}k" if requests >= 1000 else f"{requests:g}"


def counted(number: int, noun: str) -> str:
    """1 pod, 3 pods."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
