"""Pages of errors, and times on all pages."""

import pytest

from firedamp.ui import error_page
from firedamp.ui.wording.times import instant
from pagereader import Reader
from service import running

_LOST = [
    ("/nothing", "nothing answers at this address; look for what you want from the list of releases"),
    ("/releases/abc", "id is 'abc': releases are numbered; take its link from the list"),
    ("/releases/99", "look it up in the list of releases, from which old ones are deleted"),
    ("/services/shop/nope", "look at the list of services"),
    ("/services/shop/nope/tuning", "only what the settings name can be tuned"),
]


@pytest.mark.parametrize(("path", "remedy"), _LOST)
async def test_whoever_is_lost_is_told_one_way_on(path, remedy):
    """It fits what was looked for: whoever asks for a service is told nothing of old releases."""
    async with running() as service:
        reply = await service.ask("GET", path, headers={"Accept": "text/html"})

    text = Reader(reply.text).text
    assert reply.status == 404
    assert remedy in text
    assert text.count("list of") <= 1
    assert "openapi" not in text


def test_an_error_page_has_the_sentence_and_a_way_back():
    """Whatever went wrong."""
    text = Reader(error_page(418, "a teapot; take the kettle").body.decode()).text

    assert "a teapot; take the kettle" in text
    assert "All releases" in text


def test_a_time_to_come_is_said_as_such():
    """Clocks of two machines differ; nothing happened minus three seconds ago."""
    assert instant(1_790_000_060.0, 1_790_000_000.0).ago == "in 1 min"
