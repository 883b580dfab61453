"""Durations and shares as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from firedamp import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("2d", 172800),
        (45, 45),
        (0.5, 0.5),
        (" 5m ", 300),
        ("1m30s500ms", 90.5),
    ],
)
def test_durations(text, seconds):
    """Numbers are seconds; units may be combined."""
    assert units.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "m", "5", "5 m", "-5m", "5x", "1h 30m", True, None, [1], "∞"])
def test_what_is_no_duration(text):
    """The message has an example."""
    with pytest.raises(ValueError, match="is no duration; write it like 90s, 30m or 1h30m"):
        units.seconds(text)


@pytest.mark.parametrize(
    ("text", "share"),
    [("20%", 0.2), ("0.5 %", 0.005), (0.2, 0.2), (1, 1.0), (" 15% ", 0.15), ("0.2", 0.2), (".5", 0.5)],
)
def test_shares(text, share):
    """Per cent or a fraction."""
    assert units.share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "%", "20", "1.5", ".", "-5%", "twenty", True, None])
def test_what_is_no_share(text):
    """The message has an example."""
    with pytest.raises(ValueError, match=r"is no share; write it like 20% or 0\.2"):
        units.share(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (units.Seconds, 0),
        (units.Seconds, "31d"),
        (units.Seconds, float("nan")),
        (units.Delay, -1),
        (units.Delay, float("nan")),
        (units.Share, 0),
        (units.Share, "100%"),
        (units.Share, float("nan")),
        (units.Excess, 1),
        (units.Excess, -0.1),
        (units.Excess, float("nan")),
        (units.Tolerance, -0.1),
        (units.Tolerance, 101),
        (units.Tolerance, float("nan")),
    ],
)
def test_ranges_are_kept(kind, value):
    """A duration passes, a share is a part, and neither is NaN."""
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (units.Delay, "0s"),
        (units.Excess, 0),
        (units.Tolerance, "150%"),
        (units.Tolerance, 0),
        (units.Share, "99%"),
    ],
)
def test_ends_of_ranges(kind, value):
    """What may be nothing may be nothing."""
    assert TypeAdapter(kind).validate_python(value) >= 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (210, "3 min 30 s"),
        (600, "10 min"),
        (630, "10 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (36_000, "10 h"),
        (40_000, "11 h"),
        (59.7, "1 min"),
    ],
)
def test_durations_are_said_with_two_units_at_most(seconds, said):
    """The longer, the rougher."""
    assert units.spoken_duration(seconds) == said


@given(st.integers(0, 10**7), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_duration_is_its_number_times_its_unit(number, unit):
    """Every whole number of every unit is read."""
    scale = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]

    assert units.seconds(f"{number}{unit}") == pytest.approx(number * scale)
