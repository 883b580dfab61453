"""Whom a look waited for when its time was over: the one who was, and nobody else."""

import asyncio

import pytest

from fakes import FakeTraces, MemoryStore
from firedamp.errors import SourceDownError
from firedamp.judge import Judge
from firedamp.judge.waiting import in_time, waiting
from firedamp.model import Outcome, Verdict
from judge.shop import ASK, ERRORS, ShopSource
from judge.test_flow_troubles import Book, flows, on_time, parameters


class Hanging:
    """Waits for ever, whatever time it was given."""

    async def samples(self, *_: object) -> object:
        return await asyncio.sleep(30)

    async def traces(self, *_: object) -> object:
        return await asyncio.sleep(30)

    async def close(self) -> None:
        """Nothing is held open."""


class FullStore(MemoryStore):
    """Takes no looks."""

    async def add_looks(self, release, looks):
        await asyncio.sleep(30)


async def asked(*, metrics=None, traces=None, store=None) -> Verdict:
    """The first answer after a block is over, from these and ones that are well."""
    judge = Judge(
        Book(parameters(ERRORS)),
        {"main": metrics or ShopSource()},
        store or MemoryStore(),
        {"traces": traces or FakeTraces(on_time(flows(100.0)), now=60.0)},
        deadline_seconds=0.5,
    )
    await judge.answer(ASK, 0.0)
    async with asyncio.timeout(5):
        return await judge.answer(ASK, 60.0)


@pytest.mark.parametrize(
    ("parts", "whom"),
    [
        ({"metrics": Hanging()}, "the metric source 'main'"),
        ({"traces": Hanging()}, "the source of traces 'traces'"),
        (
            {"metrics": Hanging(), "traces": Hanging()},
            "the metric source 'main' and the source of traces 'traces'",
        ),
        ({"store": FullStore()}, "firedamp's own store"),
    ],
    ids=["metrics", "traces", "both", "store"],
)
async def test_an_answer_names_whom_it_waited_for(parts, whom):
    """And for how long, where nobody kept the time that was given."""
    verdict = await asked(**parts)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert f"a look took longer than 0.5 s, at last waiting for {whom}" in verdict.sentence


async def said(seconds: float, *whom: str) -> str:
    """What is said of a look that waits for these, and never ends with the last one."""
    try:
        async with in_time(seconds):
            for one in whom:
                with waiting(one):
                    await asyncio.sleep(30 if one == whom[-1] else 0)
    except SourceDownError as error:
        return str(error)
    return ""


async def test_who_was_in_time_is_not_named():
    """Only the last one is."""
    assert await said(0.05, "one", "two") == "a look took longer than 0.05 s, at last waiting for two"


async def test_a_look_that_was_in_time_says_nothing():
    """It waited for nobody too long."""
    assert await said(0.05) == ""


async def test_looks_do_not_name_whom_others_waited_for():
    """Each has its own list."""
    both = await asyncio.gather(said(0.05, "one"), said(0.06, "two"))

    assert [text.rsplit(" ", 1)[-1] for text in both] == ["one", "two"]
