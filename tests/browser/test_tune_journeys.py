"""A person tunes a check: looks first at what that would have changed, saves it, and takes it back."""

import pytest

from browsing import DESK, PHONE, Visitor, overflow, serving_at, violations
from service import ADMIN
from tunedshop import PATH, SETTINGS, TUNER, VIEWER, SlowStore, seed

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture
def site(tmp_path):
    """A shop with five releases behind it, two of which failed."""
    with serving_at(tmp_path, SETTINGS, seed=seed) as found:
        yield found


@pytest.fixture
def visitor(browser, site):
    """Opens its pages; whatever the browser complains of fails the test."""
    found = Visitor(browser, site)
    yield found
    found.close()
    assert found.seen == []


def preview(page, tolerance="500%"):
    """Type another tolerance, and look at what it would have changed."""
    page.get_by_label("Tolerance").fill(tolerance)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="verdicts differ").wait_for()


def save(page, why):
    """Say why, and save what was looked at."""
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name="Save this change").click()
    page.wait_for_url("**/tuning?done=*")


def in_force(site):
    """What is in force of the shop's checkout, and why, in the store's words."""
    return site.do(site.store.override("shop", "checkout"))


@pytest.mark.parametrize("scripts", [True, False])
def test_a_tolerance_is_tuned_and_reverted(visitor, site, scripts):
    """From the service's page to the preview, into force, and back: with scripts and without."""
    page = visitor.page(TUNER, java_script_enabled=scripts)
    page.goto("/services/shop/checkout")
    page.get_by_role("link", name="Tune how it is judged").click()
    preview(page)
    differing = page.get_by_role("region", name="Verdicts that differ")
    assert page.get_by_role("heading", name="2 of 5 verdicts differ: 1 labelled false positive.").is_visible()
    assert differing.get_by_role("link").all_inner_texts() == ["v3", "v1"]
    assert in_force(site) is None

    save(page, "bursts at noon")
    assert page.get_by_text("Version 1 is in force for releases that begin from now on").is_visible()
    assert page.get_by_label("Tolerance").input_value() == "500%"
    assert (in_force(site).by, in_force(site).version) == ("sue", 1)

    page.get_by_role("button", name="Revert to the settings").click()
    page.get_by_role("heading", name="verdicts differ").wait_for()
    assert page.get_by_label("Why").input_value() == "back to the settings"
    save(page, "it hid a bad release")

    assert (in_force(site).version, in_force(site).body) == (2, "")
    assert page.get_by_label("Tolerance").input_value() == "25%"
    page.get_by_role("link", name="Services").first.click()


def test_a_differing_verdict_leads_to_the_look_where_it_differs(visitor):
    """The release as it was known when harm was proven, in a tab of its own: what was typed stays."""
    page = visitor.page(TUNER)
    page.goto(PATH)
    preview(page)

    with page.context.expect_page() as opened:
        page.get_by_role("region", name="Verdicts that differ").get_by_role("link", name="v1").click()

    opened.value.wait_for_url("**/releases/2?look=*")
    assert opened.value.get_by_role("heading", name="checkout").first.is_visible()
    assert page.get_by_role("region", name="Verdicts that differ").is_visible()


def test_only_the_outcome_is_drawn_anew(visitor):
    """What is typed meanwhile stays, and so does the focus."""
    page = visitor.page(TUNER)
    page.goto(PATH)
    page.evaluate("document.querySelector('form.change').dataset.mine = 'yes'")
    preview(page)

    assert page.locator("form.change").get_attribute("data-mine") == "yes"
    assert page.evaluate("document.activeElement.textContent") == "Preview"


def test_what_is_unfolded_stays_so_while_the_preview_goes_on(browser, tmp_path):
    """Each step changes the outcome in its place: a list that somebody reads only grows, the focus stays."""
    with serving_at(tmp_path, SETTINGS, seed=seed, through=SlowStore) as site:
        visitor = Visitor(browser, site)
        page = visitor.page(TUNER)
        page.goto(PATH)
        page.get_by_label("Tolerance").fill("500%")
        page.get_by_role("button", name="Preview").click()
        page.get_by_text("so far, the newest first").wait_for()
        page.locator("#same summary").press("Enter")
        page.get_by_text("3 with the same verdict").wait_for(timeout=20_000)

        same = page.get_by_role("region", name="Verdicts that are the same")
        assert same.get_by_role("link").all_inner_texts() == ["v4", "v2", "v0"]
        assert page.evaluate("document.activeElement.textContent") == "3 with the same verdict"
        visitor.close()
    assert visitor.seen == []


