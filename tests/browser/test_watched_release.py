"""
A release while it is judged, watched in two browsers: each look shows in both within two seconds.

The judge is the real one, asked over HTTP as Argo does, in a server that is killed on the way.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from browsing import CHROMIUM, Visitor
from real.program import free_ports
from service import ADMIN

_SPEED, _BLOCK_SECONDS = 20.0, 30.0
_LOOKS, _DOWN_SECONDS = 4, 3.0
#: A look is shown so soon after it is stored.
_SOON_SECONDS = 2.0
#: And so often a page asks by itself, where it hears of none.
_POLL_SECONDS = 5.0
_TESTS = Path(__file__).parents[1]

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@dataclass
class Shop:
    """A server that judges; started, killed and started again on its port and store."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    began: float = field(default_factory=time.time)
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Returns when it answers."""
        program = [sys.executable, _TESTS / "browser" / "judging.py"]
        told = map(str, (self.folder, self.port, self.began, _SPEED))
        self.process = subprocess.Popen([*program, *told], env={**os.environ, "PYTHONPATH": str(_TESTS)})
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                return self.said("/readyz?verbose")
            except (URLError, OSError):
                time.sleep(0.05)
        raise AssertionError("the server did not get ready")

    def kill(self):
        """As a node does that dies: no word to anybody."""
        self.process.kill()
        self.process.wait()

    def said(self, path, body=None):
        """An answer, as a program gets it."""
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
        with urlopen(Request(self.url + path, body, headers), timeout=30) as answer:
            return answer.read()

    def look(self, after=-1):
        """Ask as Argo does until there is a later look; its number, as soon as it is in the store."""
        arms = {"canary-hash": "canary", "stable-hash": "stable"}
        asked = json.dumps({"service": "checkout", "namespace": "shop", **arms}).encode()
        while True:
            self.said("/argo/v1/guard", asked)
            found = json.loads(self.said("/api/v1/releases/1")).get("look", -1)
            if found > after:
                return found
            time.sleep(0.05)


@pytest.fixture
def shop(tmp_path):
    """A shop whose first look is taken."""
    found = Shop(tmp_path)
    try:
        found.start()
        found.look()
        yield found
    finally:
        found.kill()


@contextmanager
def watching(browser, shop):
    """The page of the release in two browsers, live; none of them is ever loaded again."""
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    visitors = [Visitor(browser, shop), Visitor(other, shop)]
    pages, loads = [visitor.page() for visitor in visitors], []
    for page in pages:
        page.goto("/releases/1")
        page.locator("[data-live-state]", has_text="live").wait_for()
        page.on("framenavigated", lambda frame: loads.append(frame.url))
    yield pages
    assert loads == []
    for visitor in visitors:
        visitor.close()
    other.close()
    assert [one for visitor in visitors for one in visitor.seen if "ERR_CONNECTION" not in one] == []


def shown_after(pages, look):
    """Seconds until the last of the pages shows this look."""
    began = time.monotonic()
    for page in pages:
        page.wait_for_function(
            "look => Number(document.querySelector('form.scrub output')?.textContent) >= look", arg=look
        )
    return time.monotonic() - began


def test_both_see_each_look_within_two_seconds(browser, shop):
    """One after the other, as the judge takes them; verdict, timeline and checks are the new look's."""
    with watching(browser, shop) as pages:
        look, late = shop.look(), []
        for _ in range(_LOOKS):
            look = shop.look(after=look)
            late.append(shown_after(pages, look))

    assert max(late) < _SOON_SECONDS


def test_both_catch_up_when_the_server_was_killed(browser, shop):
    """Without a word it is gone, and back on its port and store; nobody loads the page again."""
    with watching(browser, shop) as pages:
        before = shop.look()
        shop.kill()
        for page in pages:
            page.get_by_text("asking every 5 s").wait_for()
        time.sleep(_DOWN_SECONDS)
        shop.start()
        first = shop.look(after=before)
        late = [shown_after(pages, first), shown_after(pages, shop.look(after=first))]
        for page in pages:
            page.locator("[data-live-state]", has_text="live").wait_for()

    assert max(late) < _SOON_SECONDS


def test_a_page_whose_events_are_kept_back_asks_by_itself(browser, shop):
    """A proxy that refuses events costs seconds, and nothing once it lets them through again."""
    visitor = Visitor(browser, shop)
    page = visitor.page()
    page.route("**/live/**", lambda route: route.fulfill(status=502))
    page.goto("/releases/1")
    page.get_by_text("asking every 5 s").wait_for()

    late = shown_after([page], shop.look(after=shop.look()))
    page.unroute("**/live/**")
    page.locator("[data-live-state]", has_text="live").wait_for(timeout=5_000)
    visitor.close()

    assert late < _POLL_SECONDS + _SOON_SECONDS
