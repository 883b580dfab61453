"""Two replicas on one PostgreSQL, asked in the same instant, give one look and one answer."""

import asyncio
from dataclasses import replace

import pytest

from firedamp.judge import Judge
from firedamp.model import Outcome, Question
from firedamp.store import open_store
from judge.shop import ShopBook, ShopSource
from judge.test_judge import ASK, PARAMETERS
from real.postgres import postgres

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


__all__ = ["postgres"]


@pytest.fixture
def url(postgres):
    return postgres.database()


async def test_one_look_and_one_answer(url):
    """Forty blocks, both replicas asked at once about each: the same words, and each block judged once."""
    stores = [await open_store(url), await open_store(url)]
    source = ShopSource(errors={"stable": 0.1, "canary": 0.3})
    judges = [Judge(ShopBook(PARAMETERS), {"main": source}, store) for store in stores]
    try:
        answers = [
            await asyncio.gather(*(judge.answer(ASK, now) for judge in judges for _ in range(3)))
            for now in [float(at) for at in range(0, 1200, 30)]
        ]
        looks = await stores[0].looks(1)
        releases = await stores[1].releases()
    finally:
        await asyncio.gather(*(store.close() for store in stores))

    assert all(len({repr(one) for one in same}) == 1 for same in answers)
    assert [look.evidence.block.index for look in looks] == list(range(len(looks)))
    assert len(looks) >= 38
    assert len(releases) == 1
    assert answers[-1][0].outcome is Outcome.FAIL


async def test_a_replica_takes_over(url):
    """What one replica began the other ends, with the same words as if one had done it all."""
    stores = [await open_store(url), await open_store(url)]
    source = ShopSource(requests={"stable": 60.0, "canary": 60.0})
    judges = [Judge(ShopBook(PARAMETERS), {"main": source}, store) for store in stores]
    ask = replace(ASK, question=Question.PROMOTE)
    try:
        for now in range(0, 330, 30):
            await judges[0].answer(ask, float(now))
        for now in range(330, 660, 30):
            verdict = await judges[1].answer(ask, float(now))
    finally:
        await asyncio.gather(*(store.close() for store in stores))

    assert verdict.outcome is Outcome.PASS
