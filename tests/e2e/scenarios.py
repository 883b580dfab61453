"""
The releases that are played, one after the other what a team may live through.

Each says what is installed of the examples, how its service is judged, and what happens (`plays`, `mishaps`).
Windows are short: a look every four seconds, a verdict after one minute.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from e2e import builtin, ends, examples, mishaps, plays
from e2e.api import Document
from e2e.houses import Kind
from e2e.play import Play

THREE_GROUPS, REPLICAS = "rollout-istio-three-groups.yaml", "rollout-replicas.yaml"
CANARY, GATES = "canary.yaml", "canary-with-gates.yaml"
#: How far Flagger goes each time that it asks.
_QUICK = {CANARY: {"stepWeight": 20, "maxWeight": 60}, GATES: {"iterations": 3}}
_WINDOW = {
    "look": "4s",
    "warm_up": "4s",
    "promote_after": "60s",
    "decide_by": "120s",
    "advance_after": "12s",
    "advance_by": "40s",
}
_LONGER = {"window": {**_WINDOW, "decide_by": "600s"}}
#: Two minutes of a little traffic cannot exclude half a percentage point; five will do here.
_MARGIN = {"pass_excess": "5%"}
_FLOW = {
    "name": "place-order",
    "root": {"service": "gateway", "operation": "POST /orders"},
    "tolerance": "50%",
}

Shaped = Callable[[list[Document]], list[Document]]


def _as_is(documents: list[Document]) -> list[Document]:
    return documents


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One release.

    Attributes:
        name: of the scenario, and of its namespace.
        play: what happens, and what is held of it.
        example: the file with what is installed.
        shaped: what a reader would change in that file beside names.
        arguments: of the example's analyses, beside those that they have.
        judged: what its service has in the settings beside what the examples' settings say.
        per_second: requests of users.
        second: the service behind it is released beside it, in the same way.
        firedamp: which one judges it.
        own_prometheus: its metrics are where only it reads them.
        at_leisure: it lasts long and needs little: played beside the others, with many of its kind.
    """

    name: str
    play: Callable[[Play], Awaitable[None]]
    example: str
    shaped: Shaped = _as_is
    arguments: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, Any] = field(default_factory=dict)
    per_second: float = 60.0
    second: bool = False
    firedamp: Kind = Kind.SHARED
    own_prometheus: bool = False
    at_leisure: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def house(self) -> str:
        """The namespace of its firedamp."""
        return "firedamp" if self.firedamp is Kind.SHARED else f"firedamp-{self.name}"

    def documents(self, secret: str) -> list[Document]:
        """The example in the scenario's namespace."""
        if self.example in _QUICK:
            quick = {"interval": "10s", **_QUICK[self.example]}
            made = examples.canary(self.example, self.name, secret=secret, replicas=2, **quick)
        else:
            arguments = {"interval": "2s", "firedamp-url": f"http://firedamp.{self.house}.svc:8080"}
            made = examples.rollout(
                self.example, self.name, replicas=4, weight=20, **arguments, **self.arguments
            )
        return self.shaped(examples.telling(examples.asking(made, self.house)))

    def beside(self, secret: str) -> list[Document]:
        """The same of the service behind it, where that is released too."""
        own = self.documents(secret)
        return examples.renamed(own, self.service, "payments") if self.second else []

    @property
    def service(self) -> str:
        return str(examples.workload(self.documents(""))["metadata"]["name"])

    def services(self) -> Sequence[Mapping[str, Any]]:
        """How its services are judged."""
        shipped = next(one for one in examples.settings()["services"] if one["name"] == self.service)
        names = [self.service, *(["payments"] if self.second else [])]
        return [self._judged({**shipped, "name": name}) for name in names]

    def _judged(self, shipped: Mapping[str, Any]) -> Mapping[str, Any]:
        checks = [one | (_MARGIN if one["kind"] == "proportion" else {}) for one in shipped["checks"]]
        ours = {"namespace": self.name, "window": _WINDOW, "checks": checks}
        if self.own_prometheus:
            ours["source"] = self.name
        elif self.firedamp is not Kind.PAIR:
            tuned = {f"place-order.{name}": _MARGIN for name in ("availability", "below")}
            ours["traces"] = {"source": "jaeger", "settle": "4s", "flows": [_FLOW], "tuned": tuned}
        return {**shipped, **ours, **self.judged}


