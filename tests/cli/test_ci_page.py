"""docs/ci.md shows only commands and options that there are."""

import re
from pathlib import Path

import pytest

from firedamp.__main__ import exit_code

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
GROUPS = ("config", "token", "db")


def shown():
    """Every command line of the page: its words, continued lines joined."""
    joined = re.sub(r"\\?\n\s+(?=--)", " ", PAGE)
    for found in re.findall(r"firedamp ((?:judge|doctor|replay|outcome|config|token)\b[^\n`|>]*)", joined):
        words = found.split()
        yield tuple(words[:2] if words[0] in GROUPS else words[:1]), re.findall(r"(?<!\S)--[a-z-]+", found)


@pytest.mark.parametrize("command", sorted({command for command, _ in shown()}))
def test_every_option_shown_is_known(command, capsys):
    """Each command of the page has help, and its help knows every option shown with it."""
    options = {option for name, given in shown() if name == command for option in given}

    assert exit_code([*command, "--help"]) == 0
    described = capsys.readouterr().out
    assert [option for option in sorted(options) if f"{option} " not in described] == []


def test_the_page_tells_every_exit_code():
    """A pipeline's author finds all five."""
    assert [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, flags=re.MULTILINE)] == [0, 1, 2, 3, 4]
