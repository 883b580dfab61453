"""A judge that obeys and an application in front of it, for what we ship."""

import pytest

from fakes import FakeJudge
from shipping.serving import serving


@pytest.fixture
def judge():
    return FakeJudge()


@pytest.fixture
async def client(judge):
    async with serving(judge) as running:
        yield running
