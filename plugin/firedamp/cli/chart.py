"""
Time against ratio: when which change is seen, as a few lines of text and as an SVG picture.

Both axes are logarithmic. Drawn by hand: a plotting library would be the largest dependency of all.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from firedamp.units import spoken_duration
from firedamp.words import significant

#: Ratios at the axis; a curve is cut off at the last one.
TICKS = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
_WIDE, _HIGH = 60, 13
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Told apart by the colour-blind too: Okabe & Ito (2008), Color Universal Design.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a")
_PICTURE = (720, 420)
_FRAME = (70, 50, 530, 360)  # left, top, right, bottom
_MINUTES = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080, 43200)


@dataclass(frozen=True, slots=True)
class Curve:
    """(seconds, ratio) points of one check."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logarithmic axis: where a value lies, 0 at its low end and 1 at its high one."""

    low: float
    high: float

    def place(self, value: float) -> float:
        return min(max(math.log(value / self.low) / math.log(self.high / self.low), 0.0), 1.0)


def _axes(curves: Sequence[Curve]) -> tuple[_Scale, _Scale]:
    times = [seconds for curve in curves for seconds, _ in curve.points]
    return _Scale(min(times) / 1.05, max(times) * 1.05), _Scale(TICKS[0] / 1.2, TICKS[-1])


def lines(curves: Sequence[Curve], marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    """The chart as text: a letter per check, the smallest change seen by then; nothing without curves."""
    if not curves:
        return
    across, up = _axes(curves)
    yield "smallest change seen in four of five releases, by the time since the canary's start"
    canvas = _drawn(curves, across, up)
    ticks = {_row(up, tick): f"{significant(tick)}×" for tick in TICKS}
    for row in range(_HIGH):
        yield f"{ticks.get(row, ''):>6} │{''.join(canvas[row])}".rstrip()
    yield f"{'':>6} └{'─' * _WIDE}"
    yield _below(across)
    yield "  ".join(f"{letter} {curve.name}" for letter, curve in zip(_LETTERS, curves, strict=False))
    yield ", ".join(f"{name} {spoken_duration(seconds)}" for seconds, name in marks)


def _drawn(curves: Sequence[Curve], across: _Scale, up: _Scale) -> list[list[str]]:
    canvas = [[" "] * _WIDE for _ in range(_HIGH)]
    for letter, curve in zip(_LETTERS, curves, strict=False):
        for seconds, ratio in curve.points:
            if ratio <= up.high:
                canvas[_row(up, ratio)][round(across.place(seconds) * (_WIDE - 1))] = letter
    return canvas


def _row(up: _Scale, ratio: float) -> int:
    return round((1 - up.place(ratio)) * (_HIGH - 1))


def _below(across: _Scale) -> str:
    """Times under the axis, as many as there is room for."""
    text = ""
    for seconds in _times(across):
        column = 8 + round(across.place(seconds) * (_WIDE - 1))
        if column > len(text):
            text = f"{text:<{column}}{spoken_duration(seconds)} "
    return text.rstrip()


def _times(across: _Scale) -> list[float]:
    return [60.0 * minutes for minutes in _MINUTES if across.low <= 60 * minutes <= across.high]


def svg(title: str, curves: Sequence[Curve], marks: Sequence[tuple[float, str]]) -> str:
    """The chart as a picture of its own, readable on light and on dark pages."""
    wide, high = _PICTURE
    parts = _picture(curves, marks) if curves else [_text(wide / 2, high / 2, "nothing to draw", "middle")]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" '
            'font-family="sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
            f'<text x="{_FRAME[0]}" y="24" font-size="15">{escape(title)}</text>',
            *parts,
            "</svg>\n",
        )
    )


def _picture(curves: Sequence[Curve], marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    across, up = _axes(curves)
    left, top, right, bottom = _FRAME
    for tick in TICKS:
        y = bottom - up.place(tick) * (bottom - top)
        yield f'<path d="M{left} {y:.1f}H{right}" stroke="#dddddd"/>'
        yield _text(left - 8, y + 4, f"{significant(tick)}×", "end")
    for seconds in _times(across):
        x = left + across.place(seconds) * (right - left)
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="#555555"/>'
        yield _text(x, bottom + 20, spoken_duration(seconds), "middle")
    for seconds, name in marks:
        if across.low <= seconds <= across.high:
            x = left + across.place(seconds) * (right - left)
            yield f'<path d="M{x:.1f} {top}V{bottom}" stroke="#999999" stroke-dasharray="4 3"/>'
            yield _text(x, top - 6, name, "middle")
    yield f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#555555"/>'
    yield _text((left + right) / 2, bottom + 42, "time since the canary's start", "middle")
    yield _text(left, top - 6, "smallest change seen in 4 of 5", "start")
    yield from _curves(curves, across, up)


def _curves(curves: Sequence[Curve], across: _Scale, up: _Scale) -> Iterator[str]:
    left, top, right, bottom = _FRAME
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [
            (_at(across.place(seconds), left, right), _at(up.place(ratio), bottom, top))
            for seconds, ratio in curve.points
            if ratio <= up.high
        ]
        line = " ".join(f"{x},{y}" for x, y in places)
        dashes = (
            f' stroke-dasharray="{2 * (number // len(_COLOURS)) + 2} 3"' if number >= len(_COLOURS) else ""
        )
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
        yield from (f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>' for x, y in places)
        y = top + 18 * number
        yield f'<path d="M{right + 15} {y}h20" stroke="{colour}" stroke-width="2"{dashes}/>'
        yield _text(right + 42, y + 4, curve.name, "start")


def _at(place: float, low: float, high: float) -> str:
    return f"{low + place * (high - low):.1f}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
