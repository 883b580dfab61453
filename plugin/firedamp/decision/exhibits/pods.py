"""
Each pod's own values since warm-up, and which one a sentence calls the odd one.

A pod is marked where the engine named it in the finding; nobody else says that a pod is bad.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firedamp.checks import BaseCheck, arm_rows
from firedamp.decision.exhibits.measures import Form, Measure, added, measure
from firedamp.model import Arm, Finding, Look, Row
from firedamp.stats.quantiles import quantile

#: So many pods of an arm are listed; all of them are counted.
MOST_PODS = 50
#: Quantiles of a box: whiskers, quarters and the median.
BOX = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Pod:
    """
    One pod.

    Attributes:
        value: in the unit of its check; None where it cannot be told.
        size: requests, or blocks with a level.
        box: of durations the `BOX` quantiles, each None where it lies in the open bucket.
        odd: the finding names it.
    """

    arm: Arm
    name: str
    value: float | None
    size: float
    box: tuple[float | None, ...] = ()
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Pods:
    """
    Pods of a check, baseline before canary, the odd one first, then by value, the largest first.

    Attributes:
        unit: of the values.
        listed: `MOST_PODS` of each arm at most.
        counted: all there are, by arm.
    """

    unit: str = ""
    listed: tuple[Pod, ...] = ()
    counted: Mapping[Arm, int] | None = None


def pods(looks: Sequence[Look], finding: Finding, check: BaseCheck | None, *, since: float) -> Pods:
    """
    The pods of a finding's check.

    Args:
        looks: in order, up to the finding's.
        finding: of the last of them.
        check: where its settings can be read.
        since: Unix seconds; blocks that began earlier are warm-up.
    """
    reading = measure(finding, check)
    if reading.form is Form.OPERATIONS:
        return Pods()
    bounds = next((piece.bounds for look in looks if (piece := look.evidence.slices.get(finding.check))), ())
    arms = [finding.against, Arm.CANARY] if finding.against else [Arm.CANARY]
    # A counter has no warm-up: what it counted at the start counts.
    begin = 0.0 if reading.form is Form.COUNT else since
    found = [(arm, _rows(looks, finding.check, arm, begin)) for arm in arms]
    listed = [one for arm, rows in found for one in _listed(arm, rows, finding, reading, bounds)]
    return Pods(reading.unit, tuple(listed), {arm: len(rows) for arm, rows in found})


def _rows(looks: Sequence[Look], name: str, arm: Arm, since: float) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for look in looks:
        piece = look.evidence.slices.get(name)
        if piece is not None and look.evidence.block.start >= since:
            for pod, row in arm_rows(piece, arm).items():
                found.setdefault(pod, []).append(row)
    return found


def _listed(
    arm: Arm, rows: Mapping[str, list[Row]], finding: Finding, reading: Measure, bounds: Sequence[float]
) -> list[Pod]:
    each = [
        Pod(
            arm,
            name,
            _mean(blocks) if reading.form is Form.LEVEL else reading.value(blocks, bounds),
            reading.size(blocks),
            _box(blocks, bounds) if reading.form is Form.BUCKETS else (),
            arm is Arm.CANARY and names(finding.sentence, name),
        )
        for name, blocks in rows.items()
    ]
    return sorted(each, key=lambda pod: (not pod.odd, -(pod.value or 0.0), pod.name))[:MOST_PODS]


def _mean(blocks: Sequence[Row]) -> float | None:
    return sum(row[0] for row in blocks) / len(blocks) if blocks else None


def _box(blocks: Sequence[Row], bounds: Sequence[float]) -> tuple[float | None, ...]:
    counts = added(blocks)
    return tuple(quantile(counts, bounds, level) for level in BOX)


def names(sentence: str, pod: str) -> bool:
    """Whether a sentence speaks of a pod: by its whole name, not by that of another which begins like it."""
    return bool(pod) and re.search(rf"(?<![\w.-]){re.escape(pod)}(?![\w-])", sentence) is not None
