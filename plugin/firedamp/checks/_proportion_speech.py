"""What a proportion check says, from the numbers it has."""

from dataclasses import dataclass
from typing import Protocol

from firedamp import words
from firedamp.model import Arm
from firedamp.stats.noninferiority import NonInferiority


@dataclass(frozen=True, slots=True)
class Facts:
    """
    The numbers behind a sentence.

    Attributes:
        baseline_rate: of the comparison arm at the canary's own traffic, in [0, 1].
        canary_n, canary_events: canary's requests and events since warm-up.
        events: of both arms.
        share: the canary's share of the traffic, weighted by events.
        boundary: smallest count of canary events that fails.
    """

    name: str
    noun: str
    against: Arm | None
    baseline_rate: float
    canary_rate: float
    canary_n: float
    canary_events: int
    events: int
    share: float
    tolerance: float
    boundary: int
    p_value: float

    @property
    def rates(self) -> str:
        """Both rates, canary first as in speech."""
        baseline = f"{words.percent(self.baseline_rate)} in {words.arm(self.against)}"
        return f"{words.percent(self.canary_rate)} against {baseline}"


class Margins(Protocol):
    """What a pass excludes."""

    @property
    def pass_ratio(self) -> float:
        """As a multiple of the rate."""
        ...

    @property
    def pass_excess(self) -> float:
        """As a rise of the rate."""
        ...


def harm(facts: Facts) -> str:
    """The canary has more events than anything harmless explains."""
    events = words.plural(facts.events, facts.noun)
    return (
        f"{facts.name}: the canary served {words.count(facts.canary_events)} of the {events} with "
        f"{words.percent(facts.share)} of the traffic ({facts.rates}); chance, pod differences and the "
        f"{words.percent(facts.tolerance)} tolerance explain fewer than {words.count(facts.boundary)} "
        f"(a good release gets here {words.chance(facts.p_value)})"
    )


def dead(name: str, noun: str, canary_events: int, events: int) -> str:
    """The canary fails outright while still warming up."""
    return (
        f"{name}: already during warm-up the canary served {words.count(canary_events)} of the "
        f"{words.plural(events, noun)}, beyond even a tenfold rate; it is failing outright"
    )


def silent(name: str, against: Arm | None, *, canary: bool) -> str:
    """One arm has had no requests at all."""
    return (
        f"{name}: no requests in {'the canary' if canary else words.arm(against)} so far, nothing to compare"
    )


def warming(name: str) -> str:
    """Too early."""
    return f"{name}: warming up, not judged yet"


def apart(name: str, against: Arm | None) -> str:
    """Both arms have had requests, but never in the same block."""
    return f"{name}: {words.arm(against)} and canary have had no requests at the same time since warm-up"


def both_failing(facts: Facts, ceiling: float) -> str:
    """The comparison arm itself is on fire."""
    limit = words.percent(ceiling)
    return f"{facts.name}: both versions are failing ({facts.rates}); above {limit} nothing passes"


def safe(facts: Facts, margins: Margins, safety: NonInferiority) -> str:
    """Harm beyond the margin is excluded."""
    if safety.ratio_p > safety.absolute_p:
        return f"{facts.name}: {facts.rates}; a rise by {words.points(margins.pass_excess)} is ruled out"
    low, high = safety.ratio_interval
    between = f"between {words.times(low)} and {words.times(high)} {words.arm(facts.against)}'s"
    return (
        f"{facts.name}: the rate is {between} ({facts.rates}); "
        f"a rise to {words.times(margins.pass_ratio)} is ruled out"
    )


def waiting(facts: Facts, upper_rate: float, needs: int, per_second: float) -> str:
    """Neither harm nor its absence is proven."""
    requests = words.plural(facts.canary_n, "canary request")
    events = words.plural(facts.canary_events, facts.noun)
    usual = f"{words.percent(facts.baseline_rate)} in {words.arm(facts.against)}"
    seen = (
        f"{facts.name}: no proof of harm, but {requests} with {events} can only rule out a rate above "
        f"{words.percent(upper_rate)} ({usual})"
    )
    if not needs:
        return f"{seen}; judged again at the end of the window"
    return (
        f"{seen}; about {words.about(needs)} more canary requests are needed{words.wait(needs, per_second)}"
    )
