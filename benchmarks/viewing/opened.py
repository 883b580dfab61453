"""
How long a page takes in a real browser until it can be used: painted, its scripts run, nothing on its way.

Each opening is one of a browser that never was here; its second one finds styles and scripts at home.
"""

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from viewing.asked import Filled, Page, Spread, spread

#: As `playwright install` is not asked for, the system's own is taken.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_USABLE = """
() => new Promise((done) => {
  const told = () => {
    const [page] = performance.getEntriesByType("navigation");
    const [painted] = performance.getEntriesByName("first-contentful-paint");
    const run = page.domContentLoadedEventEnd;
    if (painted && run) done(Math.max(painted.startTime, run));
    else setTimeout(told, 10);
  };
  told();
})
"""


def opened(
    url: str, secret: str, filled: Filled, pages: Sequence[Page], times: int
) -> Mapping[str, Mapping[str, Spread]]:
    """
    Milliseconds until each page can be used, at the first visit and at the next one.

    Raises:
        RuntimeError: there is no chromium, or no playwright.
    """
    if CHROMIUM is None:
        raise RuntimeError("no chromium in PATH: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise RuntimeError("playwright is not installed: it is among the development requirements") from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        cookies = _signed_in(browser, url, secret)
        found = {page.name: _spreads(browser, url, cookies, filled, page, times) for page in pages}
        browser.close()
    return found


def _signed_in(browser: Any, url: str, secret: str) -> Sequence[Mapping[str, Any]]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/login")
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{url}/")
    cookies = context.cookies()
    context.close()
    return cookies


def _spreads(
    browser: Any, url: str, cookies: Sequence[Mapping[str, Any]], filled: Filled, page: Page, times: int
) -> Mapping[str, Spread]:
    first, again = [], []
    for number in range(times):
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        context.add_cookies(cookies)
        for kept, at in ((first, number), (again, number + times)):
            tab = context.new_page()
            tab.goto(url + filled.address(page, at), wait_until="commit")
            kept.append(tab.evaluate(_USABLE) / 1000)
            tab.close()
        context.close()
    return {"first": spread(first), "again": spread(again)}
