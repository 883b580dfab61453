"""Instants as people write them on a command line."""

import re
from datetime import UTC, datetime


def instant(text: str) -> float:
    """
    Unix seconds of `2026-11-21T10:00:00Z`, of another offset, or of a number of seconds.

    Raises:
        ValueError: it is no instant, or has no time zone.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write it like 2026-11-21T10:00:00Z") from None
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; add Z or an offset like +01:00")
    return found.timestamp()


def clock_time(at: float) -> str:
    """Time of day in UTC, for a line of a log."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def written(at: float) -> str:
    """The whole instant in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
