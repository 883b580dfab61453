"""What stands around every page: static files, themes, the way around, headers."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from firedamp.ui.assets import ADDRESSES, ASSETS
from service import ASKER

STATIC = Path(__file__).parents[2] / "plugin" / "firedamp" / "ui" / "static"
GROUNDS = ("ground", "raised", "sunken")
INKS = ("ink", "quiet", "link", "pass", "fail", "open", "warn", "canary", "baseline")


# ── static files ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_under_the_digest_of_its_content_is_kept_for_ever(service):
    """New content has a new address, so nobody need ask again."""
    reply = await service.ask("GET", ADDRESSES["firedamp.css"], None)

    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/css; charset=utf-8"
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashlib.sha256(reply.text.encode()).hexdigest().startswith(ADDRESSES["firedamp.css"][-12:])


@pytest.mark.parametrize("path", ["/static/theme.js", "/static/theme.js?v=000000000000"])
async def test_a_file_under_another_address_is_asked_for_each_time(service, path):
    """An old page, or a module that imports another, never gets stuck with old content."""
    first = await service.ask("GET", path, None)
    again = await service.ask("GET", path, None, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status, again.text) == (304, "")


async def test_files_travel_packed(service):
    """A quarter of the bytes, packed once at the start."""
    path = ADDRESSES["vendor/uPlot.iife.min.js"]
    reply = await service.ask("GET", path, None, headers={"Accept-Encoding": "gzip"})
    plain = await service.ask("GET", path, None, headers={"Accept-Encoding": "identity"})

    assert reply.headers["Content-Encoding"] == "gzip"
    assert int(reply.headers["Content-Length"]) < 0.5 * int(plain.headers["Content-Length"])
    assert reply.text == plain.text == gzip.decompress(ASSETS["vendor/uPlot.iife.min.js"].packed).decode()


@pytest.mark.parametrize("name", ["nothing.css", "vendor/README.md", "../base.html", "%2e%2e/rendering.py"])
async def test_only_what_pages_need_is_served(service, name):
    """No notes, no code, no way out of the folder."""
    reply = await service.ask("GET", f"/static/{name}", None)

    assert reply.status == 404


def vendored():
    lines = (STATIC / "vendor" / "README.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return cells[1:]


@pytest.mark.parametrize(("file", "package", "version", "licence", "digest"), vendored())
def test_what_others_wrote_is_as_it_came(file, package, version, licence, digest):
    """Each file has a package, a version, a licence beside it, and the content that is written down."""
    body = (STATIC / "vendor" / file).read_bytes()

    assert hashlib.sha256(body).hexdigest() == digest
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert licence in ("0BSD", "MIT")
    assert (STATIC / "vendor" / f"{package.removesuffix('.org').replace('uplot', 'uPlot')}.LICENSE").is_file()


def test_everything_of_others_is_written_down():
    """No file slips in."""
    here = {path.name for path in (STATIC / "vendor").iterdir() if path.suffix not in (".md", ".LICENSE")}

    assert here == {row[0] for row in vendored()}


def test_no_script_of_ours_evaluates_text_or_writes_markup():
    """The policy for content would refuse it; a hostile name would come alive by it."""
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")

        assert not re.search(
            r"\beval\(|new Function|innerHTML|outerHTML|document\.write|insertAdjacentHTML", text
        )


# ── themes ───────────────────────────────────────────────────────────────────────────────────────────


def _palettes() -> list[dict[str, str]]:
    css = (STATIC / "firedamp.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root[^{]*\{([^}]*--ground[^}]*)\}", css.split("@media print")[0])
    return [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in blocks]


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.2, 1.4.3."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_dark_by_preference_and_dark_by_choice_are_the_same():
    """One palette, written twice because CSS has no other way without a computed colour in charts."""
    light, preferred, chosen = _palettes()

    assert preferred == chosen
    assert light.keys() == chosen.keys()


@pytest.mark.parametrize("theme", _palettes()[:2], ids=["light", "dark"])
def test_every_colour_of_text_has_contrast_on_every_ground(theme):
    """4.5:1 at the least (WCAG 2.2 AA), states also on their own beds."""
    pairs = [(ink, ground) for ink in INKS for ground in GROUNDS]
    pairs += [(one, f"{one}bed") for one in ("pass", "fail", "open", "warn")]
    pairs += [("ink", f"{one}bed") for one in ("pass", "fail", "open", "warn")]
    pairs += [("onaccent", "accent")]

    poor = {pair: round(contrast(theme[pair[0]], theme[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", _palettes()[:2], ids=["light", "dark"])
def test_edges_of_fields_can_be_seen(theme):
    """3:1 for what is no text (WCAG 2.2, 1.4.11)."""
    assert min(contrast(theme["edge"], theme[ground]) for ground in ("ground", "raised")) >= 3


# ── around the page ──────────────────────────────────────────────────────────────────────────────────


async def test_a_page_says_who_is_logged_in_as_what(service):
    """And offers the way out."""
    page = (await service.ask("GET", "/", ASKER)).text

    assert re.search(r"<bdi>ci</bdi> <span class=\"quiet\">asker</span>", page)
    assert "Log out" in page


async def test_the_part_of_the_site_one_is_in_is_marked(service):
    """For eyes and for screen readers."""
    page = (await service.ask("GET", "/")).text

    assert '<a href="/" aria-current="page">Releases</a>' in page


async def test_scripts_come_from_here_and_are_never_inline(service):
    """The policy for content allows nothing else."""
    reply = await service.ask("GET", "/")

    policy = reply.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script[^>]*>([^<]*)</script>", reply.text) == [""] * reply.text.count("<script")


async def test_every_script_and_stylesheet_of_a_page_is_served(service):
    """No address in a page leads nowhere."""
    page = (await service.ask("GET", "/")).text
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)

    assert len(found) >= 3
    for address in found:
        assert (await service.ask("GET", address, None)).status == 200
