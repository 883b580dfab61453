"""States that nobody draws: two hundred checks, one, names that hurt, an older version, paper, zoom."""

import time
from dataclasses import replace

import pytest

from browsing import DESK, PHONE, overflow, serving_at, violations
from findings import ERRORS
from firedamp.model import Controller, Outcome, Release, ReleaseKey
from seeds import LONGEST, a_dozen
from store.examples import a_look

_FAILING, _PASSING = replace(ERRORS, outcome=Outcome.FAIL), replace(ERRORS, outcome=Outcome.PASS)
#: What 200 % zoom leaves of a desk.
ZOOMED = {"width": DESK["width"] // 2, "height": DESK["height"] // 2}
_MANY = 200


def many():
    """Findings of a service that is checked for everything; every fortieth fails."""
    found = [_FAILING if number % 40 == 0 else _PASSING for number in range(_MANY)]
    return tuple(replace(one, check=f"check-{number:03}") for number, one in enumerate(found))


async def hard(store):
    """The dozen, and releases with two hundred checks, with one, and of an older version."""
    await a_dozen(store)
    for revision, findings, settings in (
        ("many", many(), "{}"),
        ("one", (_FAILING,), "{}"),
        ("older", (_FAILING, replace(_PASSING, check="other")), '{"of": "a version to come"}'),
    ):
        began = time.time() - 600
        release = Release(
            id=0,
            key=ReleaseKey("shop", "checkout", revision, 1),
            controller=Controller.ARGO,
            started=began,
            arms={"canary": revision, "main": "v1"},
            experiment=False,
            parameters=settings,
            version="0.0.1",
            last_asked=time.time(),
        )
        opened = await store.open(release)
        told = replace(opened, verdict=Outcome.FAIL, sentence=_FAILING.sentence)
        await store.add_looks(told, [replace(a_look(0), findings=findings)])


@pytest.fixture
def site(tmp_path):
    """A server with all of them."""
    with serving_at(tmp_path, seed=hard) as found:
        yield found


@pytest.fixture
def addresses(site):
    """Their pages, and those of what else has a long name."""
    found = site.do(site.store.releases(limit=50))
    names = {one.key.revision: f"/releases/{one.id}" for one in found}
    return [*names.values(), "/", "/services", f"/services/shop/{LONGEST}"]


def address(site, revision):
    """The page of the newest release of a revision."""
    found = site.do(site.store.releases(limit=50))
    return f"/releases/{next(one.id for one in found if one.key.revision == revision)}"


@pytest.mark.parametrize("size", [ZOOMED, PHONE], ids=["200 %", "phone"])
def test_nothing_scrolls_sideways(visitor, addresses, size):
    """Whatever its names and however many checks: only tables scroll, inside their own regions."""
    page = visitor.page(viewport=size)
    wide = []
    for one in addresses:
        page.goto(one)
        wide += [one] if overflow(page) > 0 else []

    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_hard_state_breaks_a_rule_of_accessibility(visitor, site, scheme):
    """axe-core finds nothing in one check, a release of an older version, or one without a look."""
    page = visitor.page(color_scheme=scheme)
    found = {}
    for one in site.do(site.store.releases(limit=50)):
        if one.key.revision in ("one", "older", "f00dbead"):
            page.goto(f"/releases/{one.id}")
            found[one.key.revision] = violations(page)

    assert found == {"one": [], "older": [], "f00dbead": []}


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_reason_is_seen_without_scrolling(visitor, site, size):
    """The verdict, its sentence and the name of the first failing check stand on the first screen."""
    page = visitor.page(viewport=size)
    page.goto(address(site, "many"))

    for what in (".verdict h1", ".verdict .sentence", ".failing h3 >> nth=0"):
        box = page.locator(what).bounding_box()
        assert box["y"] + box["height"] <= size["height"], what


def test_two_hundred_checks_are_shown_failing_first(visitor, site):
    """All of them, the five that fail before the rest."""
    page = visitor.page()
    page.goto(address(site, "many"))

    names = page.locator("article.check h3").all_inner_texts()
    assert len(names) == _MANY
    assert names[:5] == [f"check-{number:03}" for number in range(0, _MANY, 40)]


def test_what_passes_stands_beside_each_other_until_it_is_opened(visitor, site):
    """Two in a row at a desk; one whose evidence is read takes the whole width."""
    page = visitor.page()
    page.goto(address(site, "v1.8.2"))
    first = page.locator(".passing article").first
    whole = page.locator(".passing").bounding_box()["width"]

    assert first.bounding_box()["width"] < 0.6 * whole
    first.get_by_text("Charts and looks").click()
    assert first.bounding_box()["width"] == pytest.approx(whole, abs=1)


def test_paper_has_the_verdict_and_no_buttons(visitor, site):
    """Printed, a release is what was found: no forms, no ways to other pages."""
    page = visitor.page()
    page.goto(address(site, "one"))
    page.emulate_media(media="print")

    assert page.locator(".verdict .sentence").is_visible()
    assert not any(button.is_visible() for button in page.locator("button, nav, input").all())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_nothing_moves_for_those_who_asked_for_that(visitor):
    """No animation and no transition where motion is reduced."""
    page = visitor.page(reduced_motion="reduce")
    page.goto("/")

    assert page.locator(".pulse").count() > 0
    moving = "[...document.querySelectorAll('*')].filter((one) => one.getAnimations().length > 0).length"
    assert page.evaluate(moving) == 0


def test_an_older_versions_release_says_what_is_missing(visitor, site):
    """Its values stand as they were found; what cannot be known is said once, not left blank."""
    page = visitor.page()
    page.goto(address(site, "older"))

    assert page.get_by_text("Judged by firedamp 0.0.1, whose settings this version cannot read").is_visible()
    assert page.locator(".failing article").count() == 1
