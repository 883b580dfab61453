"""Rulings on running releases, through judge and store: from the next question on, and never backwards."""

import asyncio
from dataclasses import replace

import pytest

from fakes import MemoryStore
from firedamp.decision import rulings
from firedamp.errors import AskError, NotFoundError
from firedamp.judge import Judge
from firedamp.judge.rulings import labelled, spoken
from firedamp.model import Judged, Label, Mode, Outcome, Question, Release, Ruled, Ruling
from judge.shop import ASK, SICK, WARNED, WELL, ShopBook, WarningSource

PROMOTE = replace(ASK, question=Question.PROMOTE)
ADVANCE = replace(ASK, question=Question.ADVANCE)


@pytest.fixture
def source() -> WarningSource:
    return WarningSource(others={"retries": SICK})


@pytest.fixture
def book() -> ShopBook:
    return ShopBook(WARNED)


async def watched(judge: Judge, end: float, ask=ASK, start: float = 0.0):
    """Ask every half minute; the last answer."""
    verdict, now = None, start
    while now <= end:
        verdict = await judge.answer(ask, now)
        now += 30.0
    return verdict


def said(word: Ruled, at: float, check: str = "retries", **more) -> Ruling:
    return Ruling(1, check, word, "anna", at, **more)


async def the_release(store: MemoryStore) -> Release:
    release = await store.release(1)
    assert release is not None
    return release


async def test_a_warning_lets_go_on_until_it_is_ruled_real(judge, store):
    """From the next question on every answer is fail, with who said so and what the check said."""
    before = await watched(judge, 300.0)
    ruling = await spoken(store, said(Ruled.REAL, 310.0, note="customers complain"))
    answered = [await judge.answer(ask, 311.0) for ask in (ASK, ADVANCE, PROMOTE)]

    assert before.outcome is Outcome.INCONCLUSIVE
    assert (ruling.block, ruling.said[:8]) == (8, "retries:")
    assert {verdict.outcome for verdict in answered} == {Outcome.FAIL}
    assert {verdict.rollback for verdict in answered} == {True}
    assert {verdict.sentence for verdict in answered} == {
        f"ruled real by anna: {ruling.said}; note: customers complain"
    }
    assert await store.rulings(1) == [ruling]


async def test_lists_show_a_ruling_at_once(judge, store):
    """The release's own verdict and sentence do not wait for the next look, and stay with the looks."""
    await watched(judge, 300.0)
    ruling = await spoken(store, said(Ruled.REAL, 310.0))
    at_once = await the_release(store)
    await watched(judge, 600.0, start=330.0)
    later = await the_release(store)

    assert (at_once.verdict, at_once.sentence) == (Outcome.FAIL, f"ruled real by anna: {ruling.said}")
    assert (later.verdict, later.sentence) == (at_once.verdict, at_once.sentence)


async def test_a_ruling_sticks_though_the_check_recovers(judge, source, store):
    """Like any failure: what a person saw was harm, whatever is seen later."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    source.others["retries"] = WELL

    assert (await watched(judge, 1500.0, start=330.0)).outcome is Outcome.FAIL


async def test_a_withdrawn_ruling_is_as_if_it_had_not_been(judge, store, book, source):
    """The evidence has its way again, at once."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    await spoken(store, said(Ruled.WITHDRAWN, 320.0))
    answered = await watched(judge, 900.0, PROMOTE, start=321.0)
    other = Judge(book, {"main": source}, MemoryStore())
    alone = await watched(other, 300.0)
    alone = await watched(other, 900.0, PROMOTE, start=321.0)

    assert (await the_release(store)).verdict is Outcome.PASS
    assert answered.sentence == alone.sentence


async def test_rulings_change_no_look(judge, store, book, source):
    """Evidence and findings are stored as if nobody had said anything."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    await watched(judge, 700.0, start=330.0)
    silent = MemoryStore()
    await watched(Judge(book, {"main": source}, silent), 700.0)

    assert await store.looks(1) == await silent.looks(1)


async def test_the_looks_tell_when_a_ruling_was_made(judge, store):
    """Judged again, a release stands at each block where it stood then."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    await watched(judge, 450.0, start=330.0)
    words = await store.rulings(1)
    failed = [rulings.standing_then(look, words).failed_block for look in await store.looks(1)]

    assert failed == [None] * 9 + [8] * 5


