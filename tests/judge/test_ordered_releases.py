"""A person's order to roll back, through judge and store: for the release it was given for, and no other."""

from dataclasses import replace

import pytest

from fakes import MemoryStore
from firedamp.judge import Judge
from firedamp.model import Mode, Outcome, Question, Verdict
from firedamp.ports import Gate
from judge.shop import ASK, DOWN, PARAMETERS, ShopBook, ShopSource

PROMOTE = replace(ASK, question=Question.PROMOTE)
ADVANCE = replace(ASK, question=Question.ADVANCE)
UNNAMED = replace(ASK, revision=None, opens=False)
FAIL, WAIT = Outcome.FAIL, Outcome.INCONCLUSIVE


@pytest.fixture
def book() -> ShopBook:
    return ShopBook(PARAMETERS)


@pytest.fixture
def source() -> ShopSource:
    return ShopSource()


def order(at: float, revision: str = "", *, is_open: bool = True, until: float = 9999.0) -> Gate:
    note = "refunds fail" if is_open else ""
    return Gate("shop", "checkout", "rollback", revision, is_open, until, "alice", at, note)


async def watched(judge: Judge, start: float, end: float, ask=ASK) -> Verdict:
    """Ask every half minute; the last answer."""
    verdict = await judge.answer(ask, start)
    while (start := start + 30.0) <= end:
        verdict = await judge.answer(ask, start)
    return verdict


async def test_an_order_fails_every_question_from_the_next_one_on(judge, store):
    """With who gave it and why, and what the evidence says without it."""
    before = await watched(judge, 0.0, 120.0)
    await store.set_gate(order(125.0))
    answered = [await judge.answer(ask, 130.0) for ask in (ASK, ADVANCE, PROMOTE, UNNAMED)]

    assert before.outcome is WAIT
    assert {(one.outcome, one.recorded, one.rollback) for one in answered} == {(FAIL, WAIT, True)}
    assert answered[0].sentence == (
        f"alice ordered to roll back: refunds fail; the evidence alone says: {before.sentence}"
    )


async def test_an_order_needs_no_evidence(judge, source, store):
    """It counts before the first look, and while no source answers."""
    await judge.answer(ASK, 0.0)
    await store.set_gate(order(1.0))
    early = await judge.answer(ASK, 2.0)
    source.trouble = DOWN

    assert early.outcome is FAIL
    assert (await watched(judge, 30.0, 240.0)).outcome is FAIL


async def test_an_order_is_for_one_revision_where_it_names_one(judge, store):
    """The others are judged as before."""
    await judge.answer(ASK, 0.0)
    await store.set_gate(order(1.0, "other"))
    spared = await judge.answer(ASK, 2.0)
    await store.set_gate(order(3.0, "canary"))

    assert spared.outcome is WAIT
    assert (await judge.answer(ASK, 4.0)).outcome is FAIL
    assert (await judge.answer(UNNAMED, 5.0)).outcome is FAIL


async def test_a_release_that_begins_after_an_order_is_not_meant_by_it(judge, store):
    """It was given for what was under way; one that is given anew is for what is under way then."""
    await store.set_gate(order(1.0))
    later = await judge.answer(ASK, 2.0)
    await store.set_gate(order(3.0))

    assert (later.outcome, later.rollback) == (WAIT, False)
    assert (await judge.answer(ASK, 4.0)).outcome is FAIL


async def test_an_old_order_for_a_revision_hides_no_new_one_for_all(judge, store):
    """The one that was given before the release began says nothing of it; the other does."""
    await store.set_gate(order(1.0, "canary"))
    await judge.answer(ASK, 2.0)
    await store.set_gate(order(3.0))

    assert (await judge.answer(ASK, 4.0)).outcome is FAIL


@pytest.mark.parametrize("ends", [{"is_open": True}, {"is_open": False}, {"until": 400.0}])
async def test_a_retry_after_an_order_begins_afresh(judge, store, ends):
    """Whether the order stands still, was withdrawn or has expired: the attempt that it met is over."""
    await watched(judge, 0.0, 300.0)
    await store.set_gate(order(305.0, until=400.0))
    await watched(judge, 310.0, 340.0)
    await store.set_gate(order(345.0 if ends.get("is_open") is False else 305.0, **ends))
    retried = await judge.answer(ASK, 500.0)
    first, second = await store.release(1), await store.release(2)

    assert (retried.outcome, retried.block) == (WAIT, None)
    assert (first.ended, first.outcome) == (500.0, "rolled-back")
    assert (second.key.attempt, second.started, second.outcome) == (2, 500.0, None)


