"""
Durations and shares as people write them: "30m", "90s", "20%".

Settings and command lines take these words; inside firedamp a duration is a float of seconds and a
share a fraction in [0, 1] (a tolerance may exceed 1).
"""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_FRACTION = re.compile(r"[01]|0?\.\d+|1\.0+")


def seconds(text: object) -> float:
    """
    Seconds in a duration such as "90s", "1h30m" or a plain number of seconds.

    Raises:
        ValueError: the text is no duration; the message has an example.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    if isinstance(text, str) and _DURATION.fullmatch(text.strip()):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    raise ValueError(f"{text!r} is no duration; write it like 90s, 30m or 1h30m")


def share(text: object) -> float:
    """
    The fraction in "20%", "0.2" or 0.2.

    Raises:
        ValueError: the text is no share; the message has an example.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    if isinstance(text, str) and (match := _PERCENT.fullmatch(text.strip())):
        return float(match[1]) / 100
    if isinstance(text, str) and _FRACTION.fullmatch(text.strip()):
        return float(text)
    raise ValueError(f"{text!r} is no share; write it like 20% or 0.2")


def spoken_duration(duration_seconds: float) -> str:
    """Say a duration with at most two units: "3 min 30 s", "4 min", "1 h 5 min"."""
    whole = max(0, round(duration_seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    return f"{rest} s"


#: What people may write, for editors: a number, or the text that goes for it.
_WRITTEN_DURATION = WithJsonSchema(
    {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_DURATION.pattern}$"}]}
)
_WRITTEN_SHARE = WithJsonSchema(
    {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[0-9]+(?:\.[0-9]+)?\s*%$"}]}
)

Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=30 * 86400), _WRITTEN_DURATION]
#: A duration that may be none at all.
Delay = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=30 * 86400), _WRITTEN_DURATION]
#: How long something is kept: years, where a release takes an hour.
Retention = Annotated[float, BeforeValidator(seconds), Field(ge=3600, le=3660 * 86400), _WRITTEN_DURATION]
Share = Annotated[float, BeforeValidator(share), Field(gt=0, lt=1), _WRITTEN_SHARE]
#: A difference of shares that may be none at all.
Excess = Annotated[float, BeforeValidator(share), Field(ge=0, lt=1), _WRITTEN_SHARE]
Tolerance = Annotated[float, BeforeValidator(share), Field(ge=0, le=100), _WRITTEN_SHARE]
