"""
Traces of a small shop, as its programs would send them: gateway, orders (v1 and v2), payments.

A `Trip` is the recipe of one trace: when it began, what its customer got, and which pods of orders it met.

    trips = shop(1000, begin, 60.0, seed=7, canary_share=0.05)
    await send(jaeger.intake, trips)

`resource_spans` gives the same as plain values, and of some services alone, for what arrives late.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, NamedTuple

import aiohttp

OPERATION = "POST /orders"
_SERVER, _CLIENT, _CONSUMER = 2, 3, 5
_PER_REQUEST = 2000
_GATEWAY, _PAYMENTS = ("gateway", "g1", "gateway-1"), ("payments", "p1", "payments-1")
_BILLING = "billing", "b1", "billing-1"


@dataclass(frozen=True, slots=True)
class Hop:
    """
    One call from the gateway to orders.

    Attributes:
        version: of the pod that is called; `pod` is its number.
        after: seconds between the root's start and the call.
        seconds: until orders answers.
        code, failed: what the visit ends with.
        answered: False leaves the caller's span alone, for a pod that never answers.
        lost: seconds that pass between the caller and the handler, before it begins.
        route: that orders knows for the request; empty where it knows none.
        cluster: what a mesh calls whom it sent the request to.
        paid: orders asks payments; `declined` is how payments fails.
    """

    version: str = "v1"
    pod: int = 1
    after: float = 0.01
    seconds: float = 0.05
    code: int = 200
    failed: bool = False
    answered: bool = True
    lost: float = 0.0
    route: str = "/orders"
    cluster: str = ""
    paid: bool = True
    declined: bool = False

    @property
    def name(self) -> str:
        """Of the pod, as a ReplicaSet would call it."""
        return f"orders-{self.version}-{self.pod}"


@dataclass(frozen=True, slots=True)
class Trip:
    """
    One trace.

    Attributes:
        at: start of its root, Unix seconds.
        seconds: of the root.
        code, failed: what its root ends with.
        name: of the root's span; `route` is its http.route, where it tells one.
        parent: somebody outside, where the trace began there.
        state: W3C trace state of every span.
        links: ids of other traces that the root belongs to.
        queue: billing read a message from it; empty where a customer asked the gateway.
    """

    trace_id: str
    at: float
    hops: tuple[Hop, ...] = (Hop(),)
    seconds: float = 0.1
    code: int = 200
    failed: bool = False
    name: str = OPERATION
    route: str = "/orders"
    parent: str = ""
    state: str = ""
    links: tuple[str, ...] = ()
    queue: str = ""


def shop(
    count: int, begin: float, seconds: float, *, seed: int, canary_share: float = 0.5, hop: Hop | None = None
) -> list[Trip]:
    """That many healthy trips, spread evenly over so many seconds; a share of them meets v2 first."""
    rng, hop = random.Random(seed), hop or Hop()
    return [
        Trip(
            f"{rng.getrandbits(128):032x}",
            begin + seconds * at / count,
            (replace(hop, version="v2" if rng.random() < canary_share else "v1", pod=rng.randint(1, 3)),),
        )
        for at in range(count)
    ]


async def send(intake: str, trips: Sequence[Trip], services: Iterable[str] = ()) -> None:
    """Send trips by OTLP/HTTP as JSON, some thousand a request; only spans of `services` where given."""
    async with aiohttp.ClientSession() as session:
        for at in range(0, len(trips), _PER_REQUEST):
            told = {"resourceSpans": resource_spans(trips[at : at + _PER_REQUEST], services)}
            async with session.post(
                f"{intake}/v1/traces",
                data=BytesIO(json.dumps(told).encode()),
                headers={"Content-Type": "application/json"},
            ) as answer:
                if answer.status != 200:
                    raise RuntimeError(f"{intake} answered {answer.status}: {await answer.text()}")


def resource_spans(trips: Iterable[Trip], services: Iterable[str] = ()) -> list[dict[str, Any]]:
    """OTLP/JSON of trips, grouped by pod as an exporter would; only of `services` where given."""
    wanted, found = set(services), {}
    for trip in trips:
        for span in _spans(trip):
            if not wanted or span.pod[0] in wanted:
                found.setdefault(span.pod, []).append(_written(trip, span))
    return [
        {"resource": {"attributes": _resource(*pod)}, "scopeSpans": [{"scope": {}, "spans": spans}]}
        for pod, spans in found.items()
    ]


class _Span(NamedTuple):
    """A span of a trip; its number makes its id, and so does its parent's."""

    pod: tuple[str, str, str]
    number: int
    parent: int
    name: str
    kind: int
    start: float
    seconds: float
    failed: bool
    told: dict[str, Any]


