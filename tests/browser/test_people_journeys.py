"""Journeys of people who order something: a gate held and lifted, a token made and revoked."""

import time
from dataclasses import replace

import pytest

from browsing import DESK, PHONE, overflow, violations
from firedamp.ports import Event, Gate
from seeds import HOSTILE, LONGEST, RIGHT_TO_LEFT
from service import ADMIN, ASKER

PAGES = ("/gates", "/audit", "/audit?by=nobody", "/tokens", "/health")

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture
def ordered(site):
    """Switches and a trail with names that hurt."""
    at = time.time() - 60
    held = Gate("shop", "checkout", "hold", "", True, at + 7200, "alex", at, "looks odd")
    for gate in (
        held,
        replace(held, service=LONGEST, hook="rollback", revision=HOSTILE, note=HOSTILE * 8),
        replace(held, service=RIGHT_TO_LEFT, hook="off", by=RIGHT_TO_LEFT),
        replace(held, service="cart", is_open=False, hook="confirm-promotion"),
    ):
        site.do(site.store.set_gate(gate))
    site.do(site.store.record(Event(at, "hook", "shop", LONGEST, HOSTILE, HOSTILE, HOSTILE * 8)))
    return held


def hold(page, note="the error rate looks odd"):
    """Fill in the form and ask what it does."""
    form = page.locator("form.sheet")
    form.get_by_label("What").select_option("hold")
    form.get_by_label("Namespace").fill("shop")
    form.get_by_label("Service").fill("payments")
    form.get_by_label("Why").fill(note)
    form.get_by_role("button", name="See what it does").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_gate_is_held_and_released(visitor, site, scripts):
    """Read what it does, say yes, see it in force, lift it, see it ended: with scripts and without."""
    page = visitor.page(java_script_enabled=scripts)
    page.get_by_role("link", name="Gates").click()
    hold(page)
    assert page.get_by_text("Nothing of shop/payments advances or is promoted until").is_visible()

    page.get_by_role("button", name="Hold now").click()
    page.get_by_text("Done. It is in force").wait_for()
    held = [gate for gate in site.do(site.store.gates("shop")) if gate.service == "payments"]
    page.get_by_role("button", name="Lift hold of shop/payments").click()
    page.get_by_role("button", name="Lift now").click()
    page.get_by_text("Done. It is over").wait_for()
    lifted = [gate for gate in site.do(site.store.gates("shop")) if gate.service == "payments"]

    assert [(gate.is_open, gate.by) for gate in held] == [(True, "root")]
    assert [gate.is_open for gate in lifted] == [False]
    assert page.get_by_role("button", name="Hold again hold of shop/payments").is_visible()
    page.goto("/audit?kind=gate")
    assert page.get_by_text("opened gate hold: the error rate looks odd").is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_from_an_order_one_goes_back_to_its_release(visitor, site, scripts):
    """Order a running release back from its page, be led to it again, and read there who did."""
    page = visitor.page(java_script_enabled=scripts)
    page.get_by_role("link", name="checkout", exact=True).first.click()
    page.get_by_role("link", name="Hold it, open its gates").click()
    form = page.locator("form.sheet")
    form.get_by_label("What").select_option("rollback")
    form.get_by_label("Why").fill("refunds fail")
    form.get_by_role("button", name="See what it does").click()
    assert page.get_by_text("Flagger and Argo Rollouts roll revision").is_visible()
    page.get_by_role("button", name="Order now").click()
    page.get_by_role("link", name="Go to shop/checkout@").click()

    assert page.get_by_text("root ordered to roll this release back, for").is_visible()


@pytest.mark.parametrize(("scripts", "left"), [(True, 0), (False, 1)])
def test_what_was_done_is_said_once(visitor, scripts, left):
    """A page that is loaded again says nothing of it; without scripts its address does."""
    page = visitor.page(java_script_enabled=scripts)
    page.goto("/gates")
    hold(page)
    page.get_by_role("button", name="Hold now").click()
    page.get_by_text("Done. It is in force").wait_for()
    page.wait_for_load_state("load")
    page.reload()

    assert page.get_by_role("button", name="Lift hold of shop/payments").is_visible()
    assert page.get_by_text("Done. It is in force").count() == left


