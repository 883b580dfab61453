"""
Numbers as a person says them aloud.

Every sentence of a finding is made of these, so that a rate, a ratio and a count read the same
everywhere: "5.1 %", "1.34×", "1,240 requests", "82 ms".
"""

import math

from firedamp.model import Arm
from firedamp.units import spoken_duration


def percent(rate: float) -> str:
    """A share with the digits that matter: 0.04 %, 1.2 %, 37 %."""
    return f"{significant(100 * rate)} %"


def points(excess: float) -> str:
    """A difference of shares in percentage points."""
    return f"{significant(100 * excess)} pp"


def times(ratio: float) -> str:
    """A ratio: 0.87×, 1.34×, 12×."""
    return "beyond measure" if math.isinf(ratio) else f"{significant(ratio, 3 if ratio >= 1 else 2)}×"


def count(number: float) -> str:
    """A whole number with thousands separated."""
    return f"{round(number):,}"


def about(number: float) -> str:
    """A forecast, to two digits: 340, 1,200; it claims no more than it knows."""
    if number < 10:
        return count(math.ceil(number))
    scale = 10 ** (math.floor(math.log10(number)) - 1)
    return count(math.ceil(number / scale) * scale)


def chance(probability: float) -> str:
    """A probability as people weigh it: less than 1 in 500."""
    if probability >= 0.5:
        return "more often than not"
    return f"1 time in {about(1 / max(probability, 1e-9))}"


def quantity(value: float, unit: str) -> str:
    """A value with its unit; seconds become ms where that reads better, bytes MiB."""
    match unit:
        case "seconds":
            return f"{significant(1000 * value)} ms" if abs(value) < 1 else f"{significant(value)} s"
        case "bytes":
            return (
                f"{significant(value / 2**20)} MiB" if abs(value) >= 2**20 else f"{significant(value)} bytes"
            )
        case "share":
            return percent(value)
        case "":
            return significant(value)
        case _:
            return f"{significant(value)} {unit}"


def significant(number: float, digits: int = 2) -> str:
    """A number with so many significant digits, thousands separated, no exponent."""
    if number == 0 or not math.isfinite(number):
        return "0" if number == 0 else str(number)
    places = digits - 1 - math.floor(math.log10(abs(number)))
    rounded = round(number, places)
    return f"{rounded:,.{max(0, min(places, 6))}f}"


def arm(which: Arm | None) -> str:
    """What a sentence calls the comparison arm."""
    return "baseline" if which is Arm.BASELINE else "main"


def plural(number: float, noun: str) -> str:
    """1 error, 3 errors."""
    return f"{count(number)} {noun}" + ("" if round(number) == 1 else "s")


def wait(missing: float, per_second: float) -> str:
    """How long so many requests take at this rate; empty when that is not known."""
    if per_second <= 0:
        return ""
    return f" (≈ {spoken_duration(missing / per_second)} at this traffic)"
