"""
End-to-end flows, and the checks that follow from each.

A flow is judged like any metric: whether it fails, whether something fails beneath the service that its root
does not show, and how long it takes: the whole, the service's part, and what its caller waited. Its part of
alpha is split among those. Beside that, whether flows fail more since the release that it did not touch.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from firedamp.checks import Check, FlowCollateral, FlowDuration, FlowFailures, FlowRoot
from firedamp.decision.parameters import Sampled, Tracing
from firedamp.model import Tier
from firedamp.queries import Measure
from firedamp.tracing import Trace
from firedamp.units import Tolerance

_T = TypeVar("_T")

_LONGEST = 45
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]{0,43}[a-z0-9])?$")]
#: Of the root, and below the service.
_FAILURES = {"availability": False, "below": True}
_DURATIONS = {
    "latency": Measure.FLOW_SECONDS,
    "service-latency": Measure.SERVICE_SECONDS,
    "caller-latency": Measure.CALLER_SECONDS,
}
#: What can be told of a flow that does not pass through the service itself.
_LINKED = ("availability", "latency")
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
    #: It begins where a message is read that the service wrote, by a trace of its own with a link.
    linked: bool = False
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
        """What is judged of it: half of its weight is for failures, half for time."""
        failures, durations = self._told(_FAILURES), self._told(_DURATIONS)
        common = {
            "tier": self.tier,
            "tolerance": self.tolerance,
            "flow": self.root.model_dump(),
            "link": tracing.link,
            "linked": self.linked,
            "errors_kept": tracing.sampling is Sampled.ERRORS_KEPT,
        }
        for name, below in failures.items():
            yield FlowFailures(
                name=f"{self.name}.{name}",
                kind="flow-failures",
                weight=self.weight / 2 / len(failures),
                failure=self.failure,
                below=below,
                **common,
            )
        if not common["errors_kept"]:  # or nobody knows their rate
            yield FlowCollateral(
                name=f"{self.name}.collateral",
                kind="flow-collateral",
                weight=self.weight,
                failure=self.failure,
                **{**common, "tier": self.collateral},
            )
        for name, measure in durations.items():
            yield FlowDuration(
                name=f"{self.name}.{name}",
                kind="flow-duration",
                weight=self.weight / 2 / len(durations),
                measure=measure,
                **common,
            )

    def _told(self, each: Mapping[str, _T]) -> dict[str, _T]:
        return {name: one for name, one in each.items() if not self.linked or name in _LINKED}


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
