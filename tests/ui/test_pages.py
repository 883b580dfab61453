"""Pages of errors, and times on all pages."""

import pytest

from firedamp.ui import error_page
from firedamp.ui.wording.times import instant
from pagereader import Reader


@pytest.mark.parametrize("status", [401, 403, 404, 405, 503])
def test_an_error_page_says_what_to_do(status):
    """Every common error has its remedy."""
    text = Reader(error_page(status, "something is wrong").body.decode()).text

    assert "something is wrong" in text
    assert len(text) > len("something is wrong") + 60


def test_an_error_nobody_foresaw_has_a_page_too():
    """Without a remedy, but with the sentence and a way back."""
    text = Reader(error_page(418, "a teapot").body.decode()).text

    assert "a teapot" in text
    assert "All releases" in text


def test_a_time_to_come_is_said_as_such():
    """Clocks of two machines differ; nothing happened minus three seconds ago."""
    assert instant(1_790_000_060.0, 1_790_000_000.0).ago == "in 1 min"
