"""What a distribution check says, from the numbers it has."""

from dataclasses import dataclass

from firedamp import words
from firedamp.model import Arm
from firedamp.units import spoken_duration


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How long the canary takes.

    Attributes:
        against: the comparison arm.
        scale: factor by which the canary is slower, with its interval.
        allowed: largest factor that is no harm.
        requests, pods: of the canary.
        seconds: how long they were counted.
        each: what was timed: a request, or a flow.
    """

    against: Arm | None
    scale: float
    interval: tuple[float, float]
    allowed: float
    requests: float
    pods: int
    seconds: float
    each: str = "request"

    @property
    def text(self) -> str:
        """The factor with its interval, the parenthesis left open."""
        low, high = (words.times(bound) for bound in self.interval)
        return f"the canary takes {as_long(self.scale, self.against)} ({low} to {high}"

    @property
    def full(self) -> str:
        """The same with what it stands on, and what is allowed."""
        requests = words.plural(self.requests, f"canary {self.each}")
        return f"{self.text}, {requests}); allowed is {words.times(self.allowed)}"


@dataclass(frozen=True, slots=True)
class Waits:
    """
    How many requests wait long.

    Attributes:
        against: the comparison arm.
        edge: what is long, with its unit.
        usual: share of requests that do in the comparison arm, at the canary's own traffic.
        share: of the canary's.
        slow: how many of the canary's do.
        pods: of the canary.
        each: as of a pace.
    """

    against: Arm | None
    edge: str
    usual: float
    share: float
    slow: float
    pods: int
    each: str = "request"

    @property
    def text(self) -> str:
        """Both shares."""
        usual = f"{words.percent(self.usual)} in {words.arm(self.against)}"
        return (
            f"{words.percent(self.share)} of the canary's {self.each}s take longer than {self.edge}, {usual}"
        )


def as_long(scale: float, against: Arm | None) -> str:
    """A factor as people say it."""
    return f"{words.times(scale)} as long as {words.arm(against)}"


def slower(pace: Pace) -> str:
    """The canary is slower than tolerated since warm-up."""
    return f"{pace.full}{_alone(pace.pods)}"


def lately_slower(pace: Pace, p_value: float) -> str:
    """It is slower since lately."""
    return f"{_lately(pace.seconds)} {pace.full}; {_seldom(p_value)}{_alone(pace.pods)}"


def waiting(waits: Waits, slow: float, limit: float) -> str:
    """
    Too many requests wait long since warm-up.

    Args:
        waits: how many do.
        slow: how many of both versions' do.
        limit: the first number of the canary's that nothing harmless explains.
    """
    return (
        f"{waits.text}; the canary has {words.count(waits.slow)} of these {words.count(slow)}, chance, pod "
        f"differences and the tolerance explain fewer than {words.count(limit)}{_alone(waits.pods)}"
    )


def lately_waiting(waits: Waits, seconds: float, p_value: float) -> str:
    """Too many do since lately."""
    return f"{_lately(seconds)} {waits.text}; {_seldom(p_value)}{_alone(waits.pods)}"


def one_slow_pod(pod: str, scale: float, left_out: int, pace: Pace) -> str:
    """One pod of the canary is slow."""
    return (
        f"one bad pod: {pod} takes {as_long(scale, pace.against)}; without the worst "
        f"{words.plural(left_out, 'pod')} of {pace.pods} the canary is not proven slower. {_PERSON}"
    )


def few_slow_pods(left_out: int, pace: Pace) -> str:
    """The canary is slower, but not proven without the worst of its pods."""
    return f"{pace.text}); {_unproven(left_out, pace.pods)}"


def one_waiting_pod(pod: str, slow: float, left_out: int, waits: Waits) -> str:
    """One pod of the canary has the requests that wait long."""
    return (
        f"one bad pod: {pod} has {words.count(slow)} of the canary's {words.plural(waits.slow, waits.each)} "
        f"longer than {waits.edge}; without the worst {words.plural(left_out, 'pod')} of {waits.pods} its "
        f"tail is not proven longer. {_PERSON}"
    )


def few_waiting_pods(left_out: int, waits: Waits) -> str:
    """The canary's tail is longer, but not proven without the worst of its pods."""
    return f"{waits.text}; {_unproven(left_out, waits.pods)}"


def unharmed(allowed: float, pace: Pace | None, *, excluded: bool) -> str:
    """Harm is not proven; it is excluded, or is not."""
    known = "is ruled out" if excluded else "is neither proven nor ruled out yet"
    seen = f"{pace.text}); " if pace else ""
    return f"{seen}slower than {words.times(allowed)} {known}"


def too_few(needs: int) -> str:
    """There is too little to rank."""
    return f"too few requests to compare; about {words.about(needs)} more are needed in each version"


_PERSON = "Look at that pod: a person must decide"


def _lately(seconds: float) -> str:
    return f"in the last {spoken_duration(seconds)}"


def _seldom(p_value: float) -> str:
    return f"a good release ever gets here {words.chance(p_value)}"


def _unproven(left_out: int, pods: int) -> str:
    without = f"without the worst {words.plural(left_out, 'pod')} of {pods}"
    return f"that is harm, but not proven yet {without}; waiting for the others to show it"


def _alone(pods: int) -> str:
    return "; it has one pod, and a bad pod looks the same" if pods == 1 else ""
