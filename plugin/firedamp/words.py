"""
Numbers as a person says them aloud.

Every sentence of a finding is made of these, so that a rate, a ratio and a count read the same
everywhere: "5.1 %", "1.34×", "1,240 requests", "82 ms".
"""

import math

from firedamp.model import Arm
from firedamp.units import spoken_duration

#: So long is a line that other programs show.
LINE_CHARACTERS = 600
_ASTRONOMIC = 1e15


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
    """A value with its unit, exact enough to tell it from its limit; seconds become ms, bytes MiB."""
    match unit:
        case "seconds":
            return f"{_plain(1000 * value)} ms" if abs(value) < 1 else f"{_plain(value)} s"
        case "bytes":
            return f"{_plain(value / 2**20)} MiB" if abs(value) >= 2**20 else f"{_plain(value)} bytes"
        case "share":
            return f"{_plain(100 * value)} %"
        case _:
            return f"{_plain(value)} {unit}".rstrip()


def significant(number: float, digits: int = 2) -> str:
    """A number with so many significant digits, thousands separated, without exponent below 1e15."""
    if not abs(number) < _ASTRONOMIC:
        return f"{number:.{digits}g}"
    rounded = round(number, _places(number, digits))
    # Rounding may carry over: 9.96 has become 10.0, and needs no digit behind the point any more.
    return f"{rounded:,.{max(0, min(_places(rounded, digits), 6))}f}" if rounded else "0"


def _places(number: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(abs(number))) if number else 0


def _plain(number: float) -> str:
    """Whole numbers as they are, others to three digits without idle zeros."""
    if abs(number) < _ASTRONOMIC and number == round(number):
        return count(number)
    text = significant(number, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def arm(which: Arm | None) -> str:
    """What a sentence calls the comparison arm."""
    return "baseline" if which is Arm.BASELINE else "main"


def plural(number: float, noun: str) -> str:
    """1 error, 3 errors, 2 misses, 2 queries."""
    return f"{count(number)} {noun if round(number) == 1 else _many(noun)}"


def _many(noun: str) -> str:
    if noun.endswith(("s", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def wait(missing: float, per_second: float) -> str:
    """How long so many requests take at this rate; empty when that is not known."""
    if per_second <= 0:
        return ""
    seconds = missing / per_second
    # A forecast of minutes knows no seconds.
    return f" (≈ {spoken_duration(seconds if seconds < 60 else 60 * round(seconds / 60))} at this traffic)"


def one_line(text: str, limit: int = LINE_CHARACTERS) -> str:
    """Text without line breaks and control characters, cut at `limit` characters."""
    clean = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"


def linked(sentence: str, link: str) -> str:
    """One line that ends with its link, however long the sentence is."""
    return f"{one_line(sentence, LINE_CHARACTERS - len(link) - 1)} {link}".rstrip()


def permalink(public_url: object, release_id: int | None) -> str:
    """Where a person reads on; a bare path where nobody said under which address people reach us."""
    base = str(public_url).rstrip("/") if public_url else ""
    return base if release_id is None else f"{base}/releases/{release_id}"
