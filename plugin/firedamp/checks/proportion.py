"""
Proportion check: events out of totals, judged by the sequential Fisher test.

Errors, refusals, cache misses, failed sends: anything that is counted and has a total. The canary's
share of requests is taken inside each block, so nothing is ever pooled over traffic weights.

Harm: the canary served more of the errors than chance, pod differences, bursts and the tolerance
explain, at any block (statistics: `stats.sequential`). No harm: a doubling, or half a percentage point
more, is excluded (`stats.noninferiority`). Anything else: needs more requests, and says how many.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

from firedamp.checks import _proportion_speech as speech
from firedamp.checks._base import PASS_LEVEL, BaseCheck, Grant, Moment, SelectorText, set_aside, totals
from firedamp.model import Arm, Finding, Outcome, Row, Situation, Slice
from firedamp.queries import Counted, Need, selector
from firedamp.stats import dispersion, fisher, noninferiority, power, sequential
from firedamp.units import Share, Tolerance

# While caches are cold a tenfold error rate may be harmless; only an all but dead canary is stopped.
_GUARD_TOLERANCE = 9.0
_GUARD_SHARE = 0.1


class Proportion(BaseCheck):
    """Events out of totals; both are selectors of counters."""

    kind: Literal["proportion"]
    #: Selector of the events counted, for example http_requests_total{code=~"5.."}.
    events: SelectorText
    #: Selector of everything that could have been an event.
    total: SelectorText
    #: Which is worse: more events (errors) or fewer (conversions, cache hits).
    harm: Literal["more", "fewer"] = "more"
    #: Largest rise of the odds that is no harm.
    tolerance: Tolerance = 0.25
    #: Smallest absolute rise that can be harm.
    min_excess: Annotated[float, Field(ge=0, lt=1)] = 0.001
    #: Pass when a rise of the rate to this multiple is excluded ...
    pass_ratio: Annotated[float, Field(gt=1, le=100)] = 2.0
    #: ... or a rise by this much.
    pass_excess: Share = 0.005
    #: What an event is called in sentences.
    noun: str = Field(default="error", min_length=1, max_length=40)

    def needs(self) -> Mapping[str, Need]:
        """Two counters per cohort."""
        return {"events": Counted(selector(self.events)), "total": Counted(selector(self.total))}

    def rows(self, parts: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Row]:
        """Rows of (bad events, requests) per pod; a pod with requests and no such event has none."""
        events, total = parts.get("events", {}), parts.get("total", {})
        return {pod: self._row(events.get(pod, (0.0,))[0], row[0]) for pod, row in total.items()}

    def _row(self, events: float, total: float) -> Row:
        bad = events if self.harm == "more" else total - events
        return (min(max(bad, 0.0), total), total)

    def begin(self, grant: Grant) -> "ProportionRun":
        """An empty run."""
        return ProportionRun(self, grant)


@dataclass(frozen=True, slots=True)
class ProportionRun:
    """
    A proportion check over one release.

    Attributes:
        state: the sequential test after warm-up; None before both arms had requests.
        guard: the same with a tenfold tolerance, during warm-up.
        baseline, canary: (events, requests) since warm-up, of blocks in which both arms had some.
        seen: requests of both arms since the release's start.
        standardised: baseline events expected at the canary's own traffic: Σ n_c k_b / n_b per block.
        expected_share: Σ K π: errors the canary would have served at equal rates.
        errors: Σ K over the same blocks.
        pods: requests per arm and pod since the start, for the spread between pods.
        last: the slice taken last.
    """

    check: Proportion
    grant: Grant
    state: sequential.SequentialFisher | None = None
    guard: sequential.SequentialFisher | None = None
    baseline: Row = (0.0, 0.0)
    canary: Row = (0.0, 0.0)
    seen: tuple[float, float] = (0.0, 0.0)
    standardised: float = 0.0
    expected: float = 0.0
    errors: float = 0.0
    pods: Mapping[Arm, Mapping[str, float]] | None = None
    last: Slice = field(default_factory=Slice)

    @property
    def requests(self) -> tuple[float, float]:
        """Requests seen in the comparison arm and the canary since the start."""
        return self.seen

    def take(self, piece: Slice, moment: Moment) -> "ProportionRun":
        """Add one block; a block in which an arm is silent compares nothing and is left out."""
        baseline = totals(piece.rows.get(self.grant.against, {}) if self.grant.against else {}, 2)
        canary = totals(piece.rows.get(Arm.CANARY, {}), 2)
        run = replace(
            self,
            last=piece,
            seen=(self.seen[0] + baseline[1], self.seen[1] + canary[1]),
            pods=_with_pods(self.pods or {}, piece),
        )
        if not (baseline[1] and canary[1]):
            return run
        return run._warm(baseline, canary, moment) if moment.warm else run._cold(baseline, canary, moment)

    def _cold(self, baseline: Row, canary: Row, moment: Moment) -> "ProportionRun":
        guard = self.guard or sequential.start(self._null(_GUARD_TOLERANCE))
        return replace(self, guard=self._advance(guard, baseline, canary, moment, _GUARD_SHARE))

    def _warm(self, baseline: Row, canary: Row, moment: Moment) -> "ProportionRun":
        state = self.state or sequential.start(self._null(self.check.tolerance))
        share = canary[1] / (baseline[1] + canary[1])
        errors = baseline[0] + canary[0]
        return replace(
            self,
            state=self._advance(state, baseline, canary, moment, 1 - _GUARD_SHARE),
            baseline=(self.baseline[0] + baseline[0], self.baseline[1] + baseline[1]),
            canary=(self.canary[0] + canary[0], self.canary[1] + canary[1]),
            standardised=self.standardised + canary[1] * baseline[0] / baseline[1],
            expected=self.expected + errors * share,
            errors=self.errors + errors,
        )

    def _null(self, tolerance: float) -> sequential.Null:
        prior = dispersion.Dispersion()
        pods = self.pods or {}
        against = self.grant.against or Arm.MAIN
        spread = dispersion.pod_spread(
            prior.tau, list(pods.get(against, {}).values()), list(pods.get(Arm.CANARY, {}).values())
        )
        return sequential.Null(tolerance=tolerance, phi=prior.phi, s0=spread)

    def _advance(
        self, state: sequential.SequentialFisher, baseline: Row, canary: Row, moment: Moment, share: float
    ) -> sequential.SequentialFisher:
        crowded = state.events + baseline[0] + canary[0] >= sequential.EXACT_EVENTS
        return sequential.advance(
            state,
            baseline_events=baseline[0],
            canary_events=canary[0],
            canary_share=canary[1] / (baseline[1] + canary[1]),
            budget=self.grant.spent_by(moment, share),
            level=self.grant.level(moment, share) if crowded else None,
        )

    def finding(self, moment: Moment) -> Finding:
        """Harm first, then trouble with the data, then exclusion of harm, then what is missing."""
        if self._harmed():
            return self._harm()
        if self.guard is not None and self.guard.crossed:
            return self._dead()
        trouble = set_aside(self.check, "proportion", self.last, self.grant.against)
        if trouble is not None:
            return trouble
        if self.state is None:
            return self._early(moment)
        return self._undecided(moment)

    def _harmed(self) -> bool:
        if self.state is None or not self.state.crossed:
            return False
        return self._canary_rate() - self._baseline_rate() >= self.check.min_excess

    def _canary_rate(self) -> float:
        return self.canary[0] / self.canary[1]

    def _baseline_rate(self) -> float:
        return self.standardised / self.canary[1]

    def _base(self) -> Finding:
        """Everything a finding shows whatever its outcome."""
        arm = self.grant.against
        bare = Finding(
            check=self.check.name,
            kind="proportion",
            tier=self.check.tier,
            outcome=Outcome.INCONCLUSIVE,
            sentence="",
            against=arm,
            unit="share",
            baseline_n=self.baseline[1],
            canary_n=self.canary[1],
            tolerance=1 + self.check.tolerance,
            alpha=self.grant.alpha,
        )
        if self.state is None:
            return bare
        one_look = fisher.fisher_exact(*self.baseline, *self.canary)
        return replace(
            bare,
            baseline=self._baseline_rate(),
            canary=self._canary_rate(),
            effect=one_look.odds_ratio,
            interval=one_look.interval,
            one_look_p=one_look.p_value,
            p_value=self.state.p_value,
        )

    def _harm(self) -> Finding:
        return replace(self._base(), outcome=Outcome.FAIL, sentence=speech.harm(self._facts()))

    def _dead(self) -> Finding:
        guard = self.guard
        assert guard is not None
        sentence = speech.dead(self.check.name, self.check.noun, guard.canary_events, guard.events)
        return replace(self._base(), outcome=Outcome.FAIL, sentence=sentence, p_value=guard.p_value)

    def _early(self, moment: Moment) -> Finding:
        if self.grant.against is None or not all(self.seen):
            sentence = speech.silent(self.check.name, self.grant.against, canary=not self.seen[1])
            return replace(self._base(), sentence=sentence, situation=Situation.NO_TRAFFIC)
        if not moment.warm:
            return replace(self._base(), sentence=speech.warming(self.check.name))
        sentence = speech.apart(self.check.name, self.grant.against)
        return replace(self._base(), sentence=sentence, situation=Situation.NO_TRAFFIC)

    def _undecided(self, moment: Moment) -> Finding:
        level = moment.pass_level or PASS_LEVEL
        safety = noninferiority.proportion_pass(
            self.baseline[1] * self._baseline_rate(),
            self.baseline[1],
            *self.canary,
            margin_ratio=self.check.pass_ratio,
            margin_absolute=self.check.pass_excess,
            level=level,
            dispersion=self._dispersion(),
            expected_share=self.expected / self.errors if self.errors else None,
        )
        base = replace(self._base(), detectable=self._detectable())
        if self._baseline_rate() > self.grant.ceiling:
            return replace(base, sentence=speech.both_failing(self._facts(), self.grant.ceiling))
        if safety.passed:
            return replace(
                base, outcome=Outcome.PASS, sentence=speech.safe(self._facts(), self.check, safety)
            )
        needs = self._needs(level)
        pace = self.seen[1] / (moment.lived * self.grant.look_seconds)
        sentence = speech.waiting(self._facts(), safety.upper_rate, needs, pace)
        return replace(base, needs=needs or None, sentence=sentence)

    def _needs(self, level: float) -> int:
        return power.requests_needed(
            self._baseline_rate(),
            baseline_n=self.baseline[1],
            canary_n=self.canary[1],
            margin_ratio=self.check.pass_ratio,
            margin_absolute=self.check.pass_excess,
            level=level,
            dispersion=self._dispersion(),
        ).missing

    def _detectable(self) -> float:
        # With few errors, or none, the rate that the counts still allow stands for the unknown one.
        rate = max(self._baseline_rate(), 1 / (self.baseline[1] + self.canary[1]))
        return power.detectable_ratio(
            rate,
            baseline_n=self.baseline[1],
            canary_n=self.canary[1],
            alpha=self.grant.alpha,
            dispersion=self._dispersion(),
            tolerance=self.check.tolerance,
        )

    def _facts(self) -> speech.Facts:
        state = self.state
        assert state is not None
        return speech.Facts(
            name=self.check.name,
            noun=self.check.noun,
            against=self.grant.against,
            baseline_rate=self._baseline_rate(),
            canary_rate=self._canary_rate(),
            canary_n=self.canary[1],
            canary_events=state.canary_events,
            events=state.events,
            share=self.expected / self.errors if self.errors else 0.0,
            tolerance=self.check.tolerance,
            boundary=state.boundary,
            p_value=state.p_value,
        )

    def _dispersion(self) -> float:
        """Variance of the canary's count relative to independent errors: clumps, and pods that differ."""
        assert self.state is not None
        share = self.expected / self.errors if self.errors else 0.0
        null = self.state.null
        return null.phi + self.errors * share * (1 - share) * null.s0**2


def _with_pods(pods: Mapping[Arm, Mapping[str, float]], piece: Slice) -> Mapping[Arm, Mapping[str, float]]:
    return {
        arm: {
            pod: pods.get(arm, {}).get(pod, 0.0) + (piece.rows.get(arm, {}).get(pod) or (0.0, 0.0))[1]
            for pod in {**pods.get(arm, {}), **piece.rows.get(arm, {})}
        }
        for arm in {**pods, **piece.rows}
    }
