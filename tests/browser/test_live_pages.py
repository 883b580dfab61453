"""Open pages keep up: two browsers see each look soon, and both catch up after the server was gone."""

import time
from dataclasses import replace

import pytest

from browsing import Visitor, serving_at
from firedamp.model import Outcome
from firedamp.ports import Wanted
from seeds import a_dozen
from store.examples import a_look

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


def judged(site, block: int, sentence: str) -> None:
    """One more look at the newest release."""
    [release] = site.do(site.store.listed(Wanted(), limit=1))
    changed = replace(release, verdict=Outcome.INCONCLUSIVE, sentence=sentence)
    site.do(site.store.add_looks(changed, [a_look(block)]))


def test_two_who_watch_see_every_look_soon(visitor, site):
    """No reload, no button: the row changes, and what had the focus keeps it."""
    pages = [visitor.page(), visitor.page()]
    for page in pages:
        page.get_by_text("live", exact=True).wait_for()
    pages[0].get_by_role("link", name="checkout").first.focus()
    began = time.monotonic()
    judged(site, 100, "errors: seen by both")
    for page in pages:
        page.get_by_text("errors: seen by both").wait_for()

    assert time.monotonic() - began < 5.0
    assert pages[0].evaluate("document.activeElement.textContent") == "checkout"


def test_a_page_whose_session_is_over_stays_and_says_that_it_grows_old(visitor, site):
    """Logged out in another tab: neither are they emptied, nor do they go on saying that they are live."""
    releases = visitor.page()
    [release] = site.do(site.store.listed(Wanted(), limit=1))
    one, written_on = releases.context.new_page(), releases.context.new_page()
    for page in (one, written_on):
        page.goto(f"/releases/{release.id}")
    pages = (releases, one, written_on)
    for page in pages:
        page.get_by_text("live", exact=True).wait_for()
    note = written_on.locator("form.words input[name=note]").first
    note.fill("half a sentence")
    other = releases.context.new_page()
    other.goto("/gates")
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/login")
    judged(site, 100, "errors: seen by nobody")
    for page in pages:
        page.get_by_role("alert").get_by_text("You are logged out").wait_for()

    assert releases.locator("#rows tbody tr").count() == 12
    assert not releases.get_by_text("errors: seen by nobody").is_visible()
    assert one.locator(".verdict").is_visible()
    assert note.input_value() == "half a sentence"
    assert not any(page.get_by_text("live", exact=True).is_visible() for page in pages)


def test_both_catch_up_when_the_server_comes_back(browser, tmp_path):
    """Killed and started again on the same port: nobody loads the page anew."""
    with serving_at(tmp_path, seed=a_dozen) as site:
        visitor = Visitor(browser, site)
        pages = [visitor.page(), visitor.page()]
        for page in pages:
            page.get_by_text("live", exact=True).wait_for()
            page.evaluate("window.same = true")
        port = int(site.url.rpartition(":")[2])
    with serving_at(tmp_path, port=port) as site:
        judged(site, 101, "errors: after the restart")
        for page in pages:
            page.get_by_text("errors: after the restart").wait_for(timeout=20_000)
            assert page.evaluate("window.same")
        visitor.close()
