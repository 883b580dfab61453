"""The page in pictures: every one is told of, every one that is told of is there, and all are small."""

import re
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
TOLD = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def screenshots():
    """The command that takes them; it needs the browser's driver."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import screenshots

        yield screenshots
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_every_picture_told_of_is_there():
    """A page with a hole where a picture should be shows nothing."""
    named = set(re.findall(r"pictures/([\w-]+\.png)", TOLD))

    assert named == {path.name for path in FOLDER.iterdir()}


def test_what_the_command_takes_is_what_is_there(screenshots):
    """Nothing lies in the folder that nobody takes anew."""
    taken = {f"{one.name}-{theme}.png" for one in screenshots.PICTURES for theme in screenshots.THEMES}

    assert taken == {path.name for path in FOLDER.iterdir()}


def test_each_picture_says_what_to_see_first():
    """One sentence stands before it."""
    parts = TOLD.split("\n### ")[1:]

    assert len(parts) == TOLD.count("<picture>")
    assert all(re.match(r"[^\n]+\n\nFirst [^\n]+\.\n\n<picture>", part) for part in parts)


def test_pictures_are_small():
    """They are cloned with the source."""
    sizes = [path.stat().st_size for path in FOLDER.iterdir()]

    assert max(sizes) < 120_000
    assert sum(sizes) < 4_000_000


def test_pictures_have_the_width_that_they_are_taken_at(screenshots):
    """A laptop's or a phone's."""
    widths = {one.name: one.width for one in screenshots.PICTURES}

    for path in FOLDER.iterdir():
        with Image.open(path) as picture:
            assert picture.width == widths[path.stem.rpartition("-")[0]]


def test_the_readme_shows_a_release_that_failed():
    """Who sees nothing else sees why it was stopped."""
    assert "docs/pictures/release-failed-light.png" in (ROOT / "README.md").read_text(encoding="utf-8")
