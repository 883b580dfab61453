"""
Releases of a shop whose own metrics look well: half an hour and more of traces, and the metrics beside them.

A fifth of the flows meets the canary. What is wrong with it shows end to end only.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from firedamp.model import Ask, Controller, Finding, Question, Verdict
from real import serving
from real.history import Story
from real.orders import Hop, Trip

#: When releases begin, some hours ago.
RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
PER_SECOND, SHARE, PODS = 6.0, 0.2, {"stable": 4, "canary": 2}
#: Of both versions' flows, in either of which nothing else is wrong.
_FAILING = 0.002
_CLUSTER = "outbound|80|{}|orders.shop.svc.cluster.local"

LINK = "https://traces.example/trace/{trace_id}"
_LATENCY = "http_request_duration_seconds"
FLOW = {"name": "place-order", "root": {"service": "gateway", "operation": "POST /orders"}}

#: A message that each order writes, read by billing in a trace of its own.
BILL = {"name": "bill", "root": {"service": "billing", "operation": "orders"}, "linked": True}
#: What becomes of a trip.
Harm = Callable[[Trip, random.Random], Trip]


def _well(trip: Trip, rng: random.Random) -> Trip:
    return trip


def _deleted(trip: Trip, rng: random.Random) -> Trip:
    """The route is gone: a polite 404 all the way, and nobody's status is an error."""
    return replace(trip, code=404, hops=(replace(trip.hops[0], code=404, route="", paid=False),))


def _unreadable(trip: Trip, rng: random.Random) -> Trip:
    """A third of its messages cannot be read by payments; its own answer is well."""
    return replace(trip, hops=(replace(trip.hops[0], declined=rng.random() < 1 / 3),))


def _silent(trip: Trip, rng: random.Random) -> Trip:
    """Nobody answers: there is no span of the canary, only its caller's."""
    return replace(trip, code=503, failed=True, hops=(replace(trip.hops[0], answered=False),))


def _lost(trip: Trip, rng: random.Random) -> Trip:
    """Half as long again passes before its handler begins."""
    hop = trip.hops[0]
    lost = 0.5 * trip.seconds
    return replace(trip, seconds=trip.seconds + lost, hops=(replace(hop, lost=lost),))


def _read(trip: Trip, rng: random.Random) -> Trip:
    """Billing reads the trip's message a second later; every third one of the canary is beyond it."""
    failed = (trip.hops[0].version == "canary" and rng.random() < 1 / 3) or rng.random() < _FAILING
    own = f"{rng.getrandbits(128):032x}"
    return Trip(
        own, trip.at + 1.0, (), name="process orders", queue="orders", links=(trip.trace_id,), failed=failed
    )


def _spoilt(trip: Trip, rng: random.Random) -> Trip:
    """One in ten finds what the canary has written in the meantime, and fails."""
    failed = trip.at > RELEASED + 200 and rng.random() < 0.1
    return replace(trip, code=500, failed=True) if failed else trip


@dataclass(frozen=True)
class Case:
    """
    One release.

    Attributes:
        story: what its own metrics tell.
        harm: what is wrong end to end with what met it.
        check: the flow check that must find it; empty for a good release.
        beside: what is wrong with the flows of the other version.
        read: the trip in which the message is read that a trip writes; None where it writes none.
    """

    story: Story
    harm: Harm
    check: str = ""
    beside: Harm = _well
    read: Harm | None = None

    def trips(self, begin: float, seconds: float) -> Iterator[Trip]:
        """Flows that begin in so many seconds, as random ones do."""
        rng = random.Random(self.story.service)
        at = begin
        while (at := at + rng.expovariate(PER_SECOND)) < begin + seconds:
            yield (trip := self._trip(at, rng))
            if self.read is not None:
                yield self.read(trip, rng)

    def _trip(self, at: float, rng: random.Random) -> Trip:
        version = "canary" if rng.random() < SHARE else "stable"
        seconds = 0.05 * rng.lognormvariate(0, 0.4)
        pod = rng.randint(1, PODS[version])
        hop = Hop(version=version, pod=pod, seconds=seconds, cluster=_CLUSTER.format(version))
        trip = Trip(f"{rng.getrandbits(128):032x}", at, (hop,), seconds=seconds + 0.02)
        if rng.random() < _FAILING:
            trip = replace(trip, code=500, failed=True, hops=(replace(hop, code=500, failed=True),))
        return self.harm(trip, rng) if version == "canary" else self.beside(trip, rng)


def _story(name: str, errors: float = 0.002, share: float = SHARE) -> Story:
    # The service is asked for more than these flows.
    return Story(name, 5 * PER_SECOND, share, baseline_errors=0.002, canary_errors=errors)


CASES = {
    "deleted": Case(_story("deleted"), _deleted, "place-order.availability"),
    "unreadable": Case(_story("unreadable", errors=0.0), _unreadable, "place-order.below"),
    "silent": Case(_story("silent", share=0.0), _silent, "place-order.availability"),
    "lost": Case(_story("lost"), _lost, "place-order.caller-latency"),
    "poisoning": Case(_story("poisoning"), _well, "bill.availability", read=_read),
    "spoiling": Case(_story("spoiling"), _well, "place-order.collateral", beside=_spoilt),
    "healthy": Case(_story("healthy"), _well),
}


def settings(case: Case, prometheus: str, tracer: dict | None = None, **traces: object) -> dict:
    """One service and its sources; with flows where there is a source of traces, and more about those."""
    name = case.story.service
    latency = {"name": "latency", "kind": "distribution", "histogram": f'{_LATENCY}{{service="{name}"}}'}
    sources = [{"name": "prometheus", "kind": "prometheus", "url": prometheus}]
    if tracer is None:
        return {"sources": sources, "services": [serving.service(name, latency)]}
    flows = {"services": ["orders"], "flows": [FLOW], "settle": "60s", "link": LINK, **traces}
    service = serving.service(name, latency, traces=flows)
    # Nobody waits: a busy machine is no reason to be told fewer flows.
    return {"sources": [*sources, tracer], "services": [service], "limits": {"deadline": 30}}


def ask(case: Case) -> Ask:
    """May it be promoted?"""
    arms = {"canary": "canary", "main": "stable"}
    name = case.story.service
    return Ask("shop", name, Question.PROMOTE, Controller.ARGO, revision="canary", arms=arms)


def finding(verdict: Verdict, check: str) -> Finding:
    """What one check says."""
    return next(one for one in verdict.findings if one.check == check)
