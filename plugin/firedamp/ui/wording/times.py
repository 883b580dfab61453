"""Times for people and for machines."""

from datetime import UTC, datetime

from firedamp.ui.pages.shell import Instant
from firedamp.units import spoken_duration


def instant(at: float, now: float) -> Instant:
    """A time in UTC, and how long ago that is."""
    moment = datetime.fromtimestamp(at, UTC)
    ago = f"{spoken_duration(now - at)} ago" if at <= now else f"in {spoken_duration(at - now)}"
    return Instant(f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S} UTC", ago)
