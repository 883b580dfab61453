"""One browser for the tests of a module; a server with a store of its own for each."""

import pytest

from browsing import CHROMIUM, Visitor, serving_at
from seeds import a_dozen


@pytest.fixture(scope="module")
def browser():
    """
    Chromium of the system, without a window.

    It is closed after each module: while it is open its event loop runs, and no test with a loop of its own
    could run beside it in this process.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def site(tmp_path):
    """A server whose store holds a dozen releases in all states."""
    with serving_at(tmp_path, seed=a_dozen) as found:
        yield found


@pytest.fixture
def visitor(browser, site):
    """Opens pages of the site; whatever the browser had to refuse or complain of fails the test."""
    found = Visitor(browser, site)
    yield found
    found.close()
    assert found.seen == []
