"""
Whether traces tell the same of the service as its own counters do.

Who keeps one trace in ten of the old version and every one of the canary, or every failure and a part of the
rest, makes rates of them that nobody should promote by, nor roll back. Both show beside the service's own
requests: visits in traces against requests counted, version by version, and the failures among each. Traces
are counted when they have settled, so requests wait for them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from firedamp import words
from firedamp.checks import (
    Check,
    FlowCollateral,
    FlowDuration,
    FlowFailures,
    Operations,
    Proportion,
    arm_rows,
    aside,
)
from firedamp.decision.parameters import Parameters, Sampled
from firedamp.model import Arm, Evidence, Finding, Situation, Slice
from firedamp.stats import mismatch

#: Versions may be sampled this unlike each other, and failures this unlike the rest.
_UNLIKE = 1.5
_KEPT = 3.0
#: So many failures tell; so many of them, relative, are all.
_FEWEST, _ALL = 20.0, (0.7, 1.3)
#: By chance as unlike as this, at one look; there may be hundreds.
_CHANCE = 1e-6

_OTHERWISE = (
    "the settings say that traces are sampled by latency, rate or other rules (traces.sampling: otherwise); "
    "those that are left say nothing of the rest; send unsampled ones, or let the sampler write the "
    "threshold into the trace state and say nothing"
)


@dataclass(frozen=True, slots=True)
class Sums:
    """
    What was counted, of the comparison arm and of the canary.

    Attributes:
        failed: requests, or visits.
        every: all of them.
        tainted: visits of traces in which anything failed.
    """

    failed: tuple[float, float] = (0.0, 0.0)
    every: tuple[float, float] = (0.0, 0.0)
    tainted: tuple[float, float] = (0.0, 0.0)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            (self.failed[0] + other.failed[0], self.failed[1] + other.failed[1]),
            (self.every[0] + other.every[0], self.every[1] + other.every[1]),
            (self.tainted[0] + other.tainted[0], self.tainted[1] + other.tainted[1]),
        )


_NONE = Sums()


@dataclass(frozen=True, slots=True)
class Sampling:
    """
    What was counted both ways since the release began.

    Attributes:
        against: the comparison arm.
        told: what the settings say of it; None nothing.
        operations, counted: names of the checks that tell of visits and of requests; empty without them.
        lag: blocks by which traces are counted later.
        waiting: requests of the last blocks, the oldest first; None of a block with trouble.
        weights: the canary's expected share in the last blocks, as it was told, the oldest first.
        requests: those whose traces have settled.
        visits: in traces.
    """

    against: Arm | None
    told: Sampled | None
    operations: str
    counted: str
    lag: int
    waiting: tuple[Sums | None, ...] = ()
    weights: tuple[float | None, ...] = ()
    requests: Sums = _NONE
    visits: Sums = _NONE

    def take(self, evidence: Evidence) -> "Sampling":
        """After one more block."""
        weights = (*self.weights, evidence.weight)[-self.lag - 1 :]
        if not (self.operations and self.counted):
            return replace(self, weights=weights)
        waiting = (*self.waiting, self._sums(evidence, self.counted))
        if len(waiting) <= self.lag:
            return replace(self, waiting=waiting, weights=weights)
        visits, requests = self._sums(evidence, self.operations), waiting[0]
        later = replace(self, waiting=waiting[1:], weights=weights)
        if visits is None or requests is None:
            return later
        return replace(later, requests=self.requests + requests, visits=self.visits + visits)

    def weight(self, check: Check, evidence: Evidence) -> float | None:
        """The share that a check's counts of this block should have; unknown of traces while it moves."""
        if check.traced() is None or len(set(self.weights)) == 1:
            return evidence.weight
        return None

    def _sums(self, evidence: Evidence, name: str) -> Sums | None:
        piece = evidence.slices.get(name)
        if piece is None or piece.troubles:
            return None
        baseline, canary = (_columns(piece, arm) for arm in (self.against, Arm.CANARY))
        return Sums(*zip(baseline, canary, strict=True))

    def judged(self, checks: Sequence[Check], findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings, those of flows set aside where sampling makes them doubtful, harm included."""
        doubt = self.doubt
        if not doubt:
            return tuple(findings)
        flows = (isinstance(check, FlowFailures | FlowDuration | FlowCollateral) for check in checks)
        return tuple(
            aside(found, doubt, Situation.NO_DATA) if of_flow else found
            for of_flow, found in zip(flows, findings, strict=True)
        )

    @property
    def doubt(self) -> str:
        """How traces and requests differ, and what to do; empty where they do not."""
        match self.told:
            case Sampled.OTHERWISE:
                return _OTHERWISE
            case None:
                return self._unlike_versions() or self._kept_failures()
            case Sampled.HEAD | Sampled.ERRORS_KEPT:
                return self._unlike_versions()

    def _unlike_versions(self) -> str:
        visits, requests = self.visits.every, self.requests.every
        if self.told is Sampled.ERRORS_KEPT:
            # A version with more failures has more of its traces kept. The others are of its other requests.
            tainted = self.visits.tainted
            visits, requests = _without(visits, tainted), _without(requests, tainted)
        if not (sum(visits) > 0 and min(requests) > 0):
            return ""
        share, found = requests[1] / sum(requests), visits[1] / sum(visits)
        if mismatch.chance(visits[1], sum(visits), share, factor=_UNLIKE) >= _CHANCE:
            return ""
        return (
            f"the canary has {words.percent(found)} of the traced visits and {words.percent(share)} of the "
            "requests: its traces are sampled otherwise than the other version's; sample both alike, or let "
            "the sampler write the threshold into the trace state"
        )

    def _kept_failures(self) -> str:
        """Told by the other version: of its failures nearly all are in traces, and few of the rest."""
        failed, errors = self.visits.failed[0], self.requests.failed[0]
        rest, others = self.visits.every[0] - failed, self.requests.every[0] - errors
        if errors < _FEWEST or not _ALL[0] * errors <= failed <= _ALL[1] * errors or rest > others / _KEPT:
            return ""
        visits, requests = self.visits.every[0], self.requests.every[0]
        both = words.percent(failed / visits), words.percent(errors / requests)
        return (
            f"{both[0]} of the traced visits fail and {both[1]} of the requests do: failures are kept and "
            "the rest is sampled; let the sampler write the threshold into the trace state, or say so in the "
            "settings (traces.sampling: errors-kept)"
        )


def _columns(piece: Slice, arm: Arm | None) -> tuple[float, ...]:
    """Sums over an arm's rows; requests have no third column."""
    summed = map(math.fsum, zip(*arm_rows(piece, arm).values(), strict=True))
    return (*summed, 0.0, 0.0, 0.0)[:3]


def _without(every: tuple[float, float], some: tuple[float, float]) -> tuple[float, float]:
    # What was counted in two ways need not fit.
    return max(0.0, every[0] - some[0]), max(0.0, every[1] - some[1])


def begin(parameters: Parameters, against: Arm | None) -> Sampling:
    """Nothing counted yet; the first check of errors tells of the service's own requests."""
    tracing, checks = parameters.traces, parameters.checks
    lag = math.ceil(tracing.settle / parameters.window.look) if tracing else 0
    operations = next((check.name for check in checks if isinstance(check, Operations)), "")
    errors = (check.name for check in checks if isinstance(check, Proportion) and not check.misses)
    return Sampling(against, tracing.sampling if tracing else None, operations, next(errors, ""), lag)
