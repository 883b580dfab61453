"""
Which cohort a pod belongs to, by what its spans tell of it.

The settings tell cohorts apart by labels of metrics; spans carry attributes instead, under names of their
own. So the same matchers are asked of the attributes as labels, and where they cannot tell (the label is
missing), what every pod shows: its name, its ReplicaSet's, its Deployment's, its version. Never a span's
name or route: a deleted endpoint has none.

Source: OpenTelemetry semantic conventions 1.44, resource/k8s.md; names of Istio's and Envoy's tags.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from firedamp.cohorts import ArmMatchers, Matchers, told_apart_by
from firedamp.model import Arm
from firedamp.tracing.spans import Attributes
from firedamp.tracing.traces import Call, Trace, Visit

_UNSAFE = re.compile(r"[^a-zA-Z0-9_]")
# A pod's labels are attributes under a prefix, which older collectors wrote in the plural.
_POD_LABEL = re.compile(r"k8s\.pod\.labels?\.")
_ADDRESS = "k8s.pod.ip"
#: Stands for the pods of which nothing is known but that they do not answer.
UNANSWERED = "unanswered"
_PODS = ("k8s.pod.name", "host.name", "service.instance.id")
_NAMED = {
    "k8s.pod.name": "pod",
    "k8s.namespace.name": "namespace",
    "k8s.deployment.name": "destination_workload",
    "service.version": "version",
    "istio.canonical_revision": "destination_canonical_revision",
}
_VERSIONS = ("k8s.replicaset.name", "service.version", "istio.canonical_revision", "container.image.tag")

#: A cohort, and the pod in it.
Place = tuple[Arm, str]
#: Stands for all flows that did not meet the canary, whether they met the service or not.
BESIDE: Place = Arm.MAIN, "beside"


def labels(resource: Attributes) -> dict[str, str]:
    """Attributes as metrics would have them for labels; those of the pod under their own names."""
    found = {_UNSAFE.sub("_", name): value for name, value in resource.items()}
    for name, value in resource.items():
        if own := _POD_LABEL.match(name):
            found[_UNSAFE.sub("_", name[own.end() :])] = value
        if name in _NAMED:
            found.setdefault(_NAMED[name], value)
    return found


def pod(resource: Attributes) -> str:
    """The pod's name, or whatever else tells its spans from others'."""
    return next((resource[name] for name in _PODS if resource.get(name)), "all pods")


@dataclass(slots=True)
class Cohorts:
    """
    The cohorts of one release, as spans tell them.

    Attributes:
        names: what the caller calls each cohort: a hash, a version.
        own: matchers of each cohort in the service's metrics.
        by_pod: matchers by the pod's name.
        service: its name, as controllers call it.
    """

    names: Mapping[str, str]
    own: ArmMatchers
    by_pod: ArmMatchers
    service: str
    _known: dict[tuple[tuple[str, str], ...], Arm | None] = field(default_factory=dict)

    def of(self, trace: Trace, pods: Mapping[str, Attributes]) -> Place | None:
        """
        Where a trace belongs: to whom it was sent first, answered or not, and whatever a retry made of it.

        Args:
            trace: any.
            pods: attributes of pods, by their addresses.

        Returns:
            None where nothing tells, or the service was not asked.
        """
        # Clocks of pods differ: what callers saw is told apart by what callers saw.
        answered = (call.start for call in trace.calls if call.answered)
        first = min(answered, default=min((visit.start for visit in trace.visits), default=math.inf))
        for call in trace.calls:
            if call.start < first and not call.answered and (arm := self._called(call, pods)) is not None:
                known = pods.get(call.address)
                return arm, pod(known) if known else UNANSWERED
        return self._visited(trace.visits[0]) if trace.visits else None

    def _visited(self, visit: Visit) -> Place | None:
        arm = self.arm(visit.resource)
        return None if arm is None else (arm, pod(visit.resource))

    def is_mixed(self, trace: Trace) -> bool:
        """Several cohorts answered, which is neither's fault nor merit."""
        return len(trace.visits) > 1 and len({self.arm(visit.resource) for visit in trace.visits}) > 1

    def is_beside(self, trace: Trace, place: Place | None) -> bool:
        """It is known not to have met the canary, neither first (which its place tells) nor later."""
        if place is None and (trace.visits or trace.calls):
            return False
        first = place is not None and place[0] is Arm.CANARY
        return not first and all(self.arm(visit.resource) is not Arm.CANARY for visit in trace.visits)

    def arm(self, resource: Attributes) -> Arm | None:
        """The cohort of a pod; None where nothing tells. Pods are few, so each is looked at once."""
        key = tuple(sorted(resource.items()))
        if key not in self._known:
            self._known[key] = self._found(resource)
        return self._known[key]

    def _found(self, resource: Attributes) -> Arm | None:
        shown = labels(resource)
        if _tells(self.own, shown):
            return _accepting(self.own, shown)
        if _tells(self.by_pod, shown) and (arm := _accepting(self.by_pod, shown)) is not None:
            return arm
        told = (resource[attribute] for attribute in _VERSIONS if attribute in resource)
        named = (arm for each in told for arm in self.own if _is(each, self.names.get(arm, "")))
        return next(named, None) or _of_workload(resource.get("service.name", ""), self.service)

    def _called(self, call: Call, pods: Mapping[str, Attributes]) -> Arm | None:
        """The cohort that a call was made to, by what its caller knew of its peer."""
        if known := pods.get(call.address):
            return self.arm(known)
        for target in call.targets:
            # outbound|80|v2|orders.shop.svc.cluster.local
            *_, subset, host = ("", *target.split("|"))
            host = host.split(".", 1)[0]
            named = (arm for arm in self.own if _is(subset or host, self.names.get(arm, "")))
            if arm := next(named, None) or _of_workload(host, self.service):
                return arm
        return None


