"""Every page the router knows, in a real browser: filled, hostile, empty and refusing; light and dark."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from browsing import DESK, PHONE, Site, Visitor, overflow, serving_at, violations
from everypage import PAGES, filled
from firedamp.model import ReleaseKey
from firedamp.ports import Wanted
from hostility import SERVICES, a_hostile_look, hostile
from lookbook import a_release_of
from seeds import HOSTILE, a_dozen
from service import ADMIN, ASKER
from store.examples import a_release

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

_OPENED = """() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  return document.readyState;
}"""
_FOLLOWS = """() => {
  const before = window.before, here = document.activeElement;
  window.before = here;
  const seen = getComputedStyle(here);
  return {
    place: `${here.tagName} ${here.textContent.trim().slice(0, 30)}`,
    ended: here === document.body || here.classList.contains("skip"),
    follows: !before || before === here || Boolean(before.compareDocumentPosition(here) & 4),
    // The button within a field of time has the browser's own ring, of which the field knows nothing.
    outlined: before === here || (seen.outlineStyle !== "none" && seen.outlineWidth !== "0px"),
  };
}"""


@dataclass(frozen=True, slots=True)
class Walk:
    """A browser before a server, and the addresses to go to, with whose token."""

    visitor: Visitor
    site: Site
    addresses: tuple[str, ...]
    token: str = ADMIN


def _filled(site: Site) -> tuple[str, ...]:
    """A dozen releases, the newest of them with charts, pods and distributions."""
    site.do(a_dozen(site.store))
    [release] = site.do(site.store.listed(Wanted(), limit=1))
    site.do(site.store.add_looks(release, a_release_of(30, weights=(0.2, 0.5))[12:]))
    names = {"id": release.id, "namespace": "shop", "service": "checkout", "check": "errors"}
    narrowed = ("/?verdict=fail&state=running", "/?service=nothing", "/audit?by=nobody")
    return (*(filled(one, names) for one in PAGES), *narrowed)


def _hostile(site: Site) -> tuple[str, ...]:
    names = site.do(hostile(site.store))
    return tuple(filled(one, names) for one in PAGES)


def _empty(site: Site) -> tuple[str, ...]:
    names = {"id": 1, "namespace": "shop", "service": "checkout", "check": "errors"}
    return tuple(filled(one, names) for one in PAGES)


def _refusing(site: Site) -> tuple[str, ...]:
    """Pages that say no: not there, not yours, not understood."""
    nowhere = ("/releases/4711", "/releases/x", "/nothing")
    return (*nowhere, "/services/pay/vault", "/tokens", "/?verdict=perhaps")


STATES: dict[str, Callable[[Site], tuple[str, ...]]] = {
    "filled": _filled,
    "hostile": _hostile,
    "empty": _empty,
    "refusing": _refusing,
}


@contextmanager
def walking(browser: Any, folder: Any, state: str) -> Iterator[Walk]:
    """Serve a store in this state; whatever the browser refuses or complains of fails the test."""
    with serving_at(folder, {"services": SERVICES}) as site:
        visitor = Visitor(browser, site)
        yield Walk(visitor, site, STATES[state](site), ASKER if state == "refusing" else ADMIN)
        visitor.close()
    assert visitor.seen == []


@pytest.fixture(params=STATES)
def walk(request, browser, tmp_path):
    """A walk through all pages of each state."""
    with walking(browser, tmp_path, request.param) as found:
        yield found


def opened(page: Any, address: str) -> None:
    """Go there and open all that can be opened."""
    page.goto(address)
    page.evaluate(_OPENED)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility_or_is_too_wide(walk, scheme):
    """axe-core finds nothing, contrast included, at a desk and on a phone, with all details open."""
    page = walk.visitor.page(walk.token, color_scheme=scheme)
    found = {}
    for address in walk.addresses:
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            opened(page, address)
            wide = ["too wide"] if overflow(page) > 0 else []
            found[f"{address} {size['width']}"] = [*violations(page), *wide]

    assert {where: faults for where, faults in found.items() if faults} == {}


def test_the_keyboard_goes_through_every_page_in_order(walk):
    """First a way past the header, to the content; then in the order of the page, focus in sight."""
    page = walk.visitor.page(walk.token)
    found = {}
    for address in walk.addresses:
        page.goto(address)
        found[address] = [*skipping(page), *stepping(page)]

    assert {where: faults for where, faults in found.items() if faults} == {}


def skipping(page: Any) -> list[str]:
    """What is wrong with the way past the header, where the page does not begin in a field of its own."""
    if page.evaluate("document.activeElement !== document.body"):
        return []
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    return [
        *([] if first == "Skip to the content" else [f"begins with {first}"]),
        *([] if page.evaluate("document.activeElement.id") == "main" else ["does not skip to the content"]),
    ]


def stepping(page: Any) -> list[str]:
    """Steps that go back in the page, or to something that does not show its focus."""
    faults = []
    for _ in range(15):
        page.keyboard.press("Tab")
        step = page.evaluate(_FOLLOWS)
        if step["ended"]:
            break
        if not (step["follows"] and step["outlined"]):
            faults.append(str(step))
    return faults


# ── hostility ────────────────────────────────────────────────────────────────────────────────────────


def test_hostile_text_is_read_and_never_run(browser, tmp_path):
    """On every page, with everything opened and drawn: no dialog, nothing refused, for nothing was tried."""
    with walking(browser, tmp_path, "hostile") as walk:
        page = walk.visitor.page()
        page.on("dialog", lambda dialog: walk.visitor.seen.append(f"dialog: {dialog.message}"))
        silent, refused = [], {}
        for address in walk.addresses:
            opened(page, address)
            refused[address] = page.evaluate("window.refused")
            if HOSTILE not in page.locator("main").inner_text():
                silent.append(address)

    assert {where: what for where, what in refused.items() if what} == {}
    assert silent == ["/login", "/health"]


def test_hostile_text_that_comes_live_is_text_too(browser, tmp_path):
    """A release that begins while the list is open, and a look while its page is."""
    with walking(browser, tmp_path, "empty") as walk:
        store, page = walk.site.store, walk.visitor.page()
        page.on("dialog", lambda dialog: walk.visitor.seen.append(f"dialog: {dialog.message}"))
        page.goto("/")
        key = ReleaseKey("shop", HOSTILE, HOSTILE, 1)
        release = walk.site.do(store.open(a_release(key, started=time.time(), step_label=HOSTILE)))
        page.get_by_role("row").filter(has_text=HOSTILE).wait_for()
        page.goto(f"/releases/{release.id}")
        walk.site.do(store.add_looks(release, [a_hostile_look(0)]))
        page.locator("main").get_by_text(HOSTILE).nth(3).wait_for()
        page.evaluate(_OPENED)
        page.wait_for_load_state("networkidle")

        assert page.evaluate("window.refused") == []
        assert page.locator("main script:not([src])").count() == 0
