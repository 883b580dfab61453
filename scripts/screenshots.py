"""
Takes the pictures of the pages anew: `make screenshots`.

The demo's shop is judged on a clock that stands still, served on a free loopback port and walked through by
a real chromium, in light and dark, at the width of a laptop and of a phone. The same source gives the same
pictures on the same machine; another one may have other letters. What each picture shows is told in
`docs/page.md`.

    python scripts/screenshots.py [--only NAME] [--into FOLDER]
"""

import argparse
import asyncio
import io
import shutil
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, chdir
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.async_api import Browser, Page, StorageState, async_playwright

from firedamp.access import digest
from firedamp.config import Log, Settings
from firedamp.config.load import parse
from firedamp.demo import looking_back, recording, story
from firedamp.demo.backend import free_port
from firedamp.demo.controller import rounds
from firedamp.demo.stage import written
from firedamp.errors import ConfigError
from firedamp.model import Ask, Controller, Question
from firedamp.ports import Store, Token
from firedamp.server import create_app, logs, serving
from firedamp.wiring import Living, living

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
#: A Saturday at three in the morning, in whole seconds of Unix time.
NOW = 1_795_230_000.0
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
#: The story's good release has been judged for so long when the clock stops.
_MIDWAY_SECONDS = 450.0
_WHO = "fd_for-pictures-alone"
_PUBLIC = "https://firedamp.example"
_COLOURS = 256


@dataclass(frozen=True, slots=True)
class Picture:
    """
    One picture in each theme.

    Attributes:
        path: of the page; {a release's revision} stands for its number.
        site: which server: the shop, one without any release, one whose source is down.
        width, height: of the window in CSS pixels; what is below is cut off.
        signed_in: a person is.
        drawn: what a script has to have drawn before.
        typed: what is typed into which field, before the form is sent.
    """

    name: str
    path: str
    site: str = "shop"
    width: int = 1280
    height: int = 900
    signed_in: bool = True
    drawn: str = ""
    typed: tuple[str, str] | None = None

    def phone(self) -> "Picture":
        """The same on a phone."""
        return replace(self, name=f"{self.name}-phone", width=375, height=812)


_FAILED, _PASSED, _WAITING = "5c9f8d7b66", "6b7d9c5f48", story.GOOD.revision
_RELEASES = Picture("releases", "/")
_RELEASE = Picture("release-failed", f"/releases/{{{_FAILED}}}", height=1100)
PICTURES = (
    _RELEASES,
    _RELEASES.phone(),
    Picture("releases-filtered", "/?verdict=fail&label=false-positive"),
    Picture("releases-none", "/", site="empty"),
    _RELEASE,
    _RELEASE.phone(),
    Picture("release-charts", "/releases/{69b5f7d8cc}?check=errors", height=1600, drawn="canvas"),
    Picture("release-latency", "/releases/{d5c4b7f8}", height=1100),
    Picture("release-traces", "/releases/{7b8c6f9d5c}", height=1100),
    Picture("release-bad-pod", "/releases/{69b5f7d8cc}", height=1100),
    Picture("release-passed", f"/releases/{{{_PASSED}}}", height=1100),
    Picture("release-waiting", f"/releases/{{{_WAITING}}}", height=1100),
    Picture("release-earlier-look", f"/releases/{{{_FAILED}}}?look=1", height=1100),
    Picture("release-ruled", "/releases/{86d9b7c5f4}", height=1100),
    Picture("release-held", "/releases/{9d8f6b7c54}", height=1100),
    Picture("services", "/services"),
    Picture("service", "/services/shop/search"),
    Picture("record", "/services/shop/search/checks/errors"),
    Picture("tune", "/services/shop/search/tuning?check=latency", height=1400, typed=("tolerance", "80%")),
    Picture("gates", "/gates"),
    Picture("audit", "/audit"),
    Picture("tokens", "/tokens"),
    Picture("health", "/health"),
    Picture("login", "/login", signed_in=False, height=480),
    Picture("not-found", "/releases/999", height=480),
)


@dataclass(frozen=True, slots=True)
class Sites:
    """Addresses of the servers, and the numbers of releases by revision."""

    urls: dict[str, str]
    numbers: dict[str, int]

    def address(self, picture: Picture) -> str:
        """Where a picture is taken."""
        return self.urls[picture.site] + picture.path.format(**self.numbers)


async def take(pictures: Iterable[Picture], into: Path) -> list[Path]:
    """Take these pictures; the files that were written."""
    taken = []
    async with sites() as found, browser() as chromium:
        signed_in = {site: await _sign_in(chromium, url) for site, url in found.urls.items()}
        for picture in pictures:
            for theme in THEMES:
                path = into / f"{picture.name}-{theme}.png"
                path.write_bytes(small(await _taken(chromium, found, signed_in, picture, theme)))
                taken.append(path)
    return taken


