"""The pages: what a person sees, and that nothing in it is ever markup of a caller's."""

from dataclasses import replace

import pytest

from firedamp.model import ReleaseKey
from firedamp.ports import Event
from firedamp.ui import error_page
from firedamp.ui.wording.times import instant
from pagereader import Reader
from seeds import HOSTILE
from service import Reply, Service
from store.examples import a_look
from visits import ERRORS, opened

# ── every page ───────────────────────────────────────────────────────────────────────────────────────


async def every_page(service: Service) -> list[Reply]:
    key = ReleaseKey("shop", "checkout", HOSTILE, 1)
    finding = replace(ERRORS, check=HOSTILE, sentence=HOSTILE, set_aside=HOSTILE)
    look = replace(a_look(0), findings=(finding,))
    arms = {"canary": HOSTILE, "main": HOSTILE}
    release = await opened(
        service.store, look, key=key, arms=arms, step_label=HOSTILE, outcome=HOSTILE, ended=1_790_000_900.0
    )
    await service.store.update(replace(release, sentence=HOSTILE))
    await service.store.record(Event(1.0, "gate", "shop", "checkout", HOSTILE, HOSTILE, HOSTILE))
    paths = ["/", f"/releases/{release.id}", "/login?next=/%22%3E%3Cscript%3E", "/releases/nothing"]
    filtered = f"/?service={'%3Cscript%3E%22'}"
    return [await service.ask("GET", path) for path in [*paths, filtered]]


async def test_nothing_of_a_caller_becomes_markup(service):
    """Names, sentences, outcomes, filters: hostile text stays text on every page."""
    for reply in await every_page(service):
        page = Reader(reply.text)

        assert "<script>" not in reply.text
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


async def test_pages_need_nothing_from_elsewhere(service):
    """No style in an attribute, no script in the page, no address of another host: the policy holds."""
    for reply in await every_page(service):
        for tag, attributes in Reader(reply.text).tags:
            assert "style" not in attributes
            assert tag != "style"
            assert tag != "script" or (attributes["src"] or "").startswith("/static/")
            for name in ("href", "src", "action"):
                assert (attributes.get(name) or "/").startswith(("/", "#", "data:,"))


async def test_pages_can_be_read_by_everybody(service):
    """A language, a title, one heading, a way past the header, a label for every field."""
    for reply in await every_page(service):
        page = Reader(reply.text)
        tags = [tag for tag, _ in page.tags]

        assert ("html", {"lang": "en"}) in page.tags
        assert tags.count("h1") == 1
        assert tags.count("main") == 1
        assert tags.index("title") > 0
        assert "Skip to the content" in page.text
        inputs = [one for tag, one in page.tags if tag == "input" and one.get("type") != "hidden"]
        assert tags.count("label") == len(inputs) + tags.count("select") + tags.count("textarea")
        assert page.open == []


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