async def test_every_replica_and_restart_hears_a_ruling(judge, store, book, source):
    """It is in the store, not in anybody's memory."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    other = Judge(book, {"main": source}, store)

    assert (await other.answer(ASK, 311.0)).outcome is Outcome.FAIL
    assert (await other.answer(ASK, 341.0)).outcome is Outcome.FAIL


async def test_a_false_alarm_lets_a_withheld_promotion_go_on(judge, store, source):
    """Two warnings withhold the pass; one of them ruled out, it is given at the next question."""
    source.others["refusals"] = SICK
    withheld = await watched(judge, 700.0, PROMOTE)
    await spoken(store, said(Ruled.FALSE_ALARM, 710.0, note="cold caches"))
    passed = await judge.answer(PROMOTE, 711.0)
    guarded = await judge.answer(ASK, 712.0)

    assert withheld.outcome is Outcome.INCONCLUSIVE
    assert (
        "warnings withhold the pass until 00:40:00 UTC or until somebody rules on them" in withheld.sentence
    )
    assert passed.outcome is guarded.outcome is Outcome.PASS
    assert passed.sentence.startswith("harm is excluded after 10 min: errors")
    assert passed.sentence.endswith("; warning: refusals failing; retries fails, a false alarm says anna")
    assert (await the_release(store)).verdict is Outcome.PASS


async def test_a_false_alarm_is_remembered_before_the_pass_is_judged(judge, source, store):
    """Ruled early, it keeps nothing from passing when the time has come, also when it fails anew."""
    source.others["refusals"] = SICK
    await watched(judge, 300.0, PROMOTE)
    await spoken(store, said(Ruled.FALSE_ALARM, 310.0))

    assert (await watched(judge, 630.0, PROMOTE, start=330.0)).outcome is Outcome.PASS


async def test_a_false_alarm_is_for_this_attempt_only(judge, store, source):
    """The next attempt asks again: another release, other causes."""
    source.others["refusals"] = SICK
    await watched(judge, 700.0, PROMOTE)
    await spoken(store, said(Ruled.FALSE_ALARM, 710.0))
    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="anna", now=720.0)
    again = replace(PROMOTE, revision="next")
    verdict = await watched(judge, 1500.0, again, start=800.0)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "warning: retries, refusals failing" in verdict.sentence


async def test_a_false_alarm_does_not_hide_harm(judge, source, store):
    """A critical check that fails rolls back, whatever was said of warnings."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.FALSE_ALARM, 310.0))
    source.others["http_requests"] = SICK
    verdict = await watched(judge, 900.0, start=330.0)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.sentence.startswith("errors: ")


@pytest.mark.parametrize(
    ("mode", "outcome", "rollback"),
    [(Mode.HOLD, Outcome.FAIL, True), (Mode.SHADOW, Outcome.FAIL, True), (Mode.OFF, Outcome.PASS, False)],
)
async def test_modes_keep_their_meaning(judge, book, mode, outcome, rollback, store):
    """Hold fails still, off stands aside; shadow is for the contracts, which never block by it."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    book.mode = mode
    verdict = await judge.answer(PROMOTE, 311.0)

    assert (verdict.outcome, verdict.rollback, verdict.recorded) == (outcome, rollback, Outcome.FAIL)


async def test_an_outage_takes_no_ruling_back(judge, source, store):
    """A person's word needs no metrics."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    source.requests = {}

    assert (await watched(judge, 600.0, start=330.0)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ("errors", "critical tier: only warn checks are ruled on"),
        ("misses", "debug tier: only warn checks are ruled on"),
        ("refusals", "only a failing check is ruled on"),
        ("nobody", "has no check 'nobody': it has errors, retries, refusals, misses"),
    ],
)
async def test_what_is_no_warning_is_not_ruled_on(judge, store, check, sentence):
    """Nothing is written, in the audit trail neither."""
    await watched(judge, 300.0)
    with pytest.raises(AskError, match=sentence):
        await spoken(store, said(Ruled.REAL, 310.0, check))

    assert await store.rulings(1) == []
    assert await store.events() == []