def test_a_gate_is_held_by_keyboard_alone(visitor, site):
    """From the first field to the last button with Tab, letters and Enter; focus is visible all the way."""
    page = visitor.page()
    page.goto("/gates")
    page.locator("form.sheet select").focus()
    page.keyboard.type("Hold")
    for text in ("shop", "payments", "", "30m", "by hand"):
        page.keyboard.press("Tab")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(text) if text else page.keyboard.press("Delete")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Hold now").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Done. It is in force").wait_for()

    assert any(gate.service == "payments" and gate.is_open for gate in site.do(site.store.gates("shop")))


def test_a_mistake_keeps_what_was_typed(visitor):
    """The fault stands beside its field, and a screen reader is told so."""
    page = visitor.page()
    page.goto("/gates")
    page.locator("form.sheet [name=lasts]").fill("soon")
    hold(page, note="do not lose me")
    field = page.locator("form.sheet [name=lasts]")

    assert field.get_attribute("aria-invalid") == "true"
    assert "write it like 30m" in page.locator(f"#{field.get_attribute('aria-describedby')}").text_content()
    assert page.locator("form.sheet").get_by_label("Why").input_value() == "do not lose me"


def test_what_was_typed_outlives_the_session(visitor, site):
    """The session ends while a form is filled in: log in beside it, and send it again."""
    page = visitor.page()
    page.goto("/gates")
    page.context.clear_cookies()
    hold(page)
    assert violations(page) == []
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in").click()
    opened.value.get_by_label("Token").fill(ADMIN)
    opened.value.get_by_role("button", name="Log in").click()
    opened.value.wait_for_url("**/")
    page.get_by_role("button", name="Send it again").click()
    page.get_by_text("made for another session").wait_for()
    page.get_by_role("button", name="Send it again").click()
    page.get_by_role("button", name="Hold now").click()
    page.get_by_text("Done. It is in force").wait_for()

    assert [gate.note for gate in site.do(site.store.gates("shop"))] == ["the error rate looks odd"]


def test_a_token_is_made_used_and_revoked(visitor):
    """Its secret is shown once; who logs in with it is a ruler of one namespace, until it is revoked."""
    page = visitor.page()
    page.get_by_role("link", name="Tokens").click()
    form = page.locator("form.sheet")
    form.get_by_label("Name", exact=False).first.fill("ruth")
    form.get_by_label("Role").select_option("ruler")
    form.get_by_role("button", name="Make it").click()
    secret = page.locator(".secret").text_content()
    hers = visitor.page(secret)
    hers.goto("/gates")
    assert hers.locator("form.sheet").is_visible()
    assert hers.get_by_role("link", name="Tokens").count() == 0

    page.get_by_role("button", name="Revoke ruth").click()
    page.get_by_role("button", name="Revoke now").click()
    page.wait_for_url("**/tokens?done=revoked")
    hers.goto("/gates")

    assert hers.get_by_role("heading", name="Log in").is_visible()


def test_whoever_may_not_sees_no_buttons(visitor, ordered):
    """What one may not press is not drawn."""
    page = visitor.page(ASKER)
    page.goto("/gates")

    assert page.get_by_text("shop/checkout").first.is_visible()
    assert page.locator("main form[method=post]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_orders_breaks_a_rule_of_accessibility(visitor, ordered, scheme):
    """axe-core finds nothing: lists, forms, faults, plans; at a desk and on a phone, none too wide."""
    page = visitor.page(color_scheme=scheme)
    found = {}

    def look(what):
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            found[f"{what} {size['width']}"] = [
                *violations(page),
                *(["too wide"] if overflow(page) > 0 else []),
            ]

    for path in PAGES:
        page.goto(path)
        look(path)
    page.goto("/gates")
    hold(page)
    look("plan")
    page.locator("form.sheet").get_by_role("button").click()
    look("faults")
    page.goto("/tokens")
    page.get_by_role("button", name="Revoke ci").click()
    look("leaving")
    page.locator("form.sheet").get_by_label("Name", exact=False).first.fill(f"made in the {scheme}")
    page.get_by_role("button", name="Make it").click()
    look("made")

    assert {what: faults for what, faults in found.items() if faults} == {}
