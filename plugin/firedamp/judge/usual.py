"""
What a service usually does, asked before a release: some hours of its stable pods, for a plan.

Counts come as history is learnt from; histograms as one increase per pod and bucket over all the hours, and
levels at the end of each half hour.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from firedamp.checks import Check, Distribution, Proportion, Relative
from firedamp.cohorts import Matchers
from firedamp.counting import Samples, levels
from firedamp.decision.parameters import Parameters
from firedamp.decision.planning import Usual
from firedamp.errors import SourceRefusedError
from firedamp.judge import history
from firedamp.model import Block, Release, Row
from firedamp.ports import Source, Span
from firedamp.queries import Counted, Expression, Level, Need
from firedamp.stats.noise import Learnt

_TIMEOUT_SECONDS = 30.0


async def usual(
    source: Source, release: Release, parameters: Parameters
) -> tuple[dict[str, Usual], dict[str, Learnt]]:
    """
    What each check would have seen of the stable pods, and what it tells of the noise, by check.

    Args:
        source: of the service.
        release: the one to come; `started` is when history ends.
        parameters: how the service is judged.

    Raises:
        SourceDownError: the source does not answer.
    """
    counted = await history.counted(source, release, parameters)
    found = {name: Usual(rows, history.BLOCK_SECONDS) for name, rows in counted.items()}
    for check in parameters.checks:
        if check.name not in found:
            found[check.name] = await _asked(source, check, release, parameters)
    return found, {name: history.learnt(rows) for name, rows in counted.items()}


async def _asked(source: Source, check: Check, release: Release, parameters: Parameters) -> Usual:
    if isinstance(check, Proportion):
        return Usual(refused="the source refused its queries")
    if not isinstance(check, Distribution | Relative):
        return Usual()
    if (pods := history.stable(check, release, parameters)) is None:
        return Usual()
    (need,) = pods.needs.values()
    try:
        return await _answered(source, need, pods, history.blocks(release.started, parameters.history))
    except SourceRefusedError as error:
        return Usual(refused=str(error))


async def _answered(source: Source, need: Need, pods: history.Stable, blocks: Sequence[Block]) -> Usual:
    ends, seconds = tuple(block.end for block in blocks), blocks[-1].end - blocks[0].start
    match need:
        case Counted():
            samples = await _samples(source, buckets(need, pods.label), pods.cohort, ends[-1:], seconds)
            return histogram(samples, pods.label, seconds)
        case Level():
            samples = await _samples(source, need, pods.cohort, ends, history.BLOCK_SECONDS)
            return Usual(levels(samples, blocks, pod_label=pods.label).rows, history.BLOCK_SECONDS)


async def _samples(
    source: Source, need: Need, cohort: Matchers, ends: tuple[float, ...], window: float
) -> Samples:
    return await source.samples(need, cohort, Span(ends[0] - window, ends, window, _TIMEOUT_SECONDS))


def buckets(need: Counted, pod_label: str) -> Level:
    """All that a histogram's buckets counted in the window, per pod."""
    own = "".join(f"{matcher.promql()}," for matcher in need.selector.matchers)
    counted = f"increase({need.selector.metric}{{{own}$cohort}}[$window])"
    return Level(Expression(f"sum by ({pod_label}, le) ({counted})"))


def histogram(samples: Samples, pod_label: str, seconds: float) -> Usual:
    """Requests per pod and bucket in so many seconds; pods without all the buckets are left out."""
    found: dict[str, dict[float, float]] = {}
    for series in samples.series:
        if "le" in series.labels and series.values.size and math.isfinite(series.values[-1]):
            pod = found.setdefault(series.labels.get(pod_label, ""), {})
            pod[float(series.labels["le"])] = float(series.values[-1])
    bounds = tuple(sorted({bound for pod in found.values() for bound in pod}))
    rows: dict[str, Row] = {
        pod: _row(found[pod], bounds) for pod in sorted(found) if len(found[pod]) == len(bounds)
    }
    return Usual([rows] if rows else [], seconds, bounds)


def _row(cumulative: Mapping[float, float], bounds: tuple[float, ...]) -> Row:
    reached = np.maximum.accumulate([max(cumulative[bound], 0.0) for bound in bounds])
    return tuple(np.diff(reached, prepend=0.0).tolist())
