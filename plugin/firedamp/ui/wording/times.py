"""Times for people and for machines."""

from datetime import UTC, datetime
from functools import lru_cache

from firedamp.ui.pages.shell import Instant
from firedamp.units import spoken_duration

_DAY_SECONDS = 86400
#: Times of a page: that of a look stands at each of its checks.
_REMEMBERED = 512


@lru_cache(_REMEMBERED)
def instant(at: float, now: float) -> Instant:
    """A time in UTC, and how long ago that is."""
    moment = datetime.fromtimestamp(at, UTC)
    ago = f"{lasting(now - at)} ago" if at <= now else f"in {lasting(at - now)}"
    return Instant(f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S} UTC", ago)


def lasting(seconds: float) -> str:
    """A duration in words; from two days on nobody counts hours."""
    return f"{int(seconds // _DAY_SECONDS)} d" if seconds >= 2 * _DAY_SECONDS else spoken_duration(seconds)
