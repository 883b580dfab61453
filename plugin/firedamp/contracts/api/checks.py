"""One check of a release with all that stands behind it: what the page draws, as JSON."""

import asyncio
from dataclasses import fields
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from firedamp.contracts._wire import plain, shown
from firedamp.contracts.api.answers import CheckAnswer, StepAnswer
from firedamp.contracts.api.calls import LookCall
from firedamp.contracts.api.openapi import Operation
from firedamp.contracts.api.room import Room, Row, query
from firedamp.decision import exhibits
from firedamp.errors import NotFoundError
from firedamp.judge.browsing import Browsed, browsed
from firedamp.model import Arm, Finding, Outcome

Line = list[float | None]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class LinesAnswer(_Answer):
    """
    Lines over the looks, all of the same length, null where nothing is known.

    `ends` are Unix seconds. `baseline` and `canary` are of each block alone, `_lately` over the last ten,
    `_so_far` since warm-up; `lowest` and `highest` are the canary's values by the effect's interval.
    """

    ends: Line
    blocks: Line
    baseline: Line
    canary: Line
    baseline_lately: Line
    canary_lately: Line
    baseline_so_far: Line
    canary_so_far: Line
    lowest: Line
    highest: Line
    allowed: Line
    difference: Line
    effect: Line
    effect_low: Line
    effect_high: Line
    tolerance: Line
    p_value: Line


class PodAnswer(_Answer):
    """One pod since warm-up; `box` are its 5th, 25th, 50th, 75th and 95th percentile, of durations."""

    arm: Arm
    name: str
    value: float | None = None
    size: float
    box: Line = []
    odd: bool = False


class DurationsAnswer(_Answer):
    """Both arms as cumulative shares at each bound (null: without end), and their p50, p95 and p99."""

    unit: str
    bounds: Line
    baseline: list[float]
    canary: list[float]
    baseline_quantiles: Line
    canary_quantiles: Line


class OperationAnswer(_Answer):
    """Requests of one operation in both arms, and how many the canary should have had."""

    name: str
    baseline: float
    canary: float
    expected: float | None = None


class QueryAnswer(_Answer):
    """A query as sent, and PromQL that draws the same."""

    role: str
    arm: Arm | None = None
    text: str
    graph: str = ""


class CheckEvidence(_Answer):
    """One check at one look: what it says, its lines, pods, curves and queries."""

    check: str
    look: int
    unit: str
    finding: CheckAnswer
    lines: LinesAnswer
    outcomes: list[Outcome | None]
    steps: list[StepAnswer]
    #: Points were left out; highest and lowest are kept.
    thinned: bool
    pods: list[PodAnswer]
    pod_count: dict[str, int]
    durations: DurationsAnswer | None = None
    operations: list[OperationAnswer] = []
    queries: list[QueryAnswer] = []


class Checks(Room):
    """A check's evidence."""

    __slots__ = ()

    def rows(self) -> list[Row]:
        """One address."""
        address = "/releases/{id}/checks/{check}"
        return [(Operation("GET", address, "viewer", CheckEvidence, query=LookCall), self.evidence)]

    async def evidence(self, request: web.Request) -> CheckEvidence:
        """What one check found and saw."""
        release = await self.release_of(request)
        call = query(LookCall, request)
        found = await browsed(self.store, release, "" if call.look is None else str(call.look))
        name = request.match_info["check"]
        finding = found.finding(name)
        if finding is None or found.look is None:
            others = f"/api/v1/releases/{release.id} has those that do"
            raise NotFoundError(f"check {shown(name)} says nothing at this look; {others}")
        told = await asyncio.to_thread(_evidence, found, finding)
        return CheckEvidence(**told, look=found.look.evidence.block.index)


def _evidence(found: Browsed, finding: Finding) -> dict[str, Any]:
    check, name = found.check(finding), finding.check
    series = exhibits.series(found.known, name, check)
    pods = exhibits.pods(found.known, finding, check, since=found.since)
    durations = exhibits.durations(found.known, finding, since=found.since)
    return {
        "check": name,
        "unit": series.unit,
        "finding": CheckAnswer(**plain(finding)),
        "lines": LinesAnswer(
            **{one.name: plain(getattr(series.lines, one.name)) for one in fields(series.lines)}
        ),
        "outcomes": list(series.outcomes),
        "steps": [StepAnswer(**plain(one)) for one in series.steps],
        "thinned": series.thinned,
        "pods": [PodAnswer(**plain(one)) for one in pods.listed],
        "pod_count": {arm.value: number for arm, number in (pods.counted or {}).items()},
        "durations": DurationsAnswer(**plain(durations)) if durations else None,
        "operations": [
            OperationAnswer(**plain(one))
            for one in exhibits.operations(found.known, finding, since=found.since)
        ],
        "queries": [
            QueryAnswer(**{field: value for field, value in plain(one).items() if field != "check"})
            for one in found.queries.get(name, ())
        ],
    }
