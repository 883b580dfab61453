"""
From checks and cohorts to evidence: plan the queries, fetch them together, count, cut into blocks.

Every distinct query is sent once per look, whatever number of checks want it, and only for what is new:
what counting must remember of each series stays with the release. The one place where a source's errors
become troubles.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firedamp import telemetry
from firedamp.checks import Check
from firedamp.cohorts import Matchers, comparison_arm
from firedamp.counting import Count, Memory, Samples, count, levels
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError, SourceError
from firedamp.model import (
    Arm,
    Block,
    Controller,
    Evidence,
    Outcome,
    Release,
    Row,
    Slice,
    Trouble,
    TroubleKind,
)
from firedamp.ports import Source, Span
from firedamp.queries import Counted, Level, Need, filled, promql

#: `$window` reaches back from now to the end of warm-up, but no further than this.
MAX_WINDOW_SECONDS = 600.0
#: What these leave of a block is no evidence: not of the other queries of the same check either.
_NOT_WHOLE = frozenset({TroubleKind.SOURCE_DOWN, TroubleKind.REFUSED, TroubleKind.PARTIAL})


@dataclass(frozen=True, slots=True)
class Query:
    """One thing to fetch: a need of one cohort, and the label that tells its pods apart."""

    need: Need
    cohort: Matchers
    pod_label: str


@dataclass(frozen=True, slots=True)
class Plan:
    """
    All queries of a release.

    Attributes:
        against: the comparison arm; None where there is none.
        wanted: check name -> arm -> role -> query.
    """

    against: Arm | None
    wanted: Mapping[str, Mapping[Arm, Mapping[str, Query]]]

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every distinct query once, in a stable order; the comparison arm's before the canary's."""
        each = (query for arms in self.wanted.values() for roles in arms.values() for query in roles.values())
        return tuple(dict.fromkeys(each))

    @property
    def counted(self) -> tuple[Query, ...]:
        """The queries whose counting remembers."""
        return tuple(query for query in self.queries if isinstance(query.need, Counted))

    def companions(self, query: Query) -> tuple[Query, ...]:
        """Other counters of the same check and cohort: they show when a pod was scraped."""
        found = (
            other
            for arms in self.wanted.values()
            for roles in arms.values()
            if query in roles.values()
            for other in roles.values()
            if other != query and isinstance(other.need, Counted)
        )
        return tuple(dict.fromkeys(found))

    def sibling(self, query: Query) -> Query | None:
        """The same need of the comparison arm, for a query of the canary."""
        for arms in self.wanted.values():
            other = arms.get(self.against, {}) if self.against else {}
            for role, mine in arms.get(Arm.CANARY, {}).items():
                if mine == query and role in other:
                    return other[role]
        return None


@dataclass(slots=True)
class Memories:
    """What counting remembers of each query between looks; lives with the session, never stored."""

    counted: dict[Query, Memory] = field(default_factory=dict)

    def copy(self) -> "Memories":
        """For a look that may fail: what it counted is remembered only once it is written."""
        return Memories(dict(self.counted))

    def watched(self, sibling: Query | None, until: float) -> Memory | None:
        """
        What the comparison arm's presence tells of a canary seen for the first time.

        Where the old version was scraped all the while and the canary was not, the canary's pods are young
        and all that they show was counted since.
        """
        known = self.counted.get(sibling) if sibling else None
        if known is None or known.scraped is None or known.scraped.arrived >= until:
            return None
        return Memory.watching(known.scraped.arrived, until)


def plan(parameters: Parameters, release: Release) -> Plan:
    """Work out what every check of a release needs."""
    key, cohorts = release.key, parameters.cohorts
    own = cohorts.select(key.namespace, key.service, release.arms)
    by_pod = cohorts.select(key.namespace, key.service, release.arms, by_pod=True)
    against = comparison_arm(own)
    names = {"service": key.service, "namespace": key.namespace}

    def queries(check: Check) -> dict[Arm, dict[str, Query]]:
        selected, label = (by_pod, "pod") if check.by_pod() else (own, cohorts.pod_label)
        arms = [Arm.CANARY] if against is None or not check.compares else [against, Arm.CANARY]
        needs = check.needs()
        return {
            arm: {role: Query(filled(need, names), selected[arm], label) for role, need in needs.items()}
            for arm in arms
            if arm in selected
        }

    return Plan(against, {check.name: queries(check) for check in parameters.checks})


async def gather(
    name: str, source: Source, planned: Plan, blocks: Sequence[Block], memories: Memories, span: Span
) -> Mapping[Query, Count | SourceError]:
    """
    Fetch and count every query of the plan for these blocks; `name` is what people call the source.

    Raises:
        SourceDownError: not one query was answered, so nothing can be judged now.
    """
    queries = planned.queries
    asked = await asyncio.gather(*(_ask(name, source, query, span) for query in queries))
    answers = dict(zip(queries, asked, strict=True))
    if answers and all(isinstance(one, SourceDownError) for one in asked):
        raise next(one for one in asked if isinstance(one, SourceDownError))
    return {query: _counted(planned, query, answers, blocks, memories) for query in queries}


