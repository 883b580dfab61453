"""What `firedamp plan` does: asks for the hours before, plans, and prints tables, a chart or JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from firedamp import __version__, cohorts
from firedamp.cli import chart
from firedamp.cli.chart import Curve
from firedamp.cli.instants import written
from firedamp.config import Service, Settings
from firedamp.decision import parameters as stored
from firedamp.decision.planning import RATIOS, Prospect, Rollout, Sight, prospects
from firedamp.errors import AskError, ConfigError
from firedamp.judge.usual import usual
from firedamp.model import Arm, Controller, Release, ReleaseKey, Tier
from firedamp.sources import MetricSettings, open_source
from firedamp.units import spoken_duration
from firedamp.words import percent, significant

#: Stands for the canary's name, which nobody knows yet.
_TO_COME = "the canary to come"


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A release planned.

    Attributes:
        service: as it would be judged.
        at: Unix time at which the hours looked at end.
        against: the comparison arm.
        prospects: by check.
    """

    service: Service
    at: float
    against: Arm
    rollout: Rollout
    prospects: Sequence[Prospect]

    @property
    def has_history(self) -> bool:
        """Some check that looks at main found it, or none does."""
        looking = [one for one in self.prospects if not one.told or one.usual]
        return not looking or any(one.usual for one in looking)

    @property
    def remedy(self) -> str:
        """What to do where there is no history."""
        name = f"{self.service.namespace}/{self.service.name}"
        why = next((f" ({one.check}: {one.blind})" for one in self.prospects if one.blind), "")
        return (
            f"{name} has no history until {written(self.at)}{why}; see `firedamp doctor {self.service.name}`"
        )

    @property
    def title(self) -> str:
        """Of tables and plot."""
        pods = f", {self.rollout.canaries} canary pods" if self.rollout.canaries else ""
        name = f"{self.service.namespace}/{self.service.name}"
        return f"{name}, canary with {percent(self.rollout.share)} of the traffic{pods}"

    @property
    def curves(self) -> list[Curve]:
        """Checks that can be drawn."""
        return [Curve(one.check, one.curve) for one in self.prospects if one.curve]

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Times that mean something in the plot."""
        window = self.service.window
        return [(window.promote_after, "promote_after"), (window.deadline_seconds, "decide_by")]


async def made(
    service: Service, settings: Settings, arms: Mapping[str, str], rollout: Rollout, at: float
) -> Plan:
    """
    Ask the service's source for the hours before and plan.

    Args:
        service: as it would be judged.
        settings: with its source.
        arms: names of the cohorts that are there.
        rollout: the release to come.
        at: Unix time at which the hours looked at end.

    Raises:
        AskError: the comparison arm is not named.
        ConfigError: the service has no source.
        SourceError: the source does not answer.
    """
    against = _against(service, arms)
    parameters = service.parameters()
    release = Release(
        id=0,
        key=ReleaseKey(service.namespace, service.name, "plan", 0),
        controller=Controller.CI,
        started=at,
        arms=arms,
        experiment=False,
        parameters=stored.to_json(parameters),
        version=__version__,
        last_asked=at,
    )
    async with AsyncExitStack() as stack:
        source = open_source(_source(settings, service))
        stack.push_async_callback(source.close)
        past, known = await usual(source, release, parameters)
    return Plan(service, at, against, rollout, prospects(parameters, against, past, known, rollout))


def _against(service: Service, arms: Mapping[str, str]) -> Arm:
    problem = cohorts.problem(service.cohorts, {**arms, "canary": _TO_COME})
    if problem:
        raise AskError(f"{problem}; name the version that runs now with --main")
    against = cohorts.comparison_arm(service.cohorts.select(service.namespace, service.name, arms))
    if against is None:
        raise AskError("nothing to compare a canary with: name the version that runs now with --main")
    return against


def _source(settings: Settings, service: Service) -> MetricSettings:
    named = [one for one in settings.metrics if service.source in (None, one.name)]
    if not named:
        raise ConfigError(
            "there is no source in the settings; add sources: [{name: main, kind: prometheus, ...}]"
        )
    return named[0]


def as_json(plan: Plan) -> str:
    """The whole plan as one JSON object."""
    window, rollout = plan.service.window, plan.rollout
    report = {
        "service": f"{plan.service.namespace}/{plan.service.name}",
        "until": written(plan.at),
        "against": plan.against,
        "share": rollout.share,
        "canary_pods": rollout.canaries,
        "promote_after_seconds": window.promote_after,
        "decide_by_seconds": window.deadline_seconds,
        "checks": [_check(one) for one in plan.prospects],
    }
    return json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)


def _check(one: Prospect) -> dict[str, Any]:
    return {
        "check": one.check,
        "kind": one.kind,
        "tier": one.tier,
        "usual": one.usual,
        "seen": [
            {"ratio": ratio, "seconds": sight.seconds, "why": sight.why}
            for ratio, sight in (one.sights or {}).items()
        ],
        "passing": {"seconds": one.passing.seconds, "why": one.passing.why} if one.passing else None,
        "curve": [{"seconds": seconds, "ratio": round(ratio, 4)} for seconds, ratio in one.curve],
        "told": one.told,
        "blind": one.blind,
    }


def show(plan: Plan) -> None:
    """Print what a person reads, on the terminal or into a file."""
    console = Console(width=None if Console().is_terminal else 120)
    console.print(_table(plan))
    for line in (
        summary(plan.prospects),
        *remarks(plan.prospects),
        "",
        *chart.lines(plan.curves, plan.marks),
    ):
        console.print(line, markup=False, highlight=False)


def _table(plan: Plan) -> Table:
    table = Table(title=plan.title, title_justify="left")
    for heading in ("check", "tier", "main, usually"):
        table.add_column(heading, overflow="fold")
    for ratio in RATIOS:
        table.add_column(f"{significant(ratio, 1)}× seen", justify="right")
    table.add_column("can pass", justify="right")
    for one in plan.prospects:
        times = [_when((one.sights or {}).get(ratio)) for ratio in RATIOS]
        table.add_row(one.check, one.tier, one.usual, *times, _when(one.passing))
    return table


def _when(sight: Sight | None) -> str:
    if sight is None:
        return ""
    if sight.seconds is None:
        return "never"
    return spoken_duration(sight.seconds) + (" !" if sight.why else "")


def summary(found: Sequence[Prospect]) -> str:
    """When the release as a whole can pass: every critical check that waits for requests must."""
    waiting = {one.check: one.passing for one in found if one.tier is Tier.CRITICAL and one.passing}
    late = [check for check, passing in waiting.items() if passing.why]
    if late:
        return f"A healthy canary will hardly pass in this window: {', '.join(late)}."
    last = max((passing.seconds or 0.0 for passing in waiting.values()), default=0.0)
    if not last:
        return "No critical check waits for requests."
    return f"A healthy canary should pass after {spoken_duration(last)}."


def remarks(found: Sequence[Prospect]) -> Iterator[str]:
    """Why some is never seen, what needs a longer window, and what would be seen in this one."""
    for one in found:
        for text in filter(None, (one.blind, one.told)):
            yield f"{one.check}: {text}"
        reasons: dict[str, list[str]] = {}
        for ratio, sight in (one.sights or {}).items():
            if sight.why:
                reasons.setdefault(sight.why, []).append(f"{significant(ratio, 1)}×")
        if one.passing and one.passing.why:
            reasons.setdefault(one.passing.why, []).append("pass")
        for why, which in reasons.items():
            yield f"{one.check}, {', '.join(which)}: {why}"
