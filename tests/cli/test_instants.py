"""Instants on a command line."""

import pytest

from firedamp.cli.instants import clock_time, instant, written


@pytest.mark.parametrize(
    "text", ["1763719200", "2025-11-21T10:00:00Z", "2025-11-21T11:00:00+01:00", "2025-11-21T10:00Z"]
)
def test_instants_are_read(text):
    """ISO 8601 with any offset, or Unix seconds, mean the same instant."""
    assert instant(text) == 1763719200.0


@pytest.mark.parametrize("text", ["2025-11-21T10:00:00", "10:00", "now", "-5"])
def test_an_instant_without_zone_is_refused(text):
    """A pipeline's local time is nobody's guess; the message says how to write it."""
    with pytest.raises(ValueError, match=r"write it like|time zone"):
        instant(text)


def test_instants_are_told_in_utc():
    """Lines and reports are in UTC wherever they are read."""
    assert (clock_time(1763719200.0), written(1763719200.0)) == ("10:00:00", "2025-11-21T10:00:00Z")
