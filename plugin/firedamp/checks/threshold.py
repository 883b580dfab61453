"""
Threshold check: an absolute limit on the canary, with or without anything to compare it with.

A `counter` is counted since the release's start (restarts, OOM kills): above its maximum the release
fails at once, for there is nothing to weigh. A `query` is a level; it fails when it stays beyond its
limit for some blocks in a row, since one scrape proves little.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from firedamp import words
from firedamp.checks._base import BaseCheck, QueryText, SelectorText, arm_rows, blank, say, set_aside, totals
from firedamp.checks._run import CountsNothing, Grant, Moment
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.queries import Counted, Expression, Level, Need, selector

Limit = Annotated[float, Field(allow_inf_nan=False)]


class Threshold(BaseCheck):
    """A limit that the canary must keep."""

    kind: Literal["threshold"]
    #: Selector of a counter, counted over the canary's pods since the release's start.
    counter: SelectorText | None = None
    #: PromQL with $cohort: a level per pod, the worst pod counts.
    query: QueryText | None = None
    max: Limit | None = None
    min: Limit | None = None
    #: Blocks in a row a level must be beyond its limit; a counter fails at once.
    sustained: Annotated[int, Field(ge=1, le=100)] = 3
    #: Unit of the values, for sentences.
    unit: Annotated[str, Field(max_length=20)] = ""

    @model_validator(mode="after")
    def _complete(self) -> "Threshold":
        if (self.counter is None) == (self.query is None):
            raise ValueError("needs either counter or query")
        if self.max is None and self.min is None:
            raise ValueError("needs max or min")
        if self.max is not None and self.min is not None and self.max < self.min:
            raise ValueError(f"max is {self.max}, below min, {self.min}: nothing is allowed")
        if self.counter is not None and self.min is not None:
            raise ValueError("a counter has a max only")
        return self

    @property
    def compares(self) -> bool:
        """A limit stands alone."""
        return False

    def needs(self) -> Mapping[str, Need]:
        """The counter's samples, or the level."""
        if self.counter is not None:
            return {"counter": Counted(selector(self.counter))}
        assert self.query is not None
        return {"level": Level(Expression(self.query))}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Increase, or level, of each pod."""
        return parts.get("counter", {}) or parts.get("level", {})

    @property
    def counts(self) -> bool:
        """A counter, and no level."""
        return self.counter is not None

    def excess(self, value: float) -> float:
        """How far a value is beyond the nearer limit; negative or 0 within both."""
        above = value - self.max if self.max is not None else -math.inf
        below = self.min - value if self.min is not None else -math.inf
        return max(above, below)

    def begin(self, grant: Grant) -> "ThresholdRun":
        """An empty run."""
        return ThresholdRun(self, grant)


@dataclass(frozen=True, slots=True)
class ThresholdRun(CountsNothing):
    """
    A threshold check over one release.

    Attributes:
        value: counted so far, or the worst pod's level in the last block; None before.
        pod: the pod behind it.
        beyond: blocks in a row beyond the limit.
        blocks: blocks with values.
        broken: this run at the block at which the limit was broken for good.
    """

    check: Threshold
    grant: Grant
    value: float | None = None
    pod: str = ""
    beyond: int = 0
    blocks: int = 0
    broken: "ThresholdRun | None" = None
    last: Slice = field(default_factory=Slice)

    def take(self, piece: Slice, moment: Moment) -> "ThresholdRun":
        """Add one block: counters add up, levels replace."""
        rows = arm_rows(piece, Arm.CANARY)
        run = replace(self, last=piece)
        if not rows:
            # An old level says nothing of now; a counter's sum stays true.
            return run if self.check.counts else replace(run, value=None)
        run = run._counted(rows) if self.check.counts else run._level(rows, moment)
        needed = 1 if self.check.counts else self.check.sustained
        return replace(run, broken=run) if run.broken is None and run.beyond >= needed else run

    def _counted(self, rows: Mapping[str, Row]) -> "ThresholdRun":
        worst = max(sorted(rows), key=lambda pod: rows[pod][0])
        value = (self.value or 0.0) + totals(rows, 1)[0]
        pod = worst if rows[worst][0] > 0 else self.pod
        beyond = int(self.check.excess(value) > 0)
        return replace(self, value=value, pod=pod, blocks=self.blocks + 1, beyond=beyond)

    def _level(self, rows: Mapping[str, Row], moment: Moment) -> "ThresholdRun":
        worst = max(sorted(rows), key=lambda pod: self.check.excess(rows[pod][0]))
        value = rows[worst][0]
        beyond = self.beyond + 1 if moment.warm and self.check.excess(value) > 0 else 0
        return replace(self, value=value, pod=worst, beyond=beyond, blocks=self.blocks + 1)

    def finding(self, moment: Moment) -> Finding:
        """Broken limits stay broken; without values there is nothing to say."""
        bare = replace(
            blank(self.check, None, unit=self.check.unit),
            canary=self.value,
            canary_n=self.blocks,
            tolerance=self.check.max if self.check.max is not None else self.check.min,
        )
        if self.broken is not None and self.broken.value is not None:
            bare = replace(bare, canary=self.broken.value)
            return say(bare, self.broken._said(self.broken.value), Outcome.FAIL)
        if (trouble := set_aside(blank(self.check, None, unit=self.check.unit), self.last)) is not None:
            return trouble
        if self.value is None:
            return say(replace(bare, situation=Situation.NO_DATA), "no values from the canary")
        if moment.warm and not self.beyond:
            return say(bare, self._said(self.value), Outcome.PASS)
        return say(bare, f"{self._said(self.value)}; {self._reserve(moment)}")

    def _said(self, value: float) -> str:
        what = words.quantity(value, self.check.unit)
        counted = " counted since the release began" if self.check.counts else ""
        where = f" in pod {self.pod}" if self.pod else ""
        times = f" for {words.plural(self.beyond, 'block')} in a row" if self.beyond > 1 else ""
        return f"{what}{counted}{where}{times}; {self._limits()}"

    def _reserve(self, moment: Moment) -> str:
        """Why a value is not judged yet."""
        if not moment.warm:
            return "warming up, not judged yet"
        return f"fails after {words.plural(self.check.sustained, 'block')} in a row"

    def _limits(self) -> str:
        limits = [("at most", self.check.max), ("at least", self.check.min)]
        shown = [
            f"{word} {words.quantity(limit, self.check.unit)}" for word, limit in limits if limit is not None
        ]
        return "allowed is " + " and ".join(shown)