def small(png: bytes) -> bytes:
    """The same picture with a palette: pages have few colours, and their edges many shades of these."""
    whole = Image.open(io.BytesIO(png)).convert("RGB")
    packed = io.BytesIO()
    whole.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        packed, "PNG", optimize=True
    )
    return packed.getvalue()


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """
    The system's chromium, without a window.

    Raises:
        ConfigError: there is none.
    """
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise ConfigError("no chromium in PATH: apt-get install chromium")
    # Letters come out alike whatever screen there is.
    quiet = ["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb"]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=found, args=quiet)
        yield chromium
        await chromium.close()


async def _taken(
    chromium: Browser, found: Sites, signed_in: Mapping[str, StorageState], picture: Picture, theme: Theme
) -> bytes:
    context = await chromium.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=theme,
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
        storage_state=signed_in[picture.site] if picture.signed_in else None,
    )
    try:
        page = await context.new_page()
        await page.goto(found.address(picture))
        if picture.drawn:
            await page.locator(picture.drawn).last.wait_for()
        if picture.typed is not None:
            await _send(page, *picture.typed)
        return await page.screenshot(animations="disabled")
    finally:
        await context.close()


async def _send(page: Page, field: str, text: str) -> None:
    """Type into a field of the form that looks at a change, send it, and wait for what it says."""
    await page.locator(f'#change [name="{field}"]').fill(text)
    await page.locator("#change button.first").click()
    await page.locator("#outcome table").first.wait_for()


async def _sign_in(chromium: Browser, url: str) -> StorageState:
    """Once for each site: who tries often is slowed down."""
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(f"{url}/login")
    await page.get_by_label("Token").fill(_WHO)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/")
    found = await context.storage_state()
    await context.close()
    return found


@asynccontextmanager
async def sites() -> AsyncIterator[Sites]:
    """Serve the shop, and what a shop looks like before the first release."""
    async with AsyncExitStack() as stack:
        urls, numbers = {}, {}
        # Pages name the store; its path is short, and the same each time.
        stack.enter_context(chdir(stack.enter_context(TemporaryDirectory())))
        for name in ("shop", "empty"):
            settings = _settings(Path(name))
            alive = await stack.enter_async_context(living(settings, clock=_stopped))
            await _signed_up(alive.store)
            if name == "shop":
                numbers = await _judged(settings, alive)
            app = create_app(settings, alive.store, alive.judge, clock=_stopped)
            port = free_port()
            address = await stack.enter_async_context(serving(app, settings.limits, port=port))
            urls[name] = address.url
        yield Sites(urls, numbers)


def _stopped() -> float:
    return NOW


def _settings(folder: Path) -> Settings:
    begin = NOW - story.GOOD.starts - _MIDWAY_SECONDS
    source = {"name": "prometheus", "kind": "replay", "path": str(recording.PATH), "begin": begin}
    folder.mkdir()
    shop = written(folder, 0, source)
    return parse(shop | {"public_url": _PUBLIC, "auth": {}}, "pictures")


async def _signed_up(store: Store) -> None:
    week = 7 * 86400.0
    people = (
        Token("anna", digest(_WHO), "admin", created=NOW - 8 * week),
        Token("jonas", digest("fd_jonas"), "tuner", created=NOW - 6 * week),
        Token("mei", digest("fd_mei"), "ruler", ("shop",), created=NOW - 2 * week),
        Token("argo-rollouts", digest("fd_argo"), "asker", ("shop",), created=NOW - 8 * week),
        Token(
            "payments-hooks", digest("fdp_hooks"), "gatekeeper", ("pay",), path=True, created=NOW - 3 * week
        ),
    )
    for one in people:
        await store.add_token(one)


async def _judged(settings: Settings, alive: Living) -> dict[str, int]:
    """The days before, and a release on its way; numbers by revision."""
    await looking_back.judged(settings, alive.store, NOW)
    release = story.GOOD
    began = NOW - release.starts - _MIDWAY_SECONDS
    for at in rounds(release):
        if began + at > NOW:
            break
        weight = release.share(at)
        ask = Ask(
            story.NAMESPACE,
            release.of.service,
            Question.ADVANCE if weight < release.steps[-1][1] else Question.PROMOTE,
            Controller.ARGO,
            release.revision,
            {"canary": release.revision, "main": release.of.stable},
            weight=weight,
            step=f"{weight:.0%}",
        )
        await alive.judge.answer(ask, began + at)
        await alive.judge.settled()
    return {one.key.revision: one.id for one in await alive.store.releases()}


def main() -> None:
    """Take all pictures, or those of one name."""
    read = argparse.ArgumentParser(description="Take the pictures of the pages anew.")
    read.add_argument("--only", default="", help="pictures whose names begin like this")
    read.add_argument("--into", type=Path, default=FOLDER, help="where they are written")
    given = read.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    logs.configure(Log(level="error"))
    wanted = [one for one in PICTURES if one.name.startswith(given.only)]
    for path in asyncio.run(take(wanted, given.into.resolve())):
        sys.stdout.write(f"{path.stat().st_size / 1000:6.0f} kB  {path}\n")


if __name__ == "__main__":
    main()
