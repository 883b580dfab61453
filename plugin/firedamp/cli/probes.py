"""
What one query of one cohort brought, in numbers a person can check against their dashboards.

Pure: from a Prometheus answer (`data.result` of an instant query) to a `Probe`.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from firedamp.model import Arm

#: One element of `data.result`: {"metric": labels, "values": [[time, "value"], ...]} or "value".
Element = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """
    One query and what came back.

    Attributes:
        role: what the check wants it for ("events", "total", "buckets", ...).
        labels: names of the labels seen, sorted.
        pods: different values of the pod label; 0 where no series carries it.
        podless: series without the pod label.
        samples: samples in the time asked about.
        newest_age: seconds since the newest sample; None without samples.
        interval: usual distance of a series' samples in seconds; None with fewer than two.
        gap: longest distance of two samples of a series in seconds; None with fewer than two.
        per_minute: increases of the counters per minute, all series (or their +Inf buckets) together.
        value: median of the values, for expressions.
        bounds: upper bucket bounds seen, as written in `le`.
    """

    check: str
    role: str
    arm: Arm
    query: str
    series: int = 0
    labels: tuple[str, ...] = ()
    pods: int = 0
    podless: int = 0
    samples: int = 0
    newest_age: float | None = None
    interval: float | None = None
    gap: float | None = None
    per_minute: float | None = None
    value: float | None = None
    bounds: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


Points = Sequence[tuple[float, float]]


def points(element: Element) -> Points:
    """Times and finite values of one element, of a range or of an instant; native histograms have none."""
    raw = element.get("values") or [element[key] for key in ("value",) if key in element]
    return [(float(at), float(text)) for at, text in raw if math.isfinite(float(text))]


def described(probe: Probe, elements: Sequence[Element], *, pod_label: str, at: float) -> Probe:
    """The probe with what its labels and times say."""
    labels = [element["metric"] for element in elements]
    times = [[moment for moment, _ in points(element)] for element in elements]
    gaps = [after - before for series in times for before, after in itertools.pairwise(series)]
    newest = max((series[-1] for series in times if series), default=None)
    return replace(
        probe,
        series=len(elements),
        labels=tuple(sorted({name for one in labels for name in one if name != "__name__"})),
        pods=len({one[pod_label] for one in labels if pod_label in one}),
        podless=sum(pod_label not in one for one in labels),
        samples=sum(map(len, times)),
        newest_age=None if newest is None else at - newest,
        interval=median(gaps) if gaps else None,
        gap=max(gaps, default=None),
        bounds=tuple(sorted({one["le"] for one in labels if "le" in one}, key=float)),
    )


def per_minute(elements: Sequence[Element]) -> float | None:
    """Increases per minute; histograms are counted by their +Inf bucket alone."""
    counted = [points(one) for one in elements if float(one["metric"].get("le", "inf")) == math.inf]
    covered = [series[-1][0] - series[0][0] for series in counted if len(series) > 1]
    if not covered:
        return None
    return 60 * sum(increase(series) for series in counted) / max(covered)


def increase(series: Points) -> float:
    """What a counter counted between its first and its last sample; a reset begins at zero."""
    pairs = itertools.pairwise(series)
    return sum(after - before if after >= before else after for (_, before), (_, after) in pairs)


def middle(elements: Sequence[Element]) -> float | None:
    """Median of the elements' last values; None without any."""
    values = [found[-1][1] for element in elements if (found := points(element))]
    return median(values) if values else None
