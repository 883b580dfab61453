"""
From planned queries to evidence: fetch them together, count, cut into blocks.

Every distinct query is sent once per look, whatever number of checks want it, and only for what is new:
what counting must remember of each series stays with the release. The one place where a source's errors
become troubles.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firedamp import telemetry
from firedamp.checks import Check
from firedamp.counting import Count, Memory, Samples, count, levels
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError, SourceError
from firedamp.judge import flows
from firedamp.judge.plans import Plan, Query
from firedamp.judge.unlabelled import Unlabelled
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
from firedamp.queries import Counted, Level, promql

#: `$window` reaches back from now to the end of warm-up, but no further than this.
MAX_WINDOW_SECONDS = 600.0
#: What these leave of a block is no evidence: not of the other queries of the same check either.
_NOT_WHOLE = frozenset({TroubleKind.SOURCE_DOWN, TroubleKind.REFUSED, TroubleKind.PARTIAL})
#: One thing that is fetched, and what each of a plan brought.
Asked = Query | Unlabelled
Answers = Mapping[Asked, Samples | SourceError]
Counts = Mapping[Asked, Count | SourceError]


@dataclass(slots=True)
class Memories:
    """
    What counting remembers between looks; lives with the session, never stored.

    Attributes:
        counted: of each query.
        traced: of traces.
    """

    counted: dict[Query, Memory] = field(default_factory=dict)
    traced: flows.Memory = field(default_factory=flows.Memory)

    def copy(self) -> "Memories":
        """For a look that may fail: what it counted is remembered only once it is written."""
        return Memories(dict(self.counted), self.traced)

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


async def gather(name: str, source: Source, planned: Plan, span: Span) -> Answers:
    """
    Fetch every query of the plan; `name` is what people call the source.

    Raises:
        SourceDownError: not one query was answered, so nothing can be judged now.
    """
    wanted: tuple[Asked, ...] = (*planned.queries, *dict.fromkeys(planned.unlabelled.values()))
    found = await asyncio.gather(*(_ask(name, source, one, span) for one in wanted))
    answers = dict(zip(wanted, found, strict=True))
    if answers and all(isinstance(one, SourceDownError) for one in found):
        raise next(one for one in found if isinstance(one, SourceDownError))
    return answers


def counted(planned: Plan, answers: Answers, blocks: Sequence[Block], memories: Memories) -> Counts:
    """Count what was fetched for these blocks; what lies behind the last one is left for later."""
    return {one: _counted(planned, one, answers, blocks, memories) for one in answers}


async def _ask(name: str, source: Source, wanted: Asked, span: Span) -> Samples | SourceError:
    own = wanted.span(span) if isinstance(wanted, Unlabelled) else span
    try:
        samples = await source.samples(wanted.need, wanted.cohort, own)
    except SourceError as error:
        kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
        telemetry.unanswered(name, kind)
        return error
    telemetry.answered(name, samples.bytes_read)
    return samples


def _counted(
    planned: Plan,
    wanted: Asked,
    answers: Answers,
    blocks: Sequence[Block],
    memories: Memories,
) -> Count | SourceError:
    answer = answers[wanted]
    if isinstance(answer, SourceError):
        return answer
    if isinstance(wanted, Unlabelled):
        return _warned(wanted.count(answer, blocks), answer)
    beside = [answers[other] for other in planned.companions(wanted)]
    shown = (series for other in beside if isinstance(other, Samples) for series in other.series)
    samples = replace(answer, beside=(*answer.beside, *shown))
    return _warned(_count(planned, wanted, samples, blocks, memories), answer)


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
    counts: Counts,
    traced: flows.Pieces,
    blocks: Sequence[Block],
    release: Release,
) -> list[Evidence]:
    """Join the counts of all queries, and those of flows, into one piece of evidence per block."""

    def piece(check: Check, at: int) -> Slice:
        counted = traced[at].get(check.name)
        return _slice(check, planned, counts, at) if counted is None else counted

    return [
        Evidence(
            block,
            {check.name: piece(check, at) for check in parameters.checks},
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


def _slice(check: Check, planned: Plan, counts: Counts, at: int) -> Slice:
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
    stray, wrong = _unlabelled(planned.unlabelled.get(check.name), counts, at)
    troubles += wrong
    if any(trouble.kind in _NOT_WHOLE for trouble in troubles):
        # Requests without their errors, or one version without the other, would read as harm or its absence.
        return Slice({}, (), tuple(dict.fromkeys(troubles)))
    return replace(_whole(rows, {one for one in bounds if one}, troubles), unlabelled=stray)


def _unlabelled(wanted: Unlabelled | None, counts: Counts, at: int) -> tuple[float, Sequence[Trouble]]:
    """Requests without a version label, and what was wrong with their answer."""
    if wanted is None:
        return 0.0, ()
    found = counts[wanted]
    if isinstance(found, SourceError):
        return 0.0, (_trouble(found),)
    return math.fsum(row[0] for row in found.rows[at].values()), found.troubles[at]


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


def _trouble(error: SourceError, arm: Arm | None = None) -> Trouble:
    kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
    return Trouble(kind, str(error), arm)
