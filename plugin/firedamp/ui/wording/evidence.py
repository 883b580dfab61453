"""What stands behind one check, in words: its looks, pods, curves, operations, queries and traces."""

import math
from collections.abc import Sequence
from urllib.parse import quote

from firedamp import words
from firedamp.config.links import filled
from firedamp.decision import exhibits
from firedamp.decision.exhibits import Lines, Pods, Series
from firedamp.judge.sent import Sent
from firedamp.model import Finding, Outcome
from firedamp.ui.pages.evidence import Detail, LookRow, OperationRow, PodRow, QueryRow
from firedamp.ui.pages.shell import Instant, Link
from firedamp.ui.wording import drawings
from firedamp.ui.wording.marks import MARKS
from firedamp.ui.wording.seen import Seen
from firedamp.ui.wording.times import instant

#: So many looks are in the table on the page; the CSV has them all.
MOST_ROWS = 20
_Pair = tuple[float | None, float | None]
_UNKNOWN = "judged by a version whose settings this one cannot read; its queries are not known"


def detail(seen: Seen, finding: Finding, found: exhibits.Series) -> Detail:
    """All that is folded under a check."""
    check = seen.check(finding)
    pods = exhibits.pods(seen.known, finding, check, since=seen.since)
    durations = exhibits.durations(seen.known, finding, since=seen.since)
    rows = _rows(found, seen.now)
    return Detail(
        data=data_address(seen, finding.check),
        unit=found.unit,
        rows=rows,
        left_out=len(seen.known) - len(rows),
        pods=tuple(_pod(pods, found.unit)),
        pods_left_out=sum((pods.counted or {}).values()) - len(pods.listed),
        pods_value=_value_named(finding),
        pods_since=f"since look {seen.known[0].evidence.block.index}" if seen.is_cut else "since warm-up",
        boxes=drawings.boxes(pods),
        curves=drawings.curves(durations) if durations and drawings.has_curve(durations) else None,
        operations=tuple(_operations(seen, finding)),
        queries=tuple(_query(seen, one) for one in seen.queries.get(finding.check, ())),
        queries_unknown=_UNKNOWN if seen.parameters is None else "",
        traces=tuple(_trace(seen, finding, one) for one in finding.traces),
    )


def data_address(seen: Seen, check: str) -> str:
    """Where the lines of a check are, as JSON."""
    address = f"{seen.twin}/checks/{quote(check, safe='')}"
    return f"{address}?{seen.at}" if seen.at else address


def _rows(found: Series, now: float) -> tuple[LookRow, ...]:
    lines, each = found.lines, range(len(found.lines.ends))
    return tuple(_row(found, lines, place, now) for place in reversed(each[-MOST_ROWS:]))


def _row(found: Series, lines: Lines, place: int, now: float) -> LookRow:
    outcome = found.outcomes[place]
    return LookRow(
        at=_at(lines.ends[place], now),
        block=f"{lines.blocks[place] or 0:.0f}",
        mark=MARKS[outcome or Outcome.INCONCLUSIVE],
        baseline=quantity(lines.baseline[place], found.unit),
        canary=quantity(lines.canary[place], found.unit),
        effect=compared(
            effect(lines.effect[place], lines.effect_low[place], lines.effect_high[place]),
            (lines.baseline[place], lines.canary[place]),
            (lines.effect_low[place], lines.effect_high[place]),
            found.unit,
        ),
        p_value=chance(lines.p_value[place]),
    )


def _at(end: float | None, now: float) -> Instant:
    return instant(end or 0.0, now)


def _pod(found: Pods, unit: str) -> list[PodRow]:
    return [
        PodRow(
            one.arm.value,
            one.name,
            quantity(one.value, unit),
            words.count(one.size),
            _box_said(one.box, unit),
            one.odd,
        )
        for one in found.listed
    ]


def _box_said(box: Sequence[float | None], unit: str) -> str:
    if len(box) != len(exhibits.BOX):
        return ""
    low, high = quantity(box[0], unit) or "–", quantity(box[-1], unit) or "beyond the last bound"
    return f"{low} to {high}"


def _value_named(finding: Finding) -> str:
    match finding.kind:
        case "distribution" | "flow-duration":
            return "Median"
        case "threshold":
            return "Value"
        case "relative" | "trend":
            return "Mean"
        case _:
            return "Rate"


def _operations(seen: Seen, finding: Finding) -> list[OperationRow]:
    return [
        OperationRow(
            one.name,
            words.count(one.baseline),
            words.count(one.canary),
            "" if one.expected is None else words.significant(one.expected, 3),
        )
        for one in exhibits.operations(seen.known, finding, since=seen.since)
    ]


def _query(seen: Seen, sent: Sent) -> QueryRow:
    links = seen.links.named() if sent.graph else ()
    begin, end = seen.known[0].evidence.block.start, seen.known[-1].evidence.block.end
    values = {
        "query": sent.graph,
        "from_ms": f"{1000 * begin:.0f}",
        "to_ms": f"{1000 * end:.0f}",
        "from": instant(begin, seen.now).iso,
        "to": instant(end, seen.now).iso,
    }
    ready = tuple(Link(f"Open in {name}", filled(template, values)) for name, template in links)
    return QueryRow(sent.arm.value if sent.arm else "both", sent.role, sent.text, ready)


def _trace(seen: Seen, finding: Finding, trace: str) -> Link:
    check = seen.check(finding)
    where = check.where(trace) if check is not None else trace
    return Link(trace, where if where.startswith(("http://", "https://")) else "")


def quantity(number: float | None, unit: str) -> str:
    """A value with its unit; empty where it is not known."""
    return "" if number is None or not math.isfinite(number) else words.quantity(number, unit)


def effect(value: float | None, low: float | None, high: float | None) -> str:
    """An effect with its interval; empty where it is not known."""
    if value is None or math.isnan(value):
        return ""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return words.times(value)
    upper = "more" if math.isinf(high) else words.times(high)
    return f"{words.times(value)} ({words.times(low)} to {upper})"


def compared(spoken: str, values: _Pair, interval: _Pair, unit: str) -> str:
    """
    An effect in words that hold where one of two shares, or both, are 0: nothing is so many times nothing.

    Args:
        spoken: the effect as it is said elsewhere.
        values: baseline and canary.
        interval: of the effect.
        unit: of the values; only shares are counted down to 0.
    """
    if unit != "share" or 0 not in values or not spoken:
        return spoken
    low, high = interval
    least = f"; at least {words.times(low)}" if low is not None and low > 1 else ""
    most = f"; up to {words.times(high)} is not ruled out" if high is not None and math.isfinite(high) else ""
    match values:
        case (0, 0):
            return f"none in either{most}"
        case (0, _):
            return f"none in the baseline{least or most}"
        case _:
            return f"none in the canary{most}"


def chance(probability: float | None) -> str:
    """A p-value, to two digits; empty where it is not known."""
    if probability is None or not math.isfinite(probability):
        return ""
    return "< 0.0001" if probability < 0.0001 else f"{probability:.2g}"
