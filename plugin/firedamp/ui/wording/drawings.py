"""
Small drawings as numbers: where each line, bar and point of an SVG stands. No script draws them.

Every drawing says in words what it shows; those who do not see it lose nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from firedamp import words
from firedamp.decision.exhibits import Durations, Lines, Pods
from firedamp.model import Finding
from firedamp.ui.pages.evidence import Box, Curves, Scale, Spark, Tick

#: Sizes of the boxes, in SVG units; templates know them too.
SCALE_WIDTH = 100.0
SPARK_WIDTH, SPARK_HEIGHT = 240.0, 48.0
CURVE_WIDTH, CURVE_HEIGHT = 100.0, 60.0
_MARGIN = 1.25
_LEAST_RATIO, _MOST_RATIO = 0.05, 20.0
_SPARK_POINTS = 80
#: Labels nearer to one another would run together.
_ROOM = 16.0


def scale(finding: Finding) -> Scale | None:
    """The effect with its interval against the tolerance, on a logarithmic axis; or a value and its limit."""
    if finding.tolerance is not None and not math.isfinite(finding.tolerance):
        finding = replace(finding, tolerance=None)
    if finding.unit == "share" and finding.baseline == finding.canary == 0:
        return None  # nothing is no multiple of nothing: words say what is not ruled out
    if finding.effect is not None and math.isfinite(finding.effect) and finding.effect > 0:
        return _of_effect(finding, finding.effect)
    value, limit = finding.canary, finding.tolerance
    if finding.against is None and value is not None and limit is not None and math.isfinite(value + limit):
        return _of_limit(value, limit, finding.unit)
    return None


def _of_effect(finding: Finding, effect: float) -> Scale:
    low, high = (effect if math.isnan(end) else end for end in finding.interval or (effect, effect))
    marks = [effect, low, high, 1.0, finding.tolerance or 1.0]
    seen = [one for one in marks if math.isfinite(one) and one > 0]
    left = max(min(seen) / _MARGIN, _LEAST_RATIO)
    right = min(max(seen) * _MARGIN, _MOST_RATIO)

    def at(ratio: float) -> float:
        if ratio <= left:
            return 0.0
        inside = math.log(min(ratio, right) / left) / math.log(right / left)
        return round(SCALE_WIDTH * inside, 2)

    limit = at(finding.tolerance) if finding.tolerance else None
    fewer = (finding.tolerance or 1.0) < 1
    harm = None if limit is None else (0.0, limit) if fewer else (limit, round(SCALE_WIDTH - limit, 2))
    labels = [] if limit is None else [Tick(limit, words.times(finding.tolerance or 1.0))]
    if limit is None or abs(at(1.0) - limit) > _ROOM:
        labels.append(Tick(at(1.0), "same"))
    # Of none at all nothing is a multiple: the interval alone is drawn.
    bare = finding.unit == "share" and 0 in (finding.baseline, finding.canary)
    value = None if bare else effect
    said = _effect_said(finding, value)
    place = None if value is None else at(value)
    return Scale(at(low), at(high), place, limit, harm, at(1.0), said, tuple(labels))


def _effect_said(finding: Finding, effect: float | None) -> str:
    parts = [] if effect is None else [words.times(effect)]
    if finding.interval is not None and not any(map(math.isnan, finding.interval)):
        parts.append(f"between {words.times(finding.interval[0])} and {_upper(finding.interval[1])}")
    said = f"canary over {words.arm(finding.against)}: {', '.join(parts) or 'not known'}"
    if finding.tolerance:
        which = "at least" if finding.tolerance < 1 else "up to"
        said += f"; allowed is {which} {words.times(finding.tolerance)}"
    return said


def _upper(high: float) -> str:
    return "any more" if math.isinf(high) else words.times(high)


def _of_limit(value: float, limit: float, unit: str) -> Scale:
    right = _MARGIN * max(abs(value), abs(limit)) or 1.0

    def at(one: float) -> float:
        return round(SCALE_WIDTH * min(max(one / right, 0.0), 1.0), 2)

    harm = at(limit), round(SCALE_WIDTH - at(limit), 2)
    said = f"{words.quantity(value, unit)}; the limit is {words.quantity(limit, unit)}"
    labels = (Tick(at(limit), words.quantity(limit, unit)),)
    return Scale(at(value), at(value), at(value), at(limit), harm, None, said, labels)


def spark(lines: Lines, unit: str) -> Spark | None:
    """Both arms lately, from the first look to the last; None where nothing is known of either."""
    baseline, canary = _thin(lines.baseline_lately), _thin(lines.canary_lately)
    if not any(one is not None for one in canary):
        baseline, canary = _thin(lines.baseline), _thin(lines.canary)
    known = [one for one in (*baseline, *canary) if one is not None and math.isfinite(one)]
    if len(known) < 2:
        return None
    allowed = next((one for one in reversed(lines.allowed) if one is not None), None)
    low, high = min(0.0, *known), max(known)
    if allowed is not None and high < allowed <= 2 * high:
        high = allowed
    height = _height(low, high)
    limit = height(allowed) if allowed is not None and low <= allowed <= high else None
    return Spark(_pieces(baseline, height), _pieces(canary, height), limit, _spark_said(lines, unit))


def _height(low: float, high: float) -> Callable[[float], float]:
    reach = (high - low) or 1.0

    def height(value: float) -> float:
        return round(SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * (value - low) / reach, 1)

    return height


def _thin(line: Sequence[float | None]) -> list[float | None]:
    step = max(1, -(-len(line) // _SPARK_POINTS))
    # The last point of each stretch: the end of the line is what is now.
    return list(line[::-1][::step][::-1])


def _pieces(line: Sequence[float | None], height: Callable[[float], float]) -> tuple[str, ...]:
    """Points of each unbroken piece."""
    apart = SPARK_WIDTH / max(1, len(line) - 1)
    pieces: list[list[str]] = [[]]
    for place, value in enumerate(line):
        if value is None or not math.isfinite(value):
            pieces.append([])
        else:
            pieces[-1].append(f"{place * apart:.1f},{height(value):g}")
    return tuple(" ".join(piece) for piece in pieces if piece)


def _spark_said(lines: Lines, unit: str) -> str:
    said = []
    for name, line in (("baseline", lines.baseline_lately), ("canary", lines.canary_lately)):
        seen = [one for one in line if one is not None and math.isfinite(one)]
        if seen:
            least, most = words.quantity(min(seen), unit), words.quantity(max(seen), unit)
            said.append(f"{name} {words.quantity(seen[-1], unit)} at last, between {least} and {most}")
    return "; ".join(said)


def has_curve(found: Durations) -> bool:
    """There is a bound to draw it to."""
    return any(math.isfinite(bound) and bound > 0 for bound in found.bounds)


def curves(found: Durations) -> Curves:
    """Both cumulative curves over the logarithm of time, and the quantiles as a table."""
    finite = [bound for bound in found.bounds if math.isfinite(bound) and bound > 0]
    least = finite[0] / 2

    def at(bound: float) -> float:
        inside = math.log(max(bound, least) / least) / math.log(finite[-1] / least)
        return round(CURVE_WIDTH * inside, 2)

    def drawn(shares: Sequence[float]) -> str:
        points = [(0.0, 0.0), *((at(bound), share) for bound, share in _finite(found.bounds, shares))]
        return " ".join(f"{x:g},{CURVE_HEIGHT * (1 - share):.2f}" for x, share in points)

    named = ("p50", "p95", "p99")
    quantiles = tuple(
        (name, _quantile(one, found), _quantile(other, found))
        for name, one, other in zip(named, found.baseline_quantiles, found.canary_quantiles, strict=True)
    )
    said = "; ".join(f"{name}: {one} in baseline, {other} in canary" for name, one, other in quantiles)
    ticks = tuple(Tick(at(one), words.quantity(one, found.unit)) for one in _worth_writing(finite))
    return Curves(drawn(found.baseline), drawn(found.canary), ticks, quantiles, said)


def _finite(bounds: Sequence[float], shares: Sequence[float]) -> list[tuple[float, float]]:
    return [(bound, share) for bound, share in zip(bounds, shares, strict=True) if math.isfinite(bound)]


def _worth_writing(bounds: Sequence[float]) -> Sequence[float]:
    """Four at most, the first and the last among them."""
    if len(bounds) <= 4:
        return bounds
    return [bounds[round(part * (len(bounds) - 1) / 3)] for part in range(4)]


def _quantile(value: float | None, found: Durations) -> str:
    if value is not None:
        return words.quantity(value, found.unit)
    last = max((bound for bound in found.bounds if math.isfinite(bound)), default=0.0)
    return f"more than {words.quantity(last, found.unit)}"


def boxes(found: Pods) -> tuple[Box, ...]:
    """Each pod's durations on one axis, from nothing to the largest whisker."""
    known = [(pod, [one for one in pod.box if one is not None]) for pod in found.listed if pod.box]
    right = max((one for _, box in known for one in box), default=0.0)
    if right <= 0:
        return ()

    def at(value: float | None) -> float:
        return SCALE_WIDTH if value is None else round(SCALE_WIDTH * value / right, 2)

    return tuple(
        Box(
            pod.arm.value,
            pod.name,
            pod.odd,
            (at(pod.box[0]), at(pod.box[4])),
            (at(pod.box[1]), at(pod.box[3])),
            at(pod.box[2]),
        )
        for pod, box in known
        if box
    )