async def _ask(name: str, source: Source, query: Query, span: Span) -> Samples | SourceError:
    try:
        samples = await source.samples(query.need, query.cohort, span)
    except SourceError as error:
        kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
        telemetry.SOURCE_ERRORS.labels(name, kind).inc()
        return error
    telemetry.FETCH_BYTES.labels(name).observe(samples.bytes_read)
    return samples


def _counted(
    planned: Plan,
    query: Query,
    answers: Mapping[Query, Samples | SourceError],
    blocks: Sequence[Block],
    memories: Memories,
) -> Count | SourceError:
    answer = answers[query]
    if isinstance(answer, SourceError):
        return answer
    beside = [answers[other] for other in planned.companions(query)]
    shown = (series for other in beside if isinstance(other, Samples) for series in other.series)
    return _warned(
        _count(planned, query, replace(answer, beside=(*answer.beside, *shown)), blocks, memories), answer
    )


def _count(
    planned: Plan, query: Query, samples: Samples, blocks: Sequence[Block], memories: Memories
) -> Count:
    match query.need:
        case Level():
            return levels(samples, blocks, pod_label=query.pod_label)
        case Counted(keep_le=keep_le):
            counted = count(
                samples,
                blocks,
                memories.counted.get(query) or memories.watched(planned.sibling(query), blocks[0].start),
                pod_label=query.pod_label,
                keep_le=keep_le,
                starts=samples.starts,
            )
            if not samples.warnings:  # or what was left out would be booked into the next block
                memories.counted[query] = counted.memory
            return counted


def _warned(counted: Count, samples: Samples) -> Count:
    """A source that warns has not told everything: what it told is not judged."""
    if not samples.warnings:
        return counted
    warning = Trouble(TroubleKind.PARTIAL, f"the source's answer is not whole: {samples.warnings[0]}")
    return replace(counted, troubles=tuple((*some, warning) for some in counted.troubles))


def assemble(
    parameters: Parameters,
    planned: Plan,
    counts: Mapping[Query, Count | SourceError],
    blocks: Sequence[Block],
    release: Release,
) -> list[Evidence]:
    """Join the counts of all queries into one piece of evidence per block."""
    return [
        Evidence(
            block,
            {check.name: _slice(check, planned, counts, at) for check in parameters.checks},
            weight=_weight(release, block),
            step=release.step,
        )
        for at, block in enumerate(blocks)
    ]


def _weight(release: Release, block: Block) -> float | None:
    """
    The canary's expected share in a block; unknown where it may not have been the one that was told last.

    Argo moves traffic on once an advance or the promotion is passed, and tells the new weight with its next
    question, which may be minutes later. Flagger tells it as it moves.
    """
    passed = release.advanced_block is not None or release.verdict is Outcome.PASS
    moved_on = passed and release.controller is not Controller.FLAGGER
    return None if moved_on or block.start < release.step_since else release.weight


def _slice(check: Check, planned: Plan, counts: Mapping[Query, Count | SourceError], at: int) -> Slice:
    rows: dict[Arm, Mapping[str, Row]] = {}
    troubles: list[Trouble] = []
    bounds: set[tuple[float, ...]] = set()
    for arm, roles in planned.wanted[check.name].items():
        parts = {}
        for role, query in roles.items():
            found = counts[query]
            if isinstance(found, SourceError):
                troubles.append(_trouble(found, arm))
                continue
            parts[role] = found.rows[at]
            bounds.add(found.bounds)
            troubles += found.troubles[at]
        rows[arm] = check.rows(parts)
        if not rows[arm] and len(parts) == len(roles):
            troubles.append(_nothing(roles, arm))
    if any(trouble.kind in _NOT_WHOLE for trouble in troubles):
        # Requests without their errors, or one version without the other, would read as harm or its absence.
        return Slice({}, (), tuple(dict.fromkeys(troubles)))
    return _whole(rows, {one for one in bounds if one}, troubles)


def _nothing(roles: Mapping[str, Query], arm: Arm) -> Trouble:
    """Name the query that brought nothing: the last role is the one that others are shares of."""
    query = list(roles.values())[-1]
    text = f"{promql(query.need, query.cohort)} has no series: no requests yet, or other labels than these"
    return Trouble(TroubleKind.NO_SERIES, text, arm)


def _whole(
    rows: Mapping[Arm, Mapping[str, Row]], bounds: set[tuple[float, ...]], troubles: list[Trouble]
) -> Slice:
    if len(bounds) > 1:
        text = "baseline and canary have different histogram buckets, so they cannot be compared"
        troubles.append(Trouble(TroubleKind.REFUSED, text))
        return Slice({}, (), tuple(dict.fromkeys(troubles)))
    return Slice(rows, next(iter(bounds), ()), tuple(dict.fromkeys(troubles)))


def _trouble(error: SourceError, arm: Arm) -> Trouble:
    kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
    return Trouble(kind, str(error), arm)
