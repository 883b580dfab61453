"""The recorded shop as a settings file."""

import pytest
import yaml

from firedamp.demo import recording, story
from quiet import logging_restored

BEGAN = 1_763_700_000.0


def written(folder, **changes):
    """A settings file for the recorded shop, begun at BEGAN."""
    source = {"name": "shop", "kind": "replay", "path": str(recording.PATH), "begin": BEGAN}
    settings = story.settings(str(folder), 0, source) | {"public_url": "https://firedamp.example"} | changes
    path = folder / "firedamp.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture(autouse=True)
def _logging():
    with logging_restored():
        yield


@pytest.fixture
def shop(tmp_path):
    """Settings of the recorded shop."""
    return written(tmp_path)
