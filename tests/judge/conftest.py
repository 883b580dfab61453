"""A judge of the shop, for tests that say what its source tells and how its service is set up."""

import pytest

from fakes import MemoryStore
from firedamp.judge import Judge


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def judge(book, source, store) -> Judge:
    return Judge(book, {"main": source}, store)
