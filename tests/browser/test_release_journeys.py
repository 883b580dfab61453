"""A person and the page of a release, in a real browser: from a permalink to the reason, look by look."""

import time
from dataclasses import replace
from functools import partial

import pytest

from browsing import PHONE, Visitor, overflow, serving_at, violations
from firedamp.decision.parameters import to_json
from firedamp.model import Look, Outcome, Release, ReleaseKey
from firedamp.ports import Store
from lookbook import PARAMETERS, a_release_of
from rehearsal import Shop
from service import ADMIN
from store.examples import a_release

_LOOKS = 24
#: How many pixels of the first chart have the canary's colour.
_CANARYS = """() => {
  const canvas = document.querySelector("article canvas");
  const plain = document.createElement("canvas").getContext("2d");
  plain.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--canary");
  plain.fillRect(0, 0, 1, 1);
  const [red, green, blue] = plain.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] > 250 && data[at] === red && data[at + 1] === green && data[at + 2] === blue) found += 1;
  return found;
}"""
_UNFOLD = "document.querySelectorAll('article details').forEach((one) => { one.open = true; })"


def _at(look: Look, begin: float) -> Look:
    """The look, moved so that its release began then."""
    block = replace(look.evidence.block, start=look.evidence.block.start + begin)
    block = replace(block, end=block.start + 30)
    return replace(look, evidence=replace(look.evidence, block=block))


async def _seed(store: Store, count: int = _LOOKS) -> None:
    """One release, judged by the real engine: errors fail, and latency warns."""
    begin = time.time() - 30 * count
    shop = Shop(requests=1500, canary_errors=0.04, canary_median=0.16)
    looks = [_at(look, begin) for look in a_release_of(count, shop, weights=(0.1, 0.2))]
    fields = {
        "parameters": to_json(PARAMETERS),
        "started": begin,
        "last_asked": time.time(),
        "verdict": Outcome.FAIL,
        "sentence": looks[-1].standing.harm,
    }
    release: Release = await store.open(a_release(ReleaseKey("shop", "checkout", "7d9f8b6c5d", 1), **fields))
    await store.add_looks(release, looks)


async def _another(store: Store) -> None:
    """One look more, as the judge would write it."""
    release, last = await store.release(1), await store.last_look(1)
    block = last.evidence.block
    later = replace(block, index=block.index + 1, start=block.end, end=block.end + 30)
    look = replace(last, evidence=replace(last.evidence, block=later))
    await store.add_looks(replace(release, last_asked=time.time()), [look])


@pytest.fixture
def visitor(browser, tmp_path):
    """Opens the page of that release; whatever the browser complains of fails the test."""
    with serving_at(tmp_path, seed=_seed) as site:
        found = Visitor(browser, site)
        yield found
        found.close()
        assert found.seen == []


def test_a_permalink_leads_to_the_reason_and_the_pods(visitor):
    """The verdict's sentence at the top, the failing check's pods one unfolding away."""
    page = visitor.page()

    page.goto("/releases/1#check-errors")
    check = page.locator("article#check-errors")
    check.get_by_text("Pods").click()

    assert "errors: the canary served" in page.locator(".sentence").inner_text()
    assert "canary-0" in check.locator(".podrows").inner_text()
    assert check.bounding_box()["y"] < 860


@pytest.mark.parametrize("tries", [1, 2])
def test_a_permalink_leads_to_its_check_over_the_login(visitor, tries):
    """Whoever was sent it and is not logged in arrives at the check, also after a token that was mistyped."""
    page = visitor.page(None)
    page.goto("/releases/1#check-errors")
    for token in ["fd_mistyped", ADMIN][-tries:]:
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
    page.locator("article#check-errors").wait_for()

    assert page.url == f"{visitor.site.url}/releases/1#check-errors"
    assert page.evaluate("document.querySelector(':target').id") == "check-errors"


def test_charts_are_drawn_when_they_are_unfolded(visitor):
    """With a title, a summary in words, and the table of looks as their details."""
    page = visitor.page()
    page.goto("/releases/1")

    page.locator("article#check-errors summary", has_text="Charts").click()
    page.wait_for_selector("article#check-errors canvas")
    chart = page.locator("article#check-errors figure.chart").first

    assert chart.locator("figcaption").inner_text().startswith("Since warm-up")
    assert "canary" in chart.locator(".summary").inner_text()
    assert chart.locator(".plot").get_attribute("aria-details") == "check-errors-looks"
    assert page.locator("table#check-errors-looks").is_visible()


def test_the_one_look_that_proved_harm_is_drawn(browser, tmp_path):
    """A line needs two values; a canary that is bad enough has no second one."""
    with serving_at(tmp_path, seed=partial(_seed, count=3)) as site:
        found = Visitor(browser, site)
        page = found.page()
        page.goto("/releases/1?check=errors")
        page.wait_for_selector("article canvas")
        drawn = page.evaluate(_CANARYS)
        words = page.locator("figure.chart .summary").first.inner_text()
        found.close()

    assert drawn > 20
    assert "canary" in words
    assert "between" not in words


def test_a_charts_cursor_moves_by_arrow_keys_and_is_told(visitor):
    """A polite live region says what stands there."""
    page = visitor.page()
    page.goto("/releases/1")
    page.locator("article#check-errors summary", has_text="Charts").click()
    page.wait_for_selector("article#check-errors canvas")
    plot = page.locator("article#check-errors .plot").first
    live = page.locator("article#check-errors figure.chart [aria-live=polite]").first

    plot.focus()
    page.keyboard.press("Home")
    first = live.inner_text()
    page.keyboard.press("ArrowRight")
    second = live.inner_text()

    assert "UTC" in first
    assert first != second