def test_a_mistake_is_marked_and_mended(visitor):
    """The fault stands beside its field; the next preview is the whole one."""
    page = visitor.page(TUNER)
    page.goto(PATH)
    page.get_by_label("Tolerance").fill("lots")
    page.get_by_label("Warm-up").fill("1m")
    page.get_by_role("button", name="Preview").click()
    field = page.locator("[name=tolerance][aria-invalid=true]")
    field.wait_for()

    assert "write it like 20%" in page.locator(f"#{field.get_attribute('aria-describedby')}").text_content()
    assert page.get_by_label("Warm-up").input_value() == "1m"
    preview(page)
    assert page.locator("[aria-invalid=true]").count() == 0
    assert page.locator(".difference").inner_text().splitlines() == [
        "errors: tolerance 25 % → 500 %",
        "window: warm-up 2 min → 1 min",
    ]


def test_two_checks_are_changed_in_one_version(visitor, site):
    """The first one's change goes along to the second one's form."""
    page = visitor.page(TUNER)
    page.goto(PATH)
    preview(page)
    page.get_by_role("button", name="Change it along with this").click()
    page.wait_for_url("**check=latency*")
    page.locator("[name=tier]").select_option("debug")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("latency: tier warn → debug").wait_for()
    save(page, "both are noise")

    assert (
        in_force(site).note == "errors: tolerance 25 % → 500 %; latency: tier warn → debug (both are noise)"
    )


def test_it_is_tuned_by_keyboard_alone(visitor, site):
    """Tab, text and Enter, with the focus in sight all the way."""
    page = visitor.page(TUNER)
    page.goto(PATH)
    page.get_by_label("Tolerance").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("500%")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="verdicts differ").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate("document.activeElement.name") == "note":
            break
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tuning?done=1")

    assert in_force(site).note == "errors: tolerance 25 % → 500 % (by hand)"


def test_a_session_that_ended_is_told_where_the_outcome_would_be(visitor, site):
    """What was typed stays in the form."""
    page = visitor.page(TUNER)
    page.goto(PATH)
    page.context.clear_cookies()
    page.get_by_label("Tolerance").fill("500%")
    page.get_by_role("button", name="Preview").click()
    page.locator("#outcome").get_by_text("nobody is logged in").wait_for()

    assert page.get_by_label("Tolerance").input_value() == "500%"


def test_whoever_may_not_tune_sees_no_form(visitor):
    """Values, versions and the settings file are there."""
    page = visitor.page(VIEWER)
    page.goto(PATH)

    assert page.get_by_text("tolerance 25 %").first.is_visible()
    assert page.locator("main form").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_tuning_breaks_no_rule_of_accessibility(visitor, scheme):
    """axe-core finds nothing: form, faults, outcome, versions; at a desk and on a phone, none too wide."""
    page = visitor.page(ADMIN, color_scheme=scheme)
    found = {}

    def look(what):
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            wide = ["too wide"] if overflow(page) > 0 else []
            found[f"{what} {size['width']}"] = [*violations(page), *wide]

    page.goto(PATH)
    look("form")
    page.get_by_label("Tolerance").fill("lots")
    page.get_by_role("button", name="Preview").click()
    page.locator("[aria-invalid=true]").wait_for()
    look("faults")
    preview(page)
    for one in page.locator("details").all():
        one.evaluate("(one) => { one.open = true; }")
    look("outcome")
    save(page, "bursts at noon")
    look("saved")
    page.goto("/services/shop/checkout")
    look("service")
    page.goto("/services/shop/checkout/checks/errors")
    look("record")

    assert {what: faults for what, faults in found.items() if faults} == {}
