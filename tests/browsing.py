"""
A real browser before a real server: chromium of the system, the whole application, a store in a file.

The server runs in a thread with an event loop of its own, so that a test can be written in plain steps:
`site.do(site.store.update(...))` changes what the server reads, the browser sees it. Every page that a test
opens is watched: what the policy for content refused, an error in the console, an answer that broke off or
came from elsewhere fails the test that saw it.
"""

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fakes import FakeJudge
from firedamp.config import Settings
from firedamp.ports import Store
from firedamp.server import create_app, serving
from firedamp.server.clock import now
from firedamp.store.sql import open_store
from service import ADMIN, TOKENS

Found = TypeVar("Found")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(__file__).parent / "browser" / "vendor" / "axe.min.js"
PHONE = {"width": 375, "height": 740}
DESK = {"width": 1280, "height": 860}
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", (event) => {
  const {violatedDirective, blockedURI, sourceFile, lineNumber} = event;
  window.refused.push(`${violatedDirective}: ${blockedURI} ${sourceFile}:${lineNumber}`);
});
"""


@dataclass
class Site:
    """
    A running server.

    Attributes:
        url: where it listens.
        store: its store, on SQLite.
        judge: what its contracts ask.
        loop, leave: its event loop, and what ends it there.
    """

    url: str
    store: Store
    judge: FakeJudge
    loop: asyncio.AbstractEventLoop
    leave: Callable[[], None]

    def do(self, awaited: Awaitable[Found]) -> Found:
        """Wait for something that happens in the server's own loop."""

        async def waiting() -> Found:
            return await awaited

        return asyncio.run_coroutine_threadsafe(waiting(), self.loop).result(30)


@contextmanager
def serving_at(
    folder: Path,
    settings: Mapping[str, Any] | None = None,
    *,
    port: int = 0,
    seed: Callable[[Store], Awaitable[object]] | None = None,
    judging: Callable[[Store], Any] = lambda _: FakeJudge(),
    through: Callable[[Store], Store] = lambda store: store,
    clock: Callable[[], float] = now,
) -> Iterator[Site]:
    """
    Serve the store in a folder, made where there is none, and its judge until the block is left.

    The server sees the store `through` what a test puts around it.
    """
    ready: threading.Event = threading.Event()
    found: list[Site] = []
    troubles: list[BaseException] = []

    async def run() -> None:
        leaving = asyncio.Event()
        read = Settings.model_validate({"listen": {"port": port}, **(settings or {})})
        async with await open_store(f"sqlite:///{folder}/firedamp.db") as store:
            for token in TOKENS if not await store.tokens() else ():
                await store.add_token(token)
            if seed is not None:
                await seed(store)
            judge = judging(store)
            app = create_app(read, through(store), judge, clock=clock)
            async with serving(app, read.limits, port=port) as address:
                found.append(Site(address.url, store, judge, asyncio.get_running_loop(), leaving.set))
                ready.set()
                await leaving.wait()

    def live() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - told to the test that waits
            troubles.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    ready.wait(30)
    if troubles or not found:
        raise RuntimeError("the server did not start") from (troubles[0] if troubles else None)
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(found[0].leave)
        thread.join(30)
    if troubles:
        raise troubles[0]


@dataclass
class Visitor:
    """Opens pages of a site in contexts of their own, signed in, and holds against them what goes wrong."""

    browser: Any
    site: Site
    seen: list[str] = field(default_factory=list)
    _contexts: list[Any] = field(default_factory=list)

    def page(self, token: str | None = ADMIN, **options: Any) -> Any:
        """A fresh page, signed in; options are those of a browser's context."""
        context = self.browser.new_context(base_url=self.site.url, **{"viewport": DESK, **options})
        self._contexts.append(context)
        if options.get("java_script_enabled", True):
            context.add_init_script(_WATCH)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("request", self._request)
        if token is not None:
            page.goto("/login")
            page.get_by_label("Token").fill(token)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url("**/")
        return page

    def close(self) -> None:
        """Close all, after asking each page what the policy for content refused."""
        for context in self._contexts:
            for page in context.pages:
                self.seen += [f"refused: {one}" for one in _refused(page)]
            context.close()

    def _console(self, message: Any) -> None:
        # An answer that is an error is told by the browser as well; a test asks for it on purpose.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.seen.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.seen.append(f"elsewhere: {request.url}")


def _refused(page: Any) -> list[str]:
    try:
        return page.evaluate("window.refused || []")
    except Exception:  # noqa: BLE001 - without scripts there is nobody to ask
        return []


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with a page as it is now: rule, what it means, where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations", _TAGS
    )
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}" for one in found]


def overflow(page: Any) -> float:
    """By how many pixels a page is wider than its window, regions that scroll by themselves left out."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
