"""A running service for the tests of pages, with two people who have tokens."""

from collections.abc import AsyncIterator

import pytest_asyncio

from fakes import MemoryStore
from service import Service, running
from visits import PEOPLE


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    """Served from memory; test modules that need other settings have a fixture of their own."""
    store = MemoryStore()
    for token in PEOPLE:
        await store.add_token(token)
    async with running(store=store) as found:
        yield found
