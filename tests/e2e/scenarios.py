"""
The releases that are played, one after the other what a team may live through.

Each says what is installed of the examples, how its service is judged, what the new version does, and what
has to come of it. Windows are short: a look every four seconds, a verdict after one minute.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from e2e import ends, examples
from e2e.api import Document
from e2e.examples import Faults
from e2e.play import Play
from e2e.releasing import End

ROLLOUT, CANARY = "rollout-istio-three-groups.yaml", "canary.yaml"
_CALM_SECONDS = 15.0
_WINDOW = {
    "look": "4s",
    "warm_up": "4s",
    "promote_after": "60s",
    "decide_by": "120s",
    "advance_after": "12s",
    "advance_by": "40s",
}
#: Two minutes of a little traffic cannot exclude half a percentage point; five will do here.
_MARGIN = {"pass_excess": "5%"}
_FLOW = {
    "name": "place-order",
    "root": {"service": "gateway", "operation": "POST /orders"},
    "tolerance": "50%",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One release.

    Attributes:
        name: of the scenario, and of its namespace.
        example: the file with what is installed.
        play: what happens, and what is held of it.
        judged: what its service has in the settings beside what the examples' settings say.
        old: what the old version does, and always did.
        per_second: requests of users.
        told: whether somebody tells firedamp how it ended.
    """

    name: str
    example: str
    play: Callable[[Play], Awaitable[None]]
    judged: Mapping[str, Any] = field(default_factory=dict)
    old: Faults = field(default_factory=dict)
    per_second: float = 60.0
    told: bool = True

    def __str__(self) -> str:
        return self.name

    def documents(self, secret: str) -> list[Document]:
        """The example in the scenario's namespace."""
        made = self._example(secret)
        return examples.telling(made) if self.told else examples.silent(made)

    def _example(self, secret: str) -> list[Document]:
        if self.example == CANARY:
            quick = {"interval": "10s", "stepWeight": 20, "maxWeight": 60}
            return examples.canary(self.example, self.name, secret=secret, replicas=2, **quick)
        return examples.rollout(self.example, self.name, interval="2s", replicas=3, weight=20)

    def service(self) -> Mapping[str, Any]:
        """How its service is judged."""
        name = examples.workload(self.documents(""))["metadata"]["name"]
        shipped = next(one for one in examples.settings()["services"] if one["name"] == name)
        checks = [one | (_MARGIN if one["kind"] == "proportion" else {}) for one in shipped["checks"]]
        tuned = {f"place-order.{name}": _MARGIN for name in ("availability", "below")}
        traces = {"source": "jaeger", "settle": "4s", "flows": [_FLOW], "tuned": tuned}
        ours = {"namespace": self.name, "window": _WINDOW, "checks": checks, "traces": traces}
        return {**shipped, **ours, **self.judged}


async def _begun(play: Play, old: Faults, new: Faults) -> None:
    await play.begin(old, calm_seconds=_CALM_SECONDS)
    await play.release("v2", {**old, **new})


async def healthy(play: Play) -> None:
    """Nothing is wrong with it: promoted, step by step."""
    await _begun(play, {}, {})
    await play.ended(End.PROMOTED)

    assert {20, 50} <= set(play.course.steps) or {20, 40, 60} <= set(play.course.steps)
    assert (await play.recorded())[0]["verdict"] == "pass"
    assert play.load.answers[200] >= 0.99 * play.load.answers.total()
    await ends.told(play, "promoted")


async def errors(play: Play) -> None:
    """Five times as many errors: rolled back before anybody promotes it, with the numbers."""
    await _begun(play, {"background": 0.02}, {"errors": 0.08})
    await play.ended(End.ROLLED_BACK)

    [release] = await play.recorded()
    assert release["verdict"] == "fail"
    assert "errors: the canary served" in release["sentence"]
    await ends.told(play, "rolled-back")


async def deleted(play: Play) -> None:
    """A route is gone, and its own metrics look well: rolled back because of the flow."""
    await _begun(play, {}, {"deleted": True})
    await play.ended(End.ROLLED_BACK)

    [release] = await play.recorded()
    assert release["verdict"] == "fail"
    assert release["sentence"].startswith("place-order.")
    await ends.told(play, "rolled-back")


_PLAYS = {
    "healthy": healthy,
    "errors": errors,
    "deleted": deleted,
    "untold": ends.untold,
    "superseded": ends.superseded,
}
SCENARIOS = tuple(
    Scenario(f"{controller}-{name}", example, play, told=name != "untold")
    for name, play in _PLAYS.items()
    for controller, example in (("argo", ROLLOUT), ("flagger", CANARY))
)
