"""
Relative check: a level (memory, queue length, a percentile) against the comparison arm's.

Each pod is one sample, its mean since warm-up; see `stats.levels`. Needs a PromQL expression with one
value per pod; an expression without a pod label counts as a single pod, and the sentence says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from firedamp import words
from firedamp.checks._base import PASS_LEVEL, BaseCheck, Grant, Moment, QueryText, set_aside
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.queries import Expression, Level, Need
from firedamp.stats.levels import LevelTest, compare_levels
from firedamp.units import Share, Tolerance

Means = Mapping[str, tuple[float, int]]


class Relative(BaseCheck):
    """A level that must not rise (or fall) by more than a share."""

    kind: Literal["relative"]
    #: PromQL with $cohort in place of the cohort's matchers, one value per pod.
    query: QueryText
    #: Largest rise that is no harm, for example 15%.
    max_increase: Tolerance | None = None
    #: Largest fall that is no harm, for what should not go down.
    max_decrease: Share | None = None
    #: Unit of the values, for sentences.
    unit: Annotated[str, Field(max_length=20)] = ""

    @model_validator(mode="after")
    def _one_side(self) -> "Relative":
        if (self.max_increase is None) == (self.max_decrease is None):
            raise ValueError("needs either max_increase or max_decrease")
        return self

    def needs(self) -> Mapping[str, Need]:
        """One value per pod and block."""
        return {"level": Level(Expression(self.query))}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """The level of each pod."""
        return parts.get("level", {})

    def begin(self, grant: Grant) -> "RelativeRun":
        """An empty run."""
        return RelativeRun(self, grant)


@dataclass(frozen=True, slots=True)
class RelativeRun:
    """
    A relative check over one release.

    Attributes:
        baseline, canary: mean level and number of blocks of each pod, since warm-up.
        failed: the test at the look at which harm was proven.
        last: the slice taken last.
    """

    check: Relative
    grant: Grant
    baseline: Means = field(default_factory=dict)
    canary: Means = field(default_factory=dict)
    failed: LevelTest | None = None
    last: Slice = field(default_factory=Slice)

    @property
    def requests(self) -> tuple[float, float]:
        """Levels tell nothing of requests."""
        return (0.0, 0.0)

    def take(self, piece: Slice, moment: Moment) -> "RelativeRun":
        """Add one block's levels."""
        if not moment.warm:
            return replace(self, last=piece)
        against = piece.rows.get(self.grant.against, {}) if self.grant.against else {}
        run = replace(
            self,
            last=piece,
            baseline=_averaged(self.baseline, against),
            canary=_averaged(self.canary, piece.rows.get(Arm.CANARY, {})),
        )
        test = run._test()
        if run.failed is None and test is not None and test.p_value <= self.grant.level(moment):
            return replace(run, failed=test)
        return run

    def _test(self) -> LevelTest | None:
        baseline = [mean for mean, _ in self.baseline.values()]
        canary = [mean for mean, _ in self.canary.values()]
        if self.check.max_increase is not None:
            return compare_levels(baseline, canary, tolerance=self.check.max_increase)
        # A fall below 1 - d of the baseline is a rise of the inverse.
        return compare_levels(_inverse(baseline), _inverse(canary), tolerance=self._tolerance())

    def _tolerance(self) -> float:
        if self.check.max_increase is not None:
            return self.check.max_increase
        assert self.check.max_decrease is not None
        return 1 / (1 - self.check.max_decrease) - 1

    def finding(self, moment: Moment) -> Finding:
        """Harm, else trouble, else its exclusion or what is missing."""
        test = self._test()
        if self.failed is not None and test is not None:
            return replace(
                self._base(test), outcome=Outcome.FAIL, sentence=self._sentence(test, "not allowed")
            )
        trouble = set_aside(self.check, "relative", self.last, self.grant.against)
        if trouble is not None:
            return trouble
        if test is None:
            return self._early(moment)
        if test.lower_p <= (moment.pass_level or PASS_LEVEL):
            return replace(self._base(test), outcome=Outcome.PASS, sentence=self._sentence(test, "ruled out"))
        return replace(self._base(test), sentence=self._sentence(test, "neither proven nor ruled out yet"))

    def _base(self, test: LevelTest | None) -> Finding:
        bare = Finding(
            check=self.check.name,
            kind="relative",
            tier=self.check.tier,
            outcome=Outcome.INCONCLUSIVE,
            sentence="",
            against=self.grant.against,
            unit=self.check.unit,
            baseline_n=sum(blocks for _, blocks in self.baseline.values()),
            canary_n=sum(blocks for _, blocks in self.canary.values()),
            tolerance=self._limit(),
            alpha=self.grant.alpha,
        )
        if test is None:
            return bare
        ratio, (low, high) = test.ratio, test.interval
        baseline, canary = test.baseline, test.canary
        if self.check.max_decrease is not None:
            ratio, low, high, baseline, canary = 1 / ratio, 1 / high, 1 / low, 1 / baseline, 1 / canary
        return replace(
            bare, baseline=baseline, canary=canary, effect=ratio, interval=(low, high), p_value=test.p_value
        )

    def _limit(self) -> float:
        if self.check.max_increase is not None:
            return 1 + self.check.max_increase
        assert self.check.max_decrease is not None
        return 1 - self.check.max_decrease

    def _sentence(self, test: LevelTest, judgement: str) -> str:
        shown = self._base(test)
        assert shown.effect is not None
        assert shown.interval is not None
        assert shown.baseline is not None
        assert shown.canary is not None
        beyond = "more" if self.check.max_increase is not None else "less"
        pods = words.plural(len(self.canary), "canary pod")
        between = f"{words.times(shown.interval[0])} to {words.times(shown.interval[1])}"
        return (
            f"{self.check.name}: {words.quantity(shown.canary, self.check.unit)} in the canary, "
            f"{words.quantity(shown.baseline, self.check.unit)} in {words.arm(self.grant.against)}: "
            f"{words.times(shown.effect)} ({between}, {pods}); "
            f"{beyond} than {words.times(self._limit())} is {judgement}"
        )

    def _early(self, moment: Moment) -> Finding:
        base = self._base(None)
        if not moment.warm:
            return replace(base, sentence=f"{self.check.name}: warming up, not judged yet")
        silent = "the canary" if not self.canary else words.arm(self.grant.against)
        sentence = f"{self.check.name}: no values above 0 from {silent}, nothing to compare"
        return replace(base, sentence=sentence, situation=Situation.NO_DATA)


def _averaged(means: Means, rows: Mapping[str, Row]) -> Means:
    result = dict(means)
    for pod, row in rows.items():
        mean, blocks = result.get(pod, (0.0, 0))
        result[pod] = (mean + (row[0] - mean) / (blocks + 1), blocks + 1)
    return result


def _inverse(levels: list[float]) -> list[float]:
    return [1 / level for level in levels if level > 0]