def _spans(trip: Trip) -> Iterator[_Span]:
    if trip.queue:
        read = {"messaging.destination.name": trip.queue}
        yield _Span(_BILLING, 1, 0, trip.name, _CONSUMER, trip.at, trip.seconds, trip.failed, read)
        return
    told = _http(trip.code) | ({"http.route": trip.route} if trip.route else {})
    yield _Span(_GATEWAY, 1, 0, trip.name, _SERVER, trip.at, trip.seconds, trip.failed, told)
    for at, hop in enumerate(trip.hops):
        yield from _hop(hop, trip.at + hop.after, 2 + 4 * at)


def _hop(hop: Hop, start: float, number: int) -> Iterator[_Span]:
    peer = {"server.address": "orders", "network.peer.address": f"10.0.{hop.version[-1]}.{hop.pod}"}
    peer |= {"upstream_cluster": hop.cluster} if hop.cluster else {}
    waited = hop.lost + hop.seconds + 0.002
    if not hop.answered:
        yield _Span(_GATEWAY, number, 1, "POST", _CLIENT, start, waited, True, peer)
        return
    told, pod = _http(hop.code), ("orders", hop.version, hop.name)
    yield _Span(_GATEWAY, number, 1, "POST", _CLIENT, start, waited, hop.failed, told | peer)
    told |= {"http.route": hop.route} if hop.route else {}
    name, entered = f"POST {hop.route}".strip(), start + hop.lost + 0.001
    yield _Span(pod, number + 1, number, name, _SERVER, entered, hop.seconds, hop.failed, told)
    if hop.paid:
        yield from _payment(hop, pod, entered + 0.002, number + 1)


def _payment(hop: Hop, orders: tuple[str, str, str], start: float, visit: int) -> Iterator[_Span]:
    told = {"rpc.service": "shop.Payments", "rpc.method": "Pay", "rpc.grpc.status_code": 2 * hop.declined}
    name = "shop.Payments/Pay"
    yield _Span(orders, visit + 1, visit, name, _CLIENT, start, 0.02, hop.declined, told)
    yield _Span(_PAYMENTS, visit + 2, visit + 1, name, _SERVER, start + 0.001, 0.018, hop.declined, told)


def _http(code: int) -> dict[str, Any]:
    return {"http.request.method": "POST", "http.response.status_code": code}


def _written(trip: Trip, span: _Span) -> dict[str, Any]:
    began = round(span.start * 1e6) * 1000
    parent = _id(trip, span.parent) if span.parent else trip.parent
    links = trip.links if not span.parent else ()
    return {
        "traceId": trip.trace_id,
        "spanId": _id(trip, span.number),
        "parentSpanId": parent,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + round(span.seconds * 1e6) * 1000),
        "attributes": _attributes(span.told),
        "status": {"code": 2} if span.failed else {},
        "links": [{"traceId": link, "spanId": _id(trip, 1)} for link in links],
        "traceState": trip.state,
    }


def _id(trip: Trip, number: int) -> str:
    return f"{int(trip.trace_id[:8], 16):012x}{number:04x}"


def _resource(service: str, version: str, pod: str) -> list[dict[str, Any]]:
    return _attributes({"service.name": service, "service.version": version, "k8s.pod.name": pod})


def _attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in told.items()
    ]