@pytest.mark.parametrize(
    "darken",
    [
        lambda page: page.emulate_media(color_scheme="dark"),
        lambda page: page.get_by_label("Theme").select_option("dark"),
    ],
    ids=["by the system", "by choice"],
)
def test_charts_are_drawn_anew_in_another_theme(visitor, darken):
    """Their colours are the page's."""
    page = visitor.page(color_scheme="light")
    page.goto("/releases/1")
    page.locator("article#check-errors summary", has_text="Charts").click()
    page.wait_for_selector("article#check-errors canvas")
    pixels = "() => document.querySelector('article canvas').toDataURL()"
    light = page.evaluate(pixels)

    darken(page)
    page.wait_for_function(f"(light) => ({pixels})() !== light", arg=light)

    assert page.locator("article#check-errors figure.chart").count() >= 2


def test_looks_are_gone_through_by_the_slider(visitor):
    """By arrow keys, without loading the page: the address follows, and the slider keeps the focus."""
    page = visitor.page()
    page.goto("/releases/1")
    slider = page.get_by_role("slider")

    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_url("**/releases/1?look=0")
    page.get_by_text("As it was known at look 0").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("As it was known at look 1").wait_for()

    assert page.locator(".mark").first.inner_text().split() == ["…", "undecided"]
    assert page.evaluate("document.activeElement.type") == "range"


def test_a_new_look_shows_without_loading_the_page(visitor):
    """Its findings and its place in the strip; what was unfolded stays so."""
    page = visitor.page()
    page.goto("/releases/1")
    page.locator("article#check-errors summary", has_text="Queries").click()
    page.evaluate("window.same = true")

    visitor.site.do(_another(visitor.site.store))
    page.get_by_text(f"{_LOOKS + 1} looks over").first.wait_for()

    assert page.evaluate("window.same")
    assert page.locator("form.scrub output").inner_text() == str(_LOOKS)
    assert page.locator("article#check-errors .queries").is_visible()


def test_a_note_being_written_is_not_swept_away(visitor):
    """A look that comes meanwhile waits."""
    page = visitor.page()
    page.goto("/releases/1")
    note = page.locator("article#check-latency").get_by_label("Why")
    note.fill("half a senten")

    visitor.site.do(_another(visitor.site.store))
    page.wait_for_timeout(2500)

    assert note.input_value() == "half a senten"


def test_a_warning_is_ruled_on_and_the_page_says_so(visitor):
    """A note, a button, and the ruling stands at the check under the person's name."""
    page = visitor.page()
    page.goto("/releases/1")
    check = page.locator("article#check-latency")

    check.get_by_label("Why").fill("known cold cache")
    check.get_by_role("button", name="Rule it a false alarm").click()
    page.wait_for_url("**/releases/1#check-latency")

    assert "ruled false alarm by root" in page.locator("article#check-latency").inner_text()
    assert "known cold cache" in page.locator("article#check-latency").inner_text()


def test_enter_in_a_note_rules_nothing(visitor):
    """A word that rolls back is pressed on purpose."""
    page = visitor.page()
    page.goto("/releases/1")

    page.locator("article#check-latency").get_by_label("Why").fill("hm")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)

    assert visitor.site.do(visitor.site.store.rulings(1)) == []


def test_without_scripts_everything_is_there(visitor):
    """Drawings, tables, pods, queries and the looks, by links and forms alone."""
    page = visitor.page(java_script_enabled=False)

    page.goto("/releases/1")
    page.locator("article#check-errors summary", has_text="Charts").click()
    table = page.locator("article#check-errors .lookrows").inner_text()
    page.get_by_role("link", name="Look before").click()

    assert str(_LOOKS - 1) in table
    assert page.url.endswith(f"look={_LOOKS - 2}")
    assert page.locator("svg.spark").count() == 2
    assert page.get_by_role("button", name="Show this look").is_visible()


def test_a_phone_shows_it_without_scrolling_sideways(visitor):
    """At 375 pixels, with everything unfolded."""
    page = visitor.page(viewport=PHONE)
    page.goto("/releases/1")

    page.evaluate(_UNFOLD)
    page.wait_for_selector("article#check-errors canvas")

    assert overflow(page) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_used_by_everybody(visitor, scheme):
    """axe-core finds nothing wrong with it, unfolded, in either theme."""
    page = visitor.page(color_scheme=scheme)
    page.goto("/releases/1")
    page.evaluate(_UNFOLD)
    page.wait_for_selector("article#check-latency canvas")

    assert violations(page) == []


def test_a_check_alone_has_all_unfolded(visitor):
    """Its permalink is for those who come for that check."""
    page = visitor.page()

    page.goto("/releases/1?look=20&check=errors")
    page.wait_for_selector("article#check-errors canvas")

    assert page.locator("article").count() == 1
    assert page.locator("article .podrows").is_visible()


def test_a_query_is_copied_by_a_button(visitor):
    """Or selected, where the browser keeps the clipboard to itself."""
    page = visitor.page()
    page.goto("/releases/1")
    check = page.locator("article#check-errors")
    check.locator("summary", has_text="Queries").click()

    check.get_by_role("button", name="Copy").first.click()
    told = check.locator("button.copy", has_text="ed").first
    told.wait_for()

    assert told.inner_text() in ("Copied", "Selected")
