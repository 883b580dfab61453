"""What the README shows works as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from firedamp.config.load import parse

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(set(re.findall(r"^    firedamp ([a-z]+(?: (?:check|add|schema))?)", README, re.MULTILINE)))


def test_the_settings_load_as_written():
    """The first YAML of the page is a whole settings file."""
    settings = parse(yaml.safe_load(BLOCKS[0]), "README.md")

    assert [check.kind for check in settings.services[0].checks] == [
        "proportion",
        "distribution",
        "relative",
        "trend",
        "threshold",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists(command):
    """Each command of the page explains itself."""
    done = subprocess.run(
        [sys.executable, "-m", "firedamp", *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https?://)([^)#]+)\)", README))))
def test_every_link_leads_somewhere(link):
    """Files that the page links to are there."""
    assert (ROOT / link).exists()


def test_every_dependency_has_its_reason():
    """Whatever is installed is named, with why."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.match(r"[a-z0-9-]+", one)[0] for one in project["dependencies"]]
    table = README[README.index("## What it is made of") : README.index("## Developing")]

    assert [name for name in names if name not in table] == []