def _tells(selected: ArmMatchers, shown: Mapping[str, str]) -> bool:
    """Every label that tells the cohorts apart is there."""
    distinctive = told_apart_by(selected)
    return bool(distinctive) and all(label in shown for label in distinctive)


def _accepting(selected: ArmMatchers, shown: Mapping[str, str]) -> Arm | None:
    return next((arm for arm, matchers in selected.items() if _accepted(matchers, shown)), None)


def _accepted(matchers: Matchers, shown: Mapping[str, str]) -> bool:
    # Spans do not tell all that metrics do: their namespace, the scrape's job.
    return all(one.accepts(shown[one.label]) for one in matchers if one.label in shown)


def _is(told: str, name: str) -> bool:
    return bool(name) and (told == name or told.endswith(f"-{name}"))


def _of_workload(name: str, service: str) -> Arm | None:
    """Flagger's and the meshes' habit: what is called -primary or -stable is the old version."""
    if name in (f"{service}-primary", f"{service}-stable"):
        return Arm.MAIN
    return Arm.CANARY if name == f"{service}-canary" else None


def addresses(traces: Sequence[Trace]) -> dict[str, Attributes]:
    """
    Whose an address is: as pods tell themselves, and learnt from calls that one visit answered.

    One that several pods answer at, a service's or a proxy's, is nobody's: it has no attributes.
    """
    found: dict[str, Attributes] = {}
    for trace in traces:
        lone = len(trace.visits) == len(trace.calls) == 1 and trace.calls[0].answered
        if lone and trace.calls[0].address:
            _meet(found, trace.calls[0].address, trace.visits[0].resource)
        for visit in trace.visits:
            if own := visit.resource.get(_ADDRESS):
                _meet(found, own, visit.resource)
    return found


def merged(old: Mapping[str, Attributes], new: Mapping[str, Attributes]) -> dict[str, Attributes]:
    """What was known of addresses, and what came to be known; those met last at the end."""
    found = {address: known for address, known in old.items() if address not in new}
    for address, resource in new.items():
        found[address] = old.get(address, resource)
        _meet(found, address, resource)
    return found


def _meet(found: dict[str, Attributes], address: str, resource: Attributes) -> None:
    known = found.setdefault(address, resource)
    if known and (not resource or pod(known) != pod(resource)):
        found[address] = {}
