"""Journeys through the pages, in a real browser: by keyboard, on a phone, in the dark, without scripts."""

import pytest

from browsing import DESK, PHONE, overflow
from everypage import PAGES, filled
from firedamp.ports import Wanted

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture
def failing(site):
    """The newest release, which fails."""
    [release] = site.do(site.store.listed(Wanted(), limit=1))
    return release


def test_from_the_list_to_the_reason_by_keyboard_alone(visitor, failing):
    """Skip to the content, tab to the release, enter: there is the reason; focus is visible all the way."""
    page = visitor.page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")

    link = page.get_by_role("link", name="checkout").first
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if link.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/releases/{failing.id}")

    assert page.get_by_text(failing.sentence).first.is_visible()


def test_everything_can_be_read_and_every_filter_works_without_scripts(visitor, failing):
    """A form is a form, a link is a link, and nothing waits for a script to appear."""
    page = visitor.page(java_script_enabled=False)
    page.get_by_label("Verdict").select_option("fail")
    page.get_by_role("button", name="Show", exact=True).click()

    assert page.get_by_role("row").count() == 3
    assert page.get_by_label("Verdict").input_value() == "fail"
    assert not page.get_by_label("Theme").is_visible()

    page.get_by_role("link", name="checkout").first.click()
    assert page.get_by_text(failing.sentence).first.is_visible()


def test_the_address_of_a_list_holds_what_was_filled_in_alone(visitor):
    """Nothing of the fields that were left empty, to be sent to somebody; so it is in the audit trail."""
    page = visitor.page()
    page.get_by_label("Service").fill("cart")
    page.get_by_label("Verdict").select_option("pass")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/?service=cart&verdict=pass")
    page.get_by_label("Service").fill("")
    page.get_by_label("Verdict").select_option("")
    page.get_by_label("Service").press("Enter")
    page.wait_for_url(lambda address: address == f"{visitor.site.url}/")
    page.goto("/audit")
    page.get_by_label("Namespace").fill("shop")
    page.get_by_role("button", name="Show").click()

    page.wait_for_url("**/audit?namespace=shop")


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_phone_the_releases_come_before_the_filters(visitor, scripts):
    """They are folded, say what is in force, and open by keyboard; a wider window shows them at once."""
    phone = visitor.page(java_script_enabled=scripts, viewport=PHONE)
    assert not phone.get_by_label("Namespace").is_visible()
    phone.get_by_text("Filters", exact=True).press("Enter")
    phone.get_by_label("Verdict").select_option("fail")
    phone.get_by_role("button", name="Show").click()
    phone.get_by_text("Filters: verdict fail").wait_for()
    phone.set_viewport_size(DESK)

    assert phone.get_by_label("Namespace").is_visible()
    assert not phone.get_by_text("Filters: verdict fail").is_visible()


def test_no_page_is_wider_than_a_window_at_400_percent(visitor, failing):
    """320 px, which is what 400 % zoom leaves of a desk (WCAG 2.2, 1.4.10)."""
    page = visitor.page(viewport={**PHONE, "width": 320})
    names = {"id": failing.id, "namespace": "shop", "service": "checkout", "check": "errors"}
    wider = {}
    for address in PAGES:
        page.goto(filled(address, names))
        wider[address] = max(0, overflow(page))

    assert wider == dict.fromkeys(PAGES, 0)


def test_a_theme_that_was_chosen_holds_on_every_page_and_from_the_first_paint(visitor, failing):
    """Chosen once; on the next page the ground is dark before the body is there."""
    page = visitor.page(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Theme").select_option("dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.goto(f"/releases/{failing.id}")

    assert dark != light
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert page.get_by_label("Theme").input_value() == "dark"
