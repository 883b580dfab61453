"""A running service for the tests of pages, with two people who have tokens."""

from collections.abc import AsyncIterator

import pytest_asyncio

from service import Service, running
from visits import PEOPLE


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    """Served from memory; test modules that need other settings have a fixture of their own."""
    async with running(also=PEOPLE) as found:
        yield found
