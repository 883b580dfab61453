"""
End-to-end flows, and the checks that follow from each.

A flow is judged like any metric: whether it fails, whether something fails beneath the service that its root
does not show, and how long it takes: the whole, the service's part, and what its caller waited. Its part of
alpha is split among those. Beside that, whether flows fail more since the release that it did not touch.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from firedamp.checks import Check, FlowCollateral, FlowDuration, FlowFailures, FlowRoot
from firedamp.decision.parameters import Sampled, Tracing
from firedamp.model import Tier
from firedamp.queries import Measure
from firedamp.tracing import Trace
from firedamp.units import Tolerance

_LONGEST = 45
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]{0,43}[a-z0-9])?$")]
#: Half for failures, half for time.
_FAILURES, _SECONDS = 1 / 4, 1 / 6
_DURATIONS = {
    "latency": Measure.FLOW_SECONDS,
    "service-latency": Measure.SERVICE_SECONDS,
    "caller-latency": Measure.CALLER_SECONDS,
}
#: What a polite answer hides: an endpoint that is gone.
FAILURES = ("error", "5xx", "404", "405", "410", "501", "UNIMPLEMENTED")
Failure = Annotated[str, StringConstraints(pattern=r"^(error|[1-5]xx|[1-5][0-9]{2}|[A-Z][A-Z_]{1,30})$")]
#: A flow met less often than this is none to judge by.
_FEWEST = 20


class Flow(BaseModel):
    """One end-to-end operation that passes through the service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    root: FlowRoot
    tier: Tier = Tier.CRITICAL
    #: Its part of the release's alpha, relative to the other checks of its tier.
    weight: float = Field(default=1.0, gt=0, le=100)
    #: What a failure is: error (the root span's status), HTTP codes and classes of them, gRPC statuses.
    failure: tuple[Failure, ...] = FAILURES
    #: Largest rise of the odds of a failure, and of the time taken, that is no harm.
    tolerance: Tolerance = 0.2
    #: Of the check whether those fail more that do not meet the canary.
    collateral: Tier = Tier.WARN

    def checks(self, tracing: Tracing) -> Iterator[Check]:
        """What is judged of it."""
        common = {
            "tier": self.tier,
            "tolerance": self.tolerance,
            "flow": self.root.model_dump(),
            "link": tracing.link,
            "errors_kept": tracing.sampling is Sampled.ERRORS_KEPT,
        }
        for name, below in (("availability", False), ("below", True)):
            yield FlowFailures(
                name=f"{self.name}.{name}",
                kind="flow-failures",
                weight=self.weight * _FAILURES,
                failure=self.failure,
                below=below,
                **common,
            )
        if not common["errors_kept"]:  # or nobody knows their rate
            yield FlowCollateral(
                name=f"{self.name}.collateral",
                kind="flow-collateral",
                tier=self.collateral,
                weight=self.weight,
                flow=self.root,
                link=tracing.link,
                failure=self.failure,
                tolerance=self.tolerance,
            )
        for name, measure in _DURATIONS.items():
            yield FlowDuration(
                name=f"{self.name}.{name}",
                kind="flow-duration",
                weight=self.weight * _SECONDS,
                measure=measure,
                **common,
            )


def busiest(traces: Iterable[Trace], most: int) -> list[Flow]:
    """The flows whose traces met the service most often, each under a name of its own."""
    met = ((trace.root.service, trace.root.operation) for trace in traces if trace.visits and trace.root)
    often = [(root, times) for named, times in Counter(met).most_common() if (root := FlowRoot.of(*named))]
    found: dict[str, Flow] = {}
    for root, times in often[:most]:
        if times >= _FEWEST:
            name = _free(_slug(root.operation) or _slug(root.service) or "flow", found)
            found[name] = Flow(name=name, root=root)
    return list(found.values())


def _slug(text: str) -> str:
    """What a check may be called: POST /orders/{id} is post-orders-id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_LONGEST].strip("-")


def _free(name: str, taken: Iterable[str]) -> str:
    names, number = set(taken), 2
    free = name
    while free in names:
        free, number = f"{name[: _LONGEST - 3]}-{number}", number + 1
    return free
