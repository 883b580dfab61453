"""Numbers read the same in every sentence."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp import words
from firedamp.model import Arm


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0, "0 %"),
        (0.0004, "0.040 %"),
        (0.012, "1.2 %"),
        (0.373, "37 %"),
        (0.0996, "10 %"),
        (0.00999, "1.0 %"),
        (1, "100 %"),
        (1.5e-7, "0.000015 %"),
    ],
)
def test_shares_have_the_digits_that_matter(rate, said):
    """Two significant digits, also where rounding carries over."""
    assert words.percent(rate) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.872, "0.87×"),
        (1.3449, "1.34×"),
        (1, "1.00×"),
        (12.34, "12.3×"),
        (99.96, "100×"),
        (1234, "1,230×"),
        (0, "0×"),
        (math.inf, "beyond measure"),
    ],
)
def test_ratios(ratio, said):
    """Three digits from 1 on, two below."""
    assert words.times(ratio) == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0"), (3.2, "4"), (9.99, "10"), (95.1, "96"), (337, "340"), (1201, "1,300")]
)
def test_forecasts_claim_two_digits(number, said):
    """A forecast is rounded up and never more exact than it can be."""
    assert words.about(number) == said


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.7, "more often than not"),
        (0.5, "more often than not"),
        (0.01, "1 time in 100"),
        (1 / 530, "1 time in 530"),
        (0, "1 time in 1,000,000,000"),
    ],
)
def test_chances(probability, said):
    """People weigh one in so many."""
    assert words.chance(probability) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.082, "seconds", "82 ms"),
        (1.25, "seconds", "1.25 s"),
        (-0.5, "seconds", "-500 ms"),
        (3 * 2**20, "bytes", "3 MiB"),
        (512, "bytes", "512 bytes"),
        (0.051, "share", "5.1 %"),
        (7, "", "7"),
        (0.12345, "", "0.123"),
        (99.96, "", "100"),
        (7, "messages", "7 messages"),
        (1234567, "", "1,234,567"),
        (0, "", "0"),
        (3, "restarts", "3 restarts"),
    ],
)
def test_quantities_carry_their_unit(value, unit, said):
    """Seconds become ms and bytes MiB where that reads better."""
    assert words.quantity(value, unit) == said


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "error", "1 error"),
        (0, "error", "0 errors"),
        (1.4, "error", "1 error"),
        (2500, "canary request", "2,500 canary requests"),
        (2, "cache miss", "2 cache misses"),
        (2, "match", "2 matches"),
        (2, "crash", "2 crashes"),
        (2, "query", "2 queries"),
        (2, "retry", "2 retries"),
        (2, "delay", "2 delays"),
        (2, "5xx", "2 5xxs"),
    ],
)
def test_plurals(number, noun, said):
    """Nouns of the settings get the plural that English has for them."""
    assert words.plural(number, noun) == said


def test_arms_have_names():
    """Sentences say which arm was compared with."""
    assert words.arm(Arm.BASELINE) == "baseline"
    assert words.arm(Arm.MAIN) == "main"


def test_waiting_is_said_in_time_where_traffic_is_known():
    """Requests become minutes at the traffic of now."""
    assert words.wait(390, 1.0) == " (≈ 6 min at this traffic)"
    assert words.wait(390, 0.0) == ""


def test_points():
    """Differences of shares are percentage points."""
    assert words.points(0.005) == "0.50 pp"


@given(st.floats(-1e14, 1e14), st.integers(1, 4))
def test_numbers_keep_their_digits(number, digits):
    """A number said aloud is the number to so many digits, and never in scientific notation."""
    said = words.significant(number, digits)

    assert "e" not in said
    assert float(said.replace(",", "")) == pytest.approx(number, rel=0.51 * 10 ** (1 - digits), abs=1e-6)


@pytest.mark.parametrize(
    ("number", "said"), [(math.inf, "inf"), (-math.inf, "-inf"), (1.234e20, "1.2e+20"), (1.7e308, "1.7e+308")]
)
def test_absurd_numbers_are_said_too(number, said):
    """No size of a number breaks a sentence."""
    assert words.significant(number) == said
    assert words.quantity(number, "")


def test_a_line_keeps_its_link_however_long_it_is():
    """What is too long is cut before the link."""
    link = words.permalink("https://firedamp.example.com/", 7)

    assert link == "https://firedamp.example.com/releases/7"
    assert words.linked("two\nlines", link) == f"two lines {link}"
    assert words.linked("x" * 1000, link).endswith(f"x… {link}")
    assert len(words.linked("x" * 1000, link)) == words.LINE_CHARACTERS


def test_without_an_address_of_ours_a_link_is_a_path():
    """Where nobody said how people reach us, the path is all that can be told."""
    assert (words.permalink(None, 7), words.permalink(None, None)) == ("/releases/7", "")
