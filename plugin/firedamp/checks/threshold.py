"""
Threshold check: an absolute limit on the canary, with or without anything to compare it with.

A `counter` is counted since the release's start (restarts, OOM kills): above its maximum the release
fails at once, for there is nothing to weigh. A `query` is a level; it fails when it stays beyond its
limit for some blocks in a row, since one scrape proves little.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from firedamp import words
from firedamp.checks._base import BaseCheck, Grant, Moment, QueryText, SelectorText, set_aside
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.queries import Counted, Expression, Level, Need, selector


class Threshold(BaseCheck):
    """A limit that the canary must keep."""

    kind: Literal["threshold"]
    #: Selector of a counter, counted over the canary's pods since the release's start.
    counter: SelectorText | None = None
    #: PromQL with $cohort: a level per pod, the worst pod counts.
    query: QueryText | None = None
    max: float | None = None
    min: float | None = None
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

    def begin(self, grant: Grant) -> "ThresholdRun":
        """An empty run."""
        return ThresholdRun(self, grant)


@dataclass(frozen=True, slots=True)
class ThresholdRun:
    """
    A threshold check over one release.

    Attributes:
        value: counted so far, or the worst pod's level in the last block; None before.
        pod: the pod behind it.
        beyond: blocks in a row beyond the limit.
        blocks: blocks with values.
        broken: value and pod at which the limit was broken for good.
    """

    check: Threshold
    grant: Grant
    value: float | None = None
    pod: str = ""
    beyond: int = 0
    blocks: int = 0
    broken: tuple[float, str] | None = None
    last: Slice = field(default_factory=Slice)

    @property
    def requests(self) -> tuple[float, float]:
        """Limits tell nothing of requests."""
        return (0.0, 0.0)

    def take(self, piece: Slice, moment: Moment) -> "ThresholdRun":
        """Add one block: counters add up, levels replace."""
        rows = piece.rows.get(Arm.CANARY, {})
        run = replace(self, last=piece)
        if not rows:
            return run
        run = run._counted(rows) if self.check.counter is not None else run._level(rows, moment)
        needed = 1 if self.check.counter is not None else self.check.sustained
        if run.broken is None and run.beyond >= needed and run.value is not None:
            return replace(run, broken=(run.value, run.pod))
        return run

    def _counted(self, rows: Mapping[str, Row]) -> "ThresholdRun":
        worst = max(rows, key=lambda pod: rows[pod][0])
        value = (self.value or 0.0) + sum(row[0] for row in rows.values())
        pod = worst if rows[worst][0] > 0 else self.pod
        return replace(self, value=value, pod=pod, blocks=self.blocks + 1, beyond=int(self._is_beyond(value)))

    def _level(self, rows: Mapping[str, Row], moment: Moment) -> "ThresholdRun":
        pick = max if self.check.max is not None else min
        worst = pick(rows, key=lambda pod: rows[pod][0])
        value = rows[worst][0]
        beyond = self.beyond + 1 if moment.warm and self._is_beyond(value) else 0
        return replace(self, value=value, pod=worst, beyond=beyond, blocks=self.blocks + 1)

    def _is_beyond(self, value: float) -> bool:
        above = self.check.max is not None and value > self.check.max
        return above or (self.check.min is not None and value < self.check.min)

    def finding(self, moment: Moment) -> Finding:
        """Broken limits stay broken; without values there is nothing to say."""
        if self.broken is not None:
            return self._found(Outcome.FAIL, *self.broken)
        trouble = set_aside(self.check, "threshold", self.last, None)
        if trouble is not None:
            return trouble
        if self.value is None:
            sentence = f"{self.check.name}: no values from the canary yet"
            return replace(self._base(), sentence=sentence, situation=Situation.NO_DATA)
        if not self.beyond and moment.warm:
            return self._found(Outcome.PASS, self.value, self.pod)
        return self._found(Outcome.INCONCLUSIVE, self.value, self.pod)

    def _base(self) -> Finding:
        return Finding(
            check=self.check.name,
            kind="threshold",
            tier=self.check.tier,
            outcome=Outcome.INCONCLUSIVE,
            sentence="",
            unit=self.check.unit,
            canary=self.value,
            canary_n=self.blocks,
            tolerance=self.check.max if self.check.max is not None else self.check.min,
        )

    def _found(self, outcome: Outcome, value: float, pod: str) -> Finding:
        where = f" in pod {pod}" if pod else ""
        shown = words.quantity(value, self.check.unit)
        what = f"{shown} counted since the start" if self.check.counter is not None else shown
        times = f" for {words.plural(self.beyond, 'block')} in a row" if self.beyond > 1 else ""
        sentence = f"{self.check.name}: {what}{where}{times}; {self._limits()}"
        return replace(self._base(), outcome=outcome, sentence=sentence, canary=value)

    def _limits(self) -> str:
        limits = [("at most", self.check.max), ("at least", self.check.min)]
        shown = [
            f"{word} {words.quantity(limit, self.check.unit)}" for word, limit in limits if limit is not None
        ]
        return "allowed is " + " and ".join(shown)
