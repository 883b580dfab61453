"""
Rollouts and Canaries, as far as they tell whom they serve and how a release ended.

Argo Rollouts v1.10.1 (pkg/apis/rollouts/v1alpha1/types.go): `currentPodHash` is the newest revision,
`stableRS` the one that was last fully promoted, `abort` stands until a person retries. Flagger v1.44.0
(pkg/apis/flagger/v1beta1/status.go): a run ends in phase Succeeded or Failed, and the time of the last
transition tells which run it was.
"""

from datetime import datetime
from typing import Protocol

import msgspec

from firedamp.model import Release

#: Times of Kubernetes are whole seconds, cut off.
_SECOND = 1.0


class Named(msgspec.Struct, frozen=True):
    """Something by its name."""

    name: str = ""


class Metadata(msgspec.Struct, frozen=True):
    """What every object has."""

    name: str
    uid: str = ""


class State(Protocol):
    """An object that rolls releases out."""

    @property
    def metadata(self) -> Metadata: ...

    def serves(self, service: str) -> bool:
        """Whether what it rolls out goes by this name, though it has another one itself."""
        ...

    def ended(self, release: Release) -> str | None:
        """How this release of its ended, in the words of the hooks; None while it goes on."""
        ...


class CanaryStrategy(msgspec.Struct, frozen=True, rename="camel"):
    """Services of a Rollout that shifts traffic step by step."""

    stable_service: str = ""
    canary_service: str = ""


class BlueGreenStrategy(msgspec.Struct, frozen=True, rename="camel"):
    """Services of a Rollout that shifts it at once."""

    active_service: str = ""
    preview_service: str = ""


class Strategy(msgspec.Struct, frozen=True, rename="camel"):
    """One of both."""

    canary: CanaryStrategy | None = None
    blue_green: BlueGreenStrategy | None = None

    def services(self) -> set[str]:
        """Names of the Services that its pods stand behind."""
        canary, switched = self.canary or CanaryStrategy(), self.blue_green or BlueGreenStrategy()
        names = (canary.stable_service, canary.canary_service)
        return {*names, switched.active_service, switched.preview_service} - {""}


class RolloutSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What a Rollout rolls out."""

    workload_ref: Named | None = None
    strategy: Strategy = Strategy()


class RolloutStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Where a Rollout stands."""

    abort: bool = False
    current_pod_hash: str = ""
    stable: str = msgspec.field(default="", name="stableRS")


class Rollout(msgspec.Struct, frozen=True):
    """Of Argo Rollouts."""

    metadata: Metadata
    spec: RolloutSpec = RolloutSpec()
    status: RolloutStatus = RolloutStatus()

    def serves(self, service: str) -> bool:
        target = self.spec.workload_ref.name if self.spec.workload_ref else ""
        return service in {target, *self.spec.strategy.services()}

    def ended(self, release: Release) -> str | None:
        status, revision = self.status, release.rollout
        if status.stable == revision:
            return "promoted"
        if status.current_pod_hash == revision:
            return "rolled-back" if status.abort else None
        if not status.current_pod_hash:
            return None
        # Somebody put another version in its place: the one before it, or a third one.
        back = status.current_pod_hash == status.stable == release.arms.get("main")
        return "rolled-back" if back else "superseded"


class CanarySpec(msgspec.Struct, frozen=True, rename="camel"):
    """What a Canary rolls out."""

    target_ref: Named = Named()
    service: Named = Named()


class CanaryStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Where a Canary stands."""

    phase: str = ""
    last_transition_time: datetime | None = None


class Canary(msgspec.Struct, frozen=True):
    """Of Flagger."""

    metadata: Metadata
    spec: CanarySpec = CanarySpec()
    status: CanaryStatus = CanaryStatus()

    def serves(self, service: str) -> bool:
        return service in {self.spec.target_ref.name, self.spec.service.name} - {""}

    def ended(self, release: Release) -> str | None:
        outcome = {"Succeeded": "promoted", "Failed": "rolled-back"}.get(self.status.phase)
        changed = self.status.last_transition_time
        # What ended before the release began was another one.
        if changed is None or changed.timestamp() + _SECOND < release.started:
            return None
        return outcome


class More(msgspec.Struct, frozen=True, rename={"after": "continue"}):
    """Where the next page of a list begins; empty behind the last one."""

    after: str = ""


class Rollouts(msgspec.Struct, frozen=True):
    """A page of them."""

    items: list[Rollout] = []
    metadata: More = More()


class Canaries(msgspec.Struct, frozen=True):
    """A page of them."""

    items: list[Canary] = []
    metadata: More = More()