async def test_an_order_waits_for_whoever_pauses(judge, store):
    """A controller that asks nothing between two steps hears of it with its next question."""
    await watched(judge, 0.0, 300.0)
    await store.set_gate(order(500.0))

    assert (await judge.answer(ASK, 900.0)).outcome is FAIL
    assert (await store.release(1)).ended is None


async def test_a_program_that_only_looks_on_hears_no_order_for_the_controller(judge, store):
    """A release is over only when whoever rolls it out was told."""
    await watched(judge, 0.0, 300.0)
    await store.set_gate(order(305.0))
    told = await judge.answer(replace(ASK, opens=False), 310.0)

    assert told.outcome is FAIL
    assert (await judge.answer(ASK, 900.0)).outcome is FAIL


async def test_a_withdrawn_order_is_as_if_it_had_not_been(judge, store):
    """Where the controller has not rolled back, the evidence has its way again, in the same attempt."""
    await watched(judge, 0.0, 300.0)
    await store.set_gate(order(305.0))
    ordered = await judge.answer(ASK, 310.0)
    known = await store.release(1)
    await store.set_gate(order(315.0, is_open=False))
    going_on = await judge.answer(ASK, 320.0)

    assert (ordered.outcome, known.outcome, known.ended) == (FAIL, "rolled-back", None)
    assert (going_on.outcome, going_on.rollback) == (WAIT, False)
    assert (await store.release(1)).outcome is None


async def test_what_has_ended_is_not_ordered_back(judge, store):
    """Its last answer stays what it was, and its outcome what was reported."""
    await watched(judge, 0.0, 120.0)
    await store.set_gate(order(121.0))
    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="flagger", now=122.0)
    straggler = await judge.answer(ASK, 123.0)

    assert (straggler.outcome, straggler.rollback) == (WAIT, False)
    assert (await store.release(1)).outcome == "promoted"


async def test_an_experiment_is_ordered_back_with_its_rollout(judge, store):
    """Its pods are a release of their own, of the same revision for whoever gives the order."""
    trial = replace(PROMOTE, experiment=True, arms={"canary": "canary", "baseline": "old"})
    await judge.answer(trial, 0.0)
    await store.set_gate(order(1.0, "canary"))

    assert (await judge.answer(trial, 2.0)).outcome is FAIL


async def test_an_order_leaves_looks_and_the_verdict_in_lists_alone(judge, store, book, source):
    """What was found is recorded as if nobody had said anything; only how it ends is known."""
    await watched(judge, 0.0, 120.0)
    await store.set_gate(order(121.0))
    await watched(judge, 150.0, 300.0)
    other = MemoryStore()
    await watched(Judge(book, {"main": source}, other), 0.0, 300.0)
    ordered, plain = await store.release(1), await other.release(1)

    assert await store.looks(1) == await other.looks(1)
    assert (ordered.verdict, ordered.sentence) == (plain.verdict, plain.sentence)


@pytest.mark.parametrize(
    ("mode", "answered", "outcome", "rollback"),
    [
        (Mode.JUDGE, Mode.JUDGE, FAIL, True),
        (Mode.HOLD, Mode.HOLD, FAIL, True),
        (Mode.SHADOW, Mode.JUDGE, FAIL, True),
        (Mode.OFF, Mode.OFF, Outcome.PASS, False),
    ],
)
async def test_what_modes_make_of_an_order(judge, book, store, mode, answered, outcome, rollback):
    """A hold and a shadow do not keep it back, and who stands aside does; that is not remembered either."""
    await judge.answer(PROMOTE, 0.0)
    await store.set_gate(order(1.0))
    book.mode = mode
    verdict = await judge.answer(PROMOTE, 2.0)

    assert (verdict.outcome, verdict.mode, verdict.rollback) == (outcome, answered, rollback)
    assert verdict.recorded is WAIT
    assert ((await store.release(1)).outcome is None) is (mode is Mode.OFF)


async def test_every_replica_and_restart_hears_an_order(judge, book, source, store):
    """It is in the store, not in anybody's memory."""
    await judge.answer(ASK, 0.0)
    await store.set_gate(order(1.0))

    assert (await Judge(book, {"main": source}, store).answer(ASK, 2.0)).outcome is FAIL


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.HOLD])
async def test_without_the_store_no_order_is_made_up(judge, book, store, mode):
    """Where it cannot be read nobody is rolled back, whatever was ordered before."""
    await judge.answer(ASK, 0.0)
    await store.set_gate(order(1.0))
    book.mode, store.trouble = mode, "the database is away"
    verdict = await judge.answer(ASK, 2.0)

    assert (verdict.outcome, verdict.rollback) == (WAIT, False)
