"""
Makes the traces of the shop's orders: from the gateway through a pod of `orders` into the warehouse.

Each is recorded as it was joined for `orders`. What the warehouse cannot read fails there, where neither
`orders` nor the customer ever hears of it.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from firedamp.demo import story
from firedamp.demo.pods import Floats, Pod
from firedamp.tracing import Call, Root, Trace, Visit

#: Orders per second; most requests are for something else.
ORDERS = 3.0
_MEDIAN_SECONDS, _LATENCY_SIGMA = 0.12, 0.4
#: Orders fail less often than what else is asked for.
_FAILING = 1 / 3


def orders(
    pods: Sequence[Pod],
    breathing: Floats,
    rng: np.random.Generator,
    *,
    begin: float = 0.0,
    end: float = story.DURATION_SECONDS,
) -> Iterator[Trace]:
    """The traces of all orders from `begin` to `end`, by their starts in seconds of the recording."""
    every = story.SCRAPE_SECONDS
    for number in range(int(begin / every), int(end / every)):
        count = rng.poisson(ORDERS * breathing[number] * every)
        for at in np.sort(rng.uniform(number * every, (number + 1) * every, count)).tolist():
            shares = np.array([pod.share(at) for pod in pods])
            yield _order(pods[rng.choice(len(pods), p=shares / shares.sum())], at, rng)


def _order(pod: Pod, at: float, rng: np.random.Generator) -> Trace:
    took = _MEDIAN_SECONDS * pod.slowness * rng.lognormal(0, _LATENCY_SIGMA)
    failed = bool(rng.random() < _FAILING * pod.errors)
    code = "500" if failed else "201"
    whole = Root(story.ENTRY, story.ORDER, story.ORDER, _exact(took + 0.01), failed, code)
    call = Call(_exact(at + 0.004), _exact(took + 0.002), True, (pod.of.service,), "", failed, code)
    visit = Visit(_exact(at + 0.005), _exact(took), story.ORDER, _resource(pod), failed, code)
    return Trace(
        trace_id=rng.bytes(16).hex(),
        start=_exact(at),
        root=whole,
        visits=(visit,),
        calls=(call,),
        failed_below=bool(rng.random() < pod.unread),
    )


def _exact(seconds: float) -> float:
    """As it is recorded, to the millisecond."""
    return round(seconds, 3)


def _resource(pod: Pod) -> dict[str, str]:
    return {
        "service.name": pod.of.service,
        "k8s.namespace.name": story.NAMESPACE,
        "k8s.pod.name": pod.name,
    }