def _both(
    name: str,
    play: Callable[[Play], Awaitable[None]],
    argo: Mapping[str, Any] | None = None,
    flagger: Mapping[str, Any] | None = None,
    **both: Any,
) -> tuple[Scenario, Scenario]:
    """The same with either controller."""
    return (
        Scenario(f"argo-{name}", play, **{"example": THREE_GROUPS, **both, **(argo or {})}),
        Scenario(f"flagger-{name}", play, **{"example": CANARY, **both, **(flagger or {})}),
    )


def _unlike(name: str) -> tuple[Scenario, Scenario]:
    """A fault that the controller's own analysis is to find, asked as often as firedamp is."""
    old, new = plays.FAULTS[name]
    return _both(f"builtin-{name}", partial(plays.whatever, old=old, new=new), **_own(builtin.OFTEN))


def _own(pace: builtin.Pace) -> Mapping[str, Any]:
    """Judged by what the controller has itself."""
    return {
        "argo": {"shaped": partial(builtin.rollout, pace=pace)},
        "flagger": {"shaped": partial(builtin.canary, pace=pace)},
    }


SCENARIOS = (
    *_both("healthy", plays.healthy),
    *_both("errors", plays.errors),
    *_both("slow", plays.slow),
    *_both("crash", plays.crash),
    *_both("deleted", plays.deleted),
    *_both(
        "little",
        plays.little,
        per_second=0.5,
        argo={
            "example": REPLICAS,
            "arguments": {"count": "15"},
            "judged": {"window": {**_WINDOW, "advance_by": "300s"}},
        },
        flagger={"judged": {"policy": {"window_over": "pass"}}},
    ),
    *_both(
        "late",
        plays.late,
        argo={"shaped": partial(examples.ramp, weights=(20, 40, 60))},
        judged={"window": {**_WINDOW, "promote_after": "240s", "decide_by": "480s"}},
    ),
    *_both("fire", plays.fire, judged=_LONGER),
    *_both(
        "silence",
        mishaps.silence,
        own_prometheus=True,
        judged={"window": {**_WINDOW, "decide_by": "240s"}},
    ),
    *_both("killed", mishaps.killed, firedamp=Kind.OWN),
    *_both("delayed", mishaps.delayed, firedamp=Kind.PAIR),
    *_both("shadow", plays.shadow, argo={"shaped": examples.dry}, flagger={"judged": {"mode": "shadow"}}),
    Scenario("flagger-gates", plays.gates, GATES, judged={"traces": None}),
    *_both("two", plays.two, second=True),
    *_both("again", plays.again),
    *_both("untold", ends.untold, shaped=examples.silent),
    *_both("superseded", ends.superseded),
    *(one for name in plays.FAULTS for one in _unlike(name)),
)


def repeated(times: int) -> list[Scenario]:
    """All of them so often, each time under a name of its own."""
    again = [replace(one, name=f"{one.name}-{time}") for time in range(2, times + 1) for one in SCENARIOS]
    return [*SCENARIOS, *again]


def noisy(times: int) -> Iterator[Scenario]:
    """A healthy release with one error in a hundred, as ever: by firedamp, and by what controllers have."""
    play = partial(plays.whatever, old=plays.BACKGROUND, new=plays.BACKGROUND)
    slowly = partial(play, seconds=3600.0)
    for time in range(1, times + 1):
        yield from _both(f"noise-{time}", play, per_second=20.0)
        yield from _both(f"builtin-noise-{time}", play, per_second=20.0, **_own(builtin.OFTEN))
        documented = {"per_second": 20.0, "at_leisure": True, **_own(builtin.DOCUMENTED)}
        yield from _both(f"documented-noise-{time}", slowly, **documented)
