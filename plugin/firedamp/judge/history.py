"""
Hours before a release: what the pods it is compared with did then, and what that tells of the noise.

The stable pods are asked, for a baseline made for the release has no history. The server adds up each
counter's increase per pod and half hour, so an answer has a dozen numbers per pod, whatever the number
of its series. Extrapolation by `increase` changes counts by a percent or so, which noise does not mind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from firedamp.checks import Check
from firedamp.checks.proportion import comparison
from firedamp.cohorts import Matchers, comparison_arm
from firedamp.counting import levels
from firedamp.decision import known
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.model import Arm, Block, Release, Row
from firedamp.ports import Source, Span
from firedamp.queries import Counted, Increase, Need, filled
from firedamp.stats.noise import Learnt, Table, learn

_LOG = structlog.get_logger()

#: History is learnt in blocks of this length, a day of them in one query.
BLOCK_SECONDS = 1800.0
_AT_ONCE = 48
#: Longest time for one query.
_QUERY_SECONDS = 10.0

#: Rows by pod, for each block.
Rows = Sequence[Mapping[str, Row]]


@dataclass(frozen=True, slots=True)
class Stable:
    """What a check needs of the stable pods, by role, and the label that tells them apart."""

    needs: Mapping[str, Need]
    cohort: Matchers
    label: str


@dataclass(frozen=True, slots=True)
class _Query:
    """One counter of the stable pods, and the label that tells them apart."""

    need: Increase
    cohort: Matchers
    pod_label: str


async def told(source: Source, release: Release, parameters: Parameters) -> dict[str, Learnt]:
    """
    What history tells of each check's noise; checks whose queries are refused are left out.

    Raises:
        SourceDownError: the source does not answer.
    """
    found = await counted(source, release, parameters)
    return {check: learnt(rows) for check, rows in found.items()}


async def counted(source: Source, release: Release, parameters: Parameters) -> dict[str, Rows]:
    """
    What each counting check would have counted of the stable pods, per half hour; refused ones are left out.

    One query at a time: looks go first.

    Raises:
        SourceDownError: the source does not answer.
    """
    wanted = {check: _queries(check, release, parameters) for check in parameters.checks}
    spans = blocks(release.started, parameters.history)
    pieces = [spans[first : first + _AT_ONCE] for first in range(0, len(spans), _AT_ONCE)]
    found: dict[_Query, Rows] = {}
    for query in dict.fromkeys(query for roles in wanted.values() for query in roles.values()):
        try:
            found[query] = [row for days in pieces for row in await _asked(source, query, days)]
        except SourceRefusedError as error:
            _LOG.warning("history_refused", release=str(release.key), error=str(error))
    return {
        check.name: _joined(check, len(spans), {role: found[query] for role, query in roles.items()})
        for check, roles in wanted.items()
        if roles and all(query in found for query in roles.values())
    }


def _queries(check: Check, release: Release, parameters: Parameters) -> Mapping[str, _Query]:
    """What to ask for a check, by role; nothing without noise to learn, or pods to learn it from."""
    pods = stable(check, release, parameters)
    if pods is None or known.counts(check) is None:
        return {}
    return {
        role: _Query(Increase(need.selector), pods.cohort, pods.label)
        for role, need in pods.needs.items()
        if isinstance(need, Counted)
    }


def stable(check: Check, release: Release, parameters: Parameters) -> Stable | None:
    """The pods that tell of a check's past: main's, or the comparison arm's where there is no main."""
    key, by_pod = release.key, check.by_pod()
    selected = parameters.cohorts.select(key.namespace, key.service, release.arms, by_pod=by_pod)
    arm = Arm.MAIN if Arm.MAIN in selected else comparison_arm(selected)
    if arm is None:
        return None
    needs = {role: filled(need, key.names) for role, need in check.needs().items()}
    return Stable(needs, selected[arm], "pod" if by_pod else parameters.cohorts.pod_label)


def blocks(until: float, seconds: float) -> list[Block]:
    """The half hours, as many as so many seconds have, before a Unix time."""
    count = round(seconds / BLOCK_SECONDS)
    starts = [until - (count - index) * BLOCK_SECONDS for index in range(count)]
    return [Block(index, start, start + BLOCK_SECONDS) for index, start in enumerate(starts)]


async def _asked(source: Source, query: _Query, blocks: Sequence[Block]) -> Rows:
    """Hours of a wide service may take longer than the source is given: they are asked for in halves then."""
    try:
        return await _answered(source, query, blocks)
    except SourceDownError:
        if len(blocks) == 1:
            raise
    half = len(blocks) // 2
    earlier = await _asked(source, query, blocks[:half])
    return [*earlier, *await _asked(source, query, blocks[half:])]


async def _answered(source: Source, query: _Query, blocks: Sequence[Block]) -> Rows:
    span = Span(
        begin=blocks[0].start,
        ends=tuple(block.end for block in blocks),
        window_seconds=BLOCK_SECONDS,
        timeout_seconds=_QUERY_SECONDS,
    )
    samples = await source.samples(query.need, query.cohort, span)
    if samples.warnings:
        raise SourceRefusedError(f"the source's answer is not whole: {samples.warnings[0]}")
    return levels(samples, blocks, pod_label=query.pod_label).rows


def _joined(check: Check, count: int, found: Mapping[str, Rows]) -> Rows:
    return [check.rows({role: rows[index] for role, rows in found.items()}) for index in range(count)]


def learnt(rows: Rows) -> Learnt:
    """What a counting check's rows tell of its noise."""
    each = [row for block in rows for row in block.values()]
    swapped = comparison.swaps(sum(row[0] for row in each), sum(row[1] for row in each))
    table = Table()
    for block in rows:
        table = table.add(comparison.rarer(block) if swapped else block)
    return learn(table, Table())