async def test_before_the_first_look_nothing_is_ruled_on(judge, store):
    """There is nothing to say about what nobody has seen."""
    await judge.answer(ASK, 0.0)

    with pytest.raises(AskError, match="says nothing yet"):
        await spoken(store, said(Ruled.REAL, 10.0))


async def test_a_release_that_is_over_is_labelled_instead(judge, store):
    """Ended by whoever reported it, or left alone by whoever asked."""
    await watched(judge, 300.0)
    with pytest.raises(AskError, match="is over: nobody has asked about it for long; label it instead"):
        await spoken(store, said(Ruled.REAL, 20_000.0))
    await judge.ended("shop", "checkout", "canary", outcome="rolled-back", by="flagger", now=310.0)

    with pytest.raises(AskError, match=r"has ended \(rolled-back\): only a running release is ruled on"):
        await spoken(store, said(Ruled.REAL, 311.0))


async def test_a_release_that_nobody_knows_is_not_ruled_on(judge, store):
    """Its number is named."""
    with pytest.raises(NotFoundError, match="release 1 is not known"):
        await spoken(store, said(Ruled.REAL, 10.0))


async def test_a_release_that_ended_keeps_its_ruling_and_is_rolled_back_no_more(judge, store):
    """Stragglers hear the last answer; a retry is an attempt of its own."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))
    await judge.ended("shop", "checkout", "canary", outcome="rolled-back", by="flagger", now=311.0)
    about_the_latest = await judge.answer(replace(ASK, revision=None, opens=False), 312.0)
    retry = await judge.answer(ASK, 313.0)

    assert not about_the_latest.rollback
    assert retry.outcome is Outcome.INCONCLUSIVE
    assert (await store.latest("shop", "checkout", "canary")).key.attempt == 2


@pytest.mark.parametrize("word", list(Judged))
async def test_a_label_goes_with_the_verdict(judge, store, word):
    """Positive is what failed: a label that speaks of another verdict is refused with those that do not."""
    await watched(judge, 300.0)
    fits = word in (Judged.TRUE_NEGATIVE, Judged.FALSE_NEGATIVE, Judged.WITHDRAWN)
    label = Label(1, word, "anna", 310.0, "refunds failed")
    if not fits:
        with pytest.raises(
            AskError, match=f"{word} is no label of shop/checkout@canary#1, which did not fail"
        ):
            await labelled(store, label)
        return

    assert await labelled(store, label) == label
    assert await store.labels([1]) == ({} if word is Judged.WITHDRAWN else {1: label})


async def test_a_release_ruled_real_is_labelled_as_one_that_failed(judge, store):
    """Who ruled may have erred as well as a check."""
    await watched(judge, 300.0)
    await spoken(store, said(Ruled.REAL, 310.0))

    assert await labelled(store, Label(1, Judged.FALSE_POSITIVE, "sam", 320.0))
    with pytest.raises(AskError, match="which failed: true-positive or false-positive is allowed"):
        await labelled(store, Label(1, Judged.TRUE_NEGATIVE, "sam", 321.0))


async def test_a_release_that_nobody_knows_is_not_labelled(store):
    """Its number is named."""
    with pytest.raises(NotFoundError, match="release 4711 is not known"):
        await labelled(store, Label(4711, Judged.TRUE_POSITIVE, "sam", 1.0))


async def test_a_ruling_waits_for_a_look_and_takes_nothing_of_it_away(judge, store):
    """Spoken while a look is taken, it is written after it, and the release keeps what both wrote."""
    await watched(judge, 300.0)
    _, _ = await asyncio.gather(judge.answer(ASK, 340.0), spoken(store, said(Ruled.REAL, 340.0)))
    release = await the_release(store)

    assert release.last_asked == 340.0
    assert release.verdict is Outcome.FAIL
