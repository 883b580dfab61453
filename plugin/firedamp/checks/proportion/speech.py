"""What a proportion check says, from the numbers it has."""

import math
from dataclasses import dataclass

from firedamp import words
from firedamp.model import Arm
from firedamp.stats.noninferiority import NonInferiority
from firedamp.units import spoken_duration


@dataclass(frozen=True, slots=True)
class Facts:
    """
    The numbers behind a sentence.

    Attributes:
        noun: what the events counted are called: errors, or conversions where fewer are worse.
        fewer: the canary is feared to have fewer of them; else more.
        against: the comparison arm.
        baseline_rate: of the comparison arm at the canary's own traffic, in [0, 1].
        canary_rate: in [0, 1].
        canary_n, canary_pods, canary_events: canary's requests, pods and events since warm-up.
        events: of both arms.
        share: the canary's share of the traffic, weighted by events.
        tolerance: largest rise of the odds that is no harm, as a share.
        limit: the first count of canary events beyond what a good release explains.
        p_value: of the test, in [0, 1].
        margin: odds ratio that a pass excludes, > 1.
        excess: difference of the rates that a pass excludes, in (0, 1).
        odds: of an event in the canary over the other version's, where rates are not known; else None.
        each: what may be an event: a request, or a flow.
    """

    noun: str
    fewer: bool
    against: Arm | None
    baseline_rate: float
    canary_rate: float
    canary_n: float
    canary_pods: int
    canary_events: int
    events: int
    share: float
    tolerance: float
    limit: int
    p_value: float
    margin: float
    excess: float
    odds: float | None = None
    each: str = "request"

    @property
    def rates(self) -> str:
        """Both rates, canary first as in speech; or what they are to each other."""
        if self.odds is not None:
            return f"the odds are {words.times(self.odds)} {words.arm(self.against)}'s, rates are not known"
        return f"{words.percent(self.canary_rate)} against {self.usual}"

    @property
    def change(self) -> str:
        """What is feared."""
        return "fall" if self.fewer else "rise"

    @property
    def usual(self) -> str:
        """The comparison arm's rate."""
        return f"{words.percent(self.baseline_rate)} in {words.arm(self.against)}"

    @property
    def alone(self) -> str:
        """What a canary of one pod cannot tell apart."""
        return "; it has one pod, and a bad pod looks the same" if self.canary_pods == 1 else ""

    @property
    def served(self) -> str:
        """The canary's part of all events."""
        all_events = words.plural(self.events, self.noun)
        return f"the canary served {words.count(self.canary_events)} of the {all_events}"


def harm(facts: Facts) -> str:
    """The canary has more (or fewer) events than anything harmless explains."""
    return (
        f"{facts.served} with {words.percent(facts.share)} of the traffic ({facts.rates}); "
        f"chance, pod differences and the {words.percent(facts.tolerance)} tolerance explain "
        f"{'more' if facts.fewer else 'fewer'} than {words.count(facts.limit)} "
        f"(a good release gets here {words.chance(facts.p_value)}){facts.alone}"
    )


def late(facts: Facts, seconds: float) -> str:
    """The canary was as good as the other version, and lately is not."""
    return (
        f"{_lately(seconds)}{facts.served} with {words.percent(facts.share)} of the "
        f"traffic ({facts.rates}); a good release ever gets here {words.chance(facts.p_value)}{facts.alone}"
    )


def _lately(seconds: float | None) -> str:
    return "" if seconds is None else f"in the last {spoken_duration(seconds)} "


def few_pods(facts: Facts, left_out: int, worst: str, events: int, seconds: float | None = None) -> str:
    """Harm is proven, in the last seconds or since warm-up, but not without the worst of the pods."""
    whole = f"{words.count(events)} of the canary's {words.plural(facts.canary_events, facts.noun)}"
    without = words.plural(left_out, "pod")
    if events * 2 < facts.canary_events:
        return (
            f"{_lately(seconds)}{facts.served} ({facts.rates}); that is harm, but not proven yet without "
            f"the worst {without} of {facts.canary_pods}; waiting for the others to show it"
        )
    return (
        f"one bad pod: {_lately(seconds)}{worst} served {whole} ({facts.rates}); without the worst "
        f"{without} of {facts.canary_pods} the canary is not proven worse. "
        "Look at that pod: a person must decide"
    )


def dead(facts: Facts) -> str:
    """The canary fails outright while still warming up."""
    beyond = "less than even a tenth of the usual rate" if facts.fewer else "beyond even a tenfold rate"
    return f"already during warm-up {facts.served}, {beyond}; it is failing outright"


def apart(against: Arm | None) -> str:
    """Both arms have had requests, but never in the same block."""
    return f"{words.arm(against)} and canary have had no requests at the same time since warm-up"


def both_failing(
    bad_rates: tuple[float, float], against: Arm | None, limit: float, usual: float | None
) -> str:
    """The comparison arm itself is on fire: its rate is above a limit, be it of its usual one."""
    baseline, canary = (words.percent(rate) for rate in bad_rates)
    rates = f"{canary} against {baseline} in {words.arm(against)}"
    history = f", usual are {words.percent(usual)} at most" if usual is not None else ""
    return f"both versions are failing ({rates}{history}); above {words.percent(limit)} nothing passes"


def safe(facts: Facts, safety: NonInferiority) -> str:
    """Harm beyond the margin is excluded."""
    if safety.ratio_p > safety.absolute_p:
        return f"{facts.rates}; a {facts.change} by {words.points(facts.excess)} is ruled out"
    low, high = safety.ratio_interval
    if facts.fewer:
        low, high = 1 / high, 1 / low if low else float("inf")
    between = f"between {words.times(low)} and {words.times(high)} {words.arm(facts.against)}'s"
    if facts.odds is not None:
        return f"the odds are {between}, rates are not known; {_margin(facts)} is ruled out"
    return f"the rate is {between} ({facts.rates}); {_margin(facts)} is ruled out"


def waiting(
    facts: Facts, upper_rate: float, needs: int | None, per_second: float, detectable: float | None
) -> str:
    """
    Neither harm nor its absence is proven.

    Args:
        facts: the numbers.
        upper_rate: the canary's largest rate that is not excluded.
        needs: canary requests still missing, 0 when none are; None where no number will do.
        per_second: the canary's requests.
        detectable: change that would have been seen by now, as a ratio > 1; None where nobody asked.
    """
    requests = words.plural(facts.canary_n, f"canary {facts.each}")
    events = words.plural(facts.canary_events, facts.noun)
    cannot = (
        f"cannot rule out {_margin(facts)} ({facts.rates})"
        if facts.fewer or facts.odds is not None
        else f"can only rule out a rate above {words.percent(upper_rate)} ({facts.usual})"
    )
    noticed = "" if detectable is None else f"; {_noticed(facts, detectable)} would have been seen so far"
    seen = f"no proof of harm, but {requests} with {events} {cannot}{noticed}"
    if needs is None:
        pods = words.plural(facts.canary_pods, "canary pod")
        return (
            f"{seen}; {facts.each}s alone will not do, since pods differ: with {pods} only more pods can help"
        )
    if not needs:
        return f"{seen}; judged again at the end of the window"
    more = f"about {words.about(needs)} more canary {facts.each}s are needed"
    return f"{seen}; {more}{words.wait(needs, per_second)}"


def _noticed(facts: Facts, ratio: float) -> str:
    """What the test is sharp enough for."""
    if math.isinf(ratio):
        what = f"without any {facts.noun}" if facts.fewer else f"failing every {facts.each}"
        return f"not even a canary {what}"
    return f"only a {facts.change} to about {words.significant(1 / ratio if facts.fewer else ratio)}×"


def _margin(facts: Facts) -> str:
    return f"a {facts.change} to {words.times(1 / facts.margin if facts.fewer else facts.margin)}"
