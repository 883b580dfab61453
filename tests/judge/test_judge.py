"""Questions in, verdicts out, through store and source, with the clock in the test's hand."""

import asyncio
from dataclasses import replace

import pytest

from fakes import MemoryStore
from firedamp.counting import Samples
from firedamp.errors import ConflictError, SourceRefusedError, StoreError
from firedamp.judge import Judge
from firedamp.model import Controller, Mode, Outcome, Question
from firedamp.ports import Gate
from firedamp.queries import Counted
from judge.shop import ASK, DOWN, PARAMETERS, ShopBook, ShopSource

PROMOTE = replace(ASK, question=Question.PROMOTE)
ADVANCE = replace(ASK, question=Question.ADVANCE)


@pytest.fixture
def source():
    return ShopSource()


@pytest.fixture
def book():
    return ShopBook(PARAMETERS)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def judge(book, source, store):
    return Judge(book, {"main": source}, store)


async def watch(judge, ask, start, end, every=30.0):
    """Ask every so often; the last answer."""
    verdict, now = None, start
    while now <= end:
        verdict = await judge.answer(ask, now)
        now += every
    return verdict


async def test_first_question_opens_a_release_and_says_when_the_first_look_is_due(judge, store):
    """Before the first block is over there is nothing to say but when there will be."""
    verdict = await judge.answer(ASK, 60.0)
    release = await store.latest("shop", "checkout", "canary")

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "first look is due at 00:01:30 UTC" in verdict.sentence
    assert (release.started, release.key.attempt) == (60.0, 1)


async def test_errors_times_five_fail(judge, source):
    """A canary with five times the errors is failed, and a rollback hook may say yes."""
    source.errors = {"stable": 0.1, "canary": 0.5}
    verdict = await watch(judge, ASK, 60.0, 900.0)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.rollback
    assert verdict.sentence.startswith("errors: the canary served")


async def test_healthy_release_passes_at_the_end_of_its_window(judge, source):
    """Harm is excluded at promote_after, not before."""
    source.requests = {"stable": 60.0, "canary": 60.0}
    before = await watch(judge, PROMOTE, 60.0, 630.0)
    after = await watch(judge, PROMOTE, 660.0, 690.0)

    assert before.outcome is Outcome.INCONCLUSIVE
    assert after.outcome is Outcome.PASS
    assert after.sentence.startswith("harm is excluded after 10 min")


async def test_first_errors_of_a_young_canary_count(judge, source, store):
    """What a new pod counted before its first scrape is its own: nothing is lost at the start."""
    source.canary_since = 95.0
    await watch(judge, ASK, 60.0, 160.0, every=5.0)
    looks = await store.looks((await store.latest("shop", "checkout", "canary")).id)
    rows = [look.evidence.slices["errors"].rows for look in looks]
    requests = sum(
        row[1] for block in rows for arm, pods in block.items() if arm == "canary" for row in pods.values()
    )

    assert requests == pytest.approx(2 * (looks[-1].evidence.block.end - 95.0) * 10.0, abs=2 * 10 * 10)


async def test_same_block_gives_the_same_answer(judge, source):
    """Two questions within a block are one look; the source is asked once."""
    await judge.answer(ASK, 0.0)
    first = await judge.answer(ASK, 40.0)
    asked = len(source.fetched)
    second = await judge.answer(ASK, 41.0)

    assert first == second
    assert len(source.fetched) == asked


async def test_a_hundred_askers_make_one_look(judge, source, store):
    """Whoever asks first takes the look; everybody else waits for it."""
    await judge.answer(ASK, 0.0)
    answers = await asyncio.gather(*(judge.answer(ASK, 65.0) for _ in range(100)))
    release = await store.latest("shop", "checkout", "canary")

    assert len(set(map(repr, answers))) == 1
    assert [look.evidence.block.index for look in await store.looks(release.id)] == [0, 1]


async def test_two_replicas_agree(book, source, store):
    """Two judges on one store, asked in the same instant, give one look and one answer."""
    first, second = Judge(book, {"main": source}, store), Judge(book, {"main": source}, store)
    answers = [
        await asyncio.gather(first.answer(ASK, now), second.answer(ASK, now)) for now in range(0, 400, 20)
    ]

    assert all(one == other for one, other in answers)


@pytest.mark.parametrize("every", [10.0, 30.0, 60.0, 200.0])
async def test_rhythm_of_questions_changes_nothing(book, source, every):
    """Callers at any distance find the same at the same block, to the byte."""
    source.errors = {"stable": 0.1, "canary": 0.3}
    stores = MemoryStore(), MemoryStore()
    await watch(Judge(book, {"main": source}, stores[0]), ASK, 0.0, 600.0, every=30.0)
    await watch(Judge(book, {"main": source}, stores[1]), ASK, 0.0, 600.0, every=every)
    usual, other = [[repr(look) for look in await store.looks(1)] for store in stores]
    seen = min(len(usual), len(other))

    assert seen >= 12
    assert usual[:seen] == other[:seen]


async def test_restart_changes_nothing(book, source, store):
    """A judge that knows nothing but the store goes on as if it had been there all the time."""
    await watch(Judge(book, {"main": source}, store), ASK, 0.0, 300.0)
    await watch(Judge(book, {"main": source}, store), ASK, 330.0, 600.0)
    through = MemoryStore()
    await watch(Judge(book, {"main": source}, through), ASK, 0.0, 600.0)

    assert [repr(look) for look in await store.looks(1)] == [repr(look) for look in await through.looks(1)]


async def test_source_down_is_undecided_and_caught_up_later(judge, source, store):
    """An outage rolls nothing back, is said, and its blocks are judged when the source is back."""
    await watch(judge, ASK, 0.0, 120.0)
    source.trouble = DOWN
    down = await watch(judge, ASK, 150.0, 240.0)
    source.trouble = None
    up = await judge.answer(ASK, 270.0)

    assert down.outcome is Outcome.INCONCLUSIVE
    assert "refused the connection" in down.sentence
    assert not down.rollback
    assert up.block == 7
    assert [look.evidence.block.index for look in await store.looks(1)] == list(range(8))


async def test_failed_attempt_answers_fail_until_its_caller_is_silent(judge, source, store):
    """A retry of the same revision is told apart by time and starts with fresh evidence."""
    source.errors = {"stable": 0.1, "canary": 3.0}
    await watch(judge, ASK, 0.0, 600.0)
    still = await judge.answer(ASK, 630.0)
    source.errors = {"stable": 0.1, "canary": 0.1}
    retried = await judge.answer(ASK, 630.0 + 200.0)

    assert still.outcome is Outcome.FAIL
    assert retried.outcome is Outcome.INCONCLUSIVE
    assert (await store.latest("shop", "checkout", "canary")).key.attempt == 2
    assert (await store.release(1)).outcome == "rolled-back"


async def test_reported_end_closes_the_release(judge, store):
    """After its end a release takes no more looks; a later question opens the next attempt."""
    await watch(judge, ASK, 0.0, 100.0)
    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="flagger", now=100.0)
    await judge.answer(ASK, 110.0)
    same = await store.latest("shop", "checkout", "canary")
    await judge.answer(ASK, 400.0)
    later = await store.latest("shop", "checkout", "canary")

    assert (same.outcome, same.key.attempt) == ("promoted", 1)
    assert later.key.attempt == 2


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ({}, "canary and main empty"),
        ({"canary": "canary", "main": ""}, "main empty"),
        ({"canary": "same", "main": "same"}, "same value 'same'"),
    ],
)
async def test_useless_cohorts_are_undecided_with_the_remedy(judge, store, arms, said):
    """Empty or equal hashes open nothing and say what to pass."""
    verdict = await judge.answer(replace(ASK, arms=arms), 0.0)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert said in verdict.sentence
    assert await store.latest("shop", "checkout", "canary") is None


async def test_unknown_service_is_undecided_with_the_yaml_to_add(judge):
    """Nobody is rolled back for being unknown."""
    verdict = await judge.answer(replace(ASK, service="chekout"), 0.0)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "services: [{name: chekout" in verdict.sentence


async def test_advance_waits_for_its_step(judge, source):
    """More traffic after 5 minutes in a step where a five-fold rise would have shown, else after 15."""
    source.requests, source.errors = {"stable": 60.0, "canary": 60.0}, {"stable": 0.6, "canary": 0.6}
    early = await watch(judge, ADVANCE, 0.0, 240.0)
    due = await watch(judge, ADVANCE, 270.0, 330.0)

    assert early.outcome is Outcome.INCONCLUSIVE
    assert "more in this traffic step" in early.sentence
    assert due.outcome is Outcome.PASS
    assert "would have been noticed" in due.sentence


async def test_advance_begins_a_new_step(judge, source):
    """After a pass the next step begins; the same question a moment later is still the same question."""
    source.requests, source.errors = {"stable": 60.0, "canary": 60.0}, {"stable": 0.6, "canary": 0.6}
    passed = await watch(judge, ADVANCE, 0.0, 330.0)
    again = await judge.answer(ADVANCE, 330.03)
    later = await judge.answer(ADVANCE, 360.0)

    assert passed.outcome is again.outcome is Outcome.PASS
    assert later.outcome is Outcome.INCONCLUSIVE


async def test_named_step_begins_when_its_name_changes(judge, source, store):
    """A controller that names its steps is believed."""
    await watch(judge, replace(ADVANCE, step="1"), 0.0, 330.0)
    await judge.answer(replace(ADVANCE, step="3"), 400.0)
    release = await store.latest("shop", "checkout", "canary")

    assert (release.step, release.step_label, release.step_since) == (1, "3", 400.0)


async def test_flagger_may_begin_and_a_told_weight_is_a_step(judge, store):
    """The first traffic increase comes at weight 0; the event that follows tells the weight."""
    ask = replace(ADVANCE, controller=Controller.FLAGGER)
    first = await judge.answer(ask, 0.0)
    await judge.told_weight("shop", "checkout", "canary", weight=0.2, now=1.0)
    second = await judge.answer(ask, 10.0)
    release = await store.latest("shop", "checkout", "canary")

    assert first.outcome is Outcome.PASS
    assert second.outcome is Outcome.INCONCLUSIVE
    assert release.weight == 0.2


async def test_experiment_is_a_release_of_its_own(judge, store):
    """Its pods are others than the rollout's, so its evidence is never mixed with theirs."""
    await judge.answer(ASK, 0.0)
    await judge.answer(replace(PROMOTE, experiment=True, arms={"canary": "canary", "baseline": "old"}), 1.0)

    assert {one.key.revision for one in await store.releases()} == {"canary", "canary-experiment"}


async def test_freeze_holds_but_harm_still_fails(judge, book, source):
    """A freeze withholds promotion and names itself; a broken canary is stopped all the same."""
    book.frozen = "Black Friday"
    held = await watch(judge, PROMOTE, 0.0, 120.0)
    source.errors = {"stable": 0.1, "canary": 5.0}
    failed = await watch(judge, PROMOTE, 150.0, 600.0)

    assert held.outcome is Outcome.INCONCLUSIVE
    assert "Black Friday" in held.sentence
    assert failed.outcome is Outcome.FAIL


async def test_person_can_hold_and_switch_off(judge, store):
    """A hold and the kill switch are orders with a name and an end."""
    await judge.answer(PROMOTE, 0.0)
    await store.set_gate(Gate("shop", "checkout", "hold", "", True, 1000.0, "ada", 0.0, "migration"))
    held = await judge.answer(PROMOTE, 10.0)
    await store.set_gate(Gate("shop", "checkout", "off", "", True, 1000.0, "ada", 0.0))
    off = await judge.answer(PROMOTE, 20.0)
    expired = await judge.answer(PROMOTE, 2000.0)

    assert "ada said hold: migration" in held.sentence
    assert (off.outcome, off.mode) == (Outcome.PASS, Mode.OFF)
    assert expired.mode is Mode.JUDGE


async def test_slow_source_leaves_an_answer_within_the_deadline(book, store):
    """The caller's patience is kept even where a source has none."""

    class Slow(ShopSource):
        async def samples(self, need, cohort, span):
            await asyncio.sleep(30)
            return await super().samples(need, cohort, span)

    judge = Judge(book, {"main": Slow()}, store, deadline_seconds=0.2)
    await judge.answer(ASK, 0.0)
    verdict = await asyncio.wait_for(judge.answer(ASK, 60.0), 2.0)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "took longer than" in verdict.sentence


class Failing(MemoryStore):
    """A store that refuses its third writing of looks with an error of one's choice."""

    def __init__(self, error):
        super().__init__()
        self.error, self.writings = error, 0

    async def add_looks(self, release, looks):
        self.writings += 1
        if self.writings == 3:
            if isinstance(self.error, ConflictError):
                await super().add_looks(release, looks)  # by somebody else
            raise self.error
        await super().add_looks(release, looks)


async def test_a_look_that_could_not_be_written_loses_no_counts(book, source, store):
    """Counting remembers only what the store has: the block is counted again, whole."""
    failing = Failing(StoreError("the disk is full"))
    judge = Judge(book, {"main": source}, failing)
    await watch(judge, ASK, 0.0, 90.0)
    with pytest.raises(StoreError):
        await judge.answer(ASK, 120.0)
    await watch(judge, ASK, 150.0, 300.0)
    await watch(Judge(book, {"main": source}, store), ASK, 0.0, 300.0)

    assert [repr(look) for look in await failing.looks(1)] == [repr(look) for look in await store.looks(1)]


async def test_a_block_that_another_replica_wrote_first_is_taken_as_it_is(book, source):
    """A lock may be lost with its connection; then the store says who was first."""
    judge = Judge(book, {"main": source}, Failing(ConflictError("somebody else wrote first")))
    verdict = await watch(judge, ASK, 0.0, 120.0)

    assert verdict.block == 2
    assert (await judge.answer(ASK, 155.0)).block == 4


async def test_a_long_outage_is_caught_up_over_several_questions(book, source, store):
    """What was caught up before the time was over is kept, and an outage half-way takes nothing away."""
    judge = Judge(book, {"main": source}, store)
    await judge.answer(ASK, 0.0)

    class Breaking(ShopSource):
        async def samples(self, need, cohort, span):
            self.trouble = DOWN if span.end > 900.0 else None
            return await super().samples(need, cohort, span)

    broken = await Judge(book, {"main": Breaking()}, store).answer(ASK, 3600.0)
    mended = await watch(judge, ASK, 3610.0, 3650.0)
    through = MemoryStore()
    await watch(Judge(book, {"main": source}, through), ASK, 0.0, 3660.0)

    assert broken.block == 29
    assert mended.block == 120
    assert [repr(look) for look in await store.looks(1)] == [repr(look) for look in await through.looks(1)]


async def test_a_look_that_takes_too_long_goes_on_where_it_was(book, store):
    """Each piece of a catching up is recorded; what lies beyond the deadline is left to the next question."""

    class Slow(ShopSource):
        async def samples(self, need, cohort, span):
            await asyncio.sleep(0.15)
            return await super().samples(need, cohort, span)

    judge = Judge(book, {"main": Slow()}, store, deadline_seconds=1.2)
    await judge.answer(ASK, 0.0)
    blocks = [(await judge.answer(ASK, 1805.0)).block for _ in range(12)]

    assert blocks[0] in range(9, 59)
    assert blocks[-1] == 59
    assert blocks == sorted(blocks)


async def test_a_long_release_is_rebuilt_whole(book, source, store):
    """After a restart hundreds of looks come back piece by piece, with the same next look."""
    await watch(Judge(book, {"main": source}, store), ASK, 0.0, 3600.0)
    verdict = await Judge(book, {"main": source}, store).answer(ASK, 3635.0)
    through = MemoryStore()
    await watch(Judge(book, {"main": source}, through), ASK, 0.0, 3660.0)

    assert verdict.block == 120
    assert repr(await store.last_look(1)) == repr(await through.last_look(1))


async def test_an_opened_gate_hides_no_hold(judge, store):
    """Who opened every gate of a revision has not lifted what somebody else ordered."""
    await store.set_gate(Gate("shop", "checkout", "*", "canary", True, 1000.0, "bob", 0.0))
    opened = await judge.answer(PROMOTE, 10.0)
    await store.set_gate(Gate("shop", "checkout", "hold", "", True, 1000.0, "ada", 0.0))
    held = await judge.answer(PROMOTE, 20.0)

    assert (opened.mode, held.mode) == (Mode.JUDGE, Mode.HOLD)


async def test_what_passed_once_does_not_pass_again_unseen(judge, source):
    """Forward, back, and forward again: the third rollout waits for evidence of its own."""
    source.requests = {"stable": 60.0, "canary": 60.0}
    passed = await watch(judge, PROMOTE, 0.0, 690.0)
    back = replace(PROMOTE, revision="stable", arms={"canary": "stable", "main": "canary"})
    await watch(judge, back, 900.0, 960.0)
    again = await judge.answer(PROMOTE, 1200.0)

    assert passed.outcome is Outcome.PASS
    assert again.outcome is Outcome.INCONCLUSIVE
    assert again.release.attempt == 2


@pytest.mark.parametrize("after", [5.0, 3000.0])
async def test_a_revision_that_failed_once_is_not_rolled_back_unseen(judge, source, after):
    """The rollback hook comes first in a tick, before anything could have been seen of a new attempt."""
    source.errors = {"stable": 0.1, "canary": 3.0}
    ask = replace(ASK, controller=Controller.FLAGGER)
    failed = await watch(judge, ask, 0.0, 600.0)
    await judge.ended("shop", "checkout", "canary", outcome="rolled-back", by="flagger", now=605.0)
    again = await judge.answer(ask, 605.0 + after)
    shy = await judge.answer(replace(ask, revision=None, opens=False), 605.0 + after)

    assert failed.rollback
    assert (again.outcome, again.rollback) == (Outcome.INCONCLUSIVE, False)
    assert not shy.rollback


async def test_who_may_open_nothing_hears_nothing_of_a_release_that_is_over(judge, source):
    """The verdict of the last release is not the next one's."""
    source.errors = {"stable": 0.1, "canary": 3.0}
    await watch(judge, ASK, 0.0, 600.0)
    shy = replace(ASK, revision=None, arms={}, opens=False)
    now, later = await judge.answer(shy, 610.0), await judge.answer(shy, 900.0)

    assert now.outcome is Outcome.FAIL
    assert (later.outcome, later.rollback) == (Outcome.INCONCLUSIVE, False)
    assert "shop/checkout@canary#1, is over" in later.sentence


async def test_flagger_begins_once(judge, store):
    """A weight that was told is traffic: no later advance passes for want of it."""
    ask = replace(ADVANCE, controller=Controller.FLAGGER)
    await store.set_gate(Gate("shop", "checkout", "off", "", True, 200.0, "ada", 0.0))
    await judge.answer(ask, 0.0)
    await judge.told_weight("shop", "checkout", "canary", weight=0.2, now=1.0)
    switched_on = await judge.answer(ask, 210.0)

    assert switched_on.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.OFF, Outcome.PASS),
        (Mode.SHADOW, Outcome.INCONCLUSIVE),
        (Mode.HOLD, Outcome.INCONCLUSIVE),
    ],
)
async def test_modes_of_the_settings_need_no_store(judge, book, store, mode, outcome):
    """What stands aside by its settings blocks nothing, also while the database is away."""
    book.mode, store.trouble = mode, "the database is away"
    verdict = await judge.answer(PROMOTE, 0.0)

    assert (verdict.outcome, verdict.mode, verdict.rollback) == (outcome, mode, False)
    assert "the database is away" not in verdict.sentence


async def test_without_the_store_a_person_may_hold_for_all_we_know(judge, store):
    """Then the judge says that it cannot be asked, and the contracts hold what they can hold."""
    store.trouble = "the database is away"

    with pytest.raises(StoreError):
        await judge.answer(PROMOTE, 0.0)


async def test_what_is_off_opens_no_release_that_nobody_could_judge(judge, book, store):
    """Without cohorts it would stay empty for good, also once the service is judged again."""
    book.mode = Mode.OFF
    aside = await judge.answer(replace(PROMOTE, arms={}), 0.0)

    assert (aside.outcome, aside.recorded, aside.mode) == (Outcome.PASS, Outcome.INCONCLUSIVE, Mode.OFF)
    assert await store.latest("shop", "checkout", "canary") is None


async def test_cohorts_of_an_unmarked_experiment_are_never_mixed(judge):
    """The question is undecided and says what to pass."""
    await judge.answer(ASK, 0.0)
    stray = await judge.answer(
        replace(PROMOTE, arms={"canary": "x", "baseline": "y", "main": "stable"}), 10.0
    )

    assert stray.outcome is Outcome.INCONCLUSIVE
    assert 'experiment: "true"' in stray.sentence


async def test_a_source_that_hangs_is_waited_for_once(book, store):
    """Questions of one moment share what was found; the next moment tries again."""

    class Hanging(ShopSource):
        async def samples(self, need, cohort, span):
            if isinstance(need, Counted):
                self.fetched.append(span)
            await asyncio.sleep(30)
            return await super().samples(need, cohort, span)

    source = Hanging()
    judge = Judge(book, {"main": source}, store, deadline_seconds=0.2)
    await judge.answer(ASK, 0.0)
    async with asyncio.timeout(2.0):
        answers = await asyncio.gather(*(judge.answer(ASK, 60.0 + each / 1000) for each in range(50)))
    once = len(source.fetched)
    await judge.answer(ASK, 61.0)

    assert {answer.outcome for answer in answers} == {Outcome.INCONCLUSIVE}
    assert all("took longer than" in answer.sentence for answer in answers)
    assert len(source.fetched) == 2 * once


class Flaky(ShopSource):
    """Every other block one query brings trouble: errors or requests of one version."""

    arm, failing, refusal = "stable", True, DOWN

    async def samples(self, need, cohort, span):
        arm = next(matcher.value for matcher in cohort if matcher.label == "rollouts_pod_template_hash")
        failing = any(matcher.label == "code" for matcher in need.selector.matchers)
        found = await super().samples(need, cohort, span)
        if (arm, failing) != (self.arm, self.failing) or round(span.end / 30) % 2:
            return found
        if self.refusal is None:
            return Samples(found.series[:1], warnings=("a store of two did not answer",))
        raise self.refusal


@pytest.mark.parametrize("refusal", [DOWN, SourceRefusedError("too many samples"), None])
@pytest.mark.parametrize("failing", [True, False])
@pytest.mark.parametrize("arm", ["stable", "canary"])
async def test_a_query_without_an_answer_is_no_answer_of_zero(book, store, arm, failing, refusal):
    """A block that lacks one query, or a part of it, is no evidence for its check; the next one is whole."""
    source = Flaky(requests={"stable": 60.0, "canary": 60.0}, errors={"stable": 3.0, "canary": 3.0})
    source.arm, source.failing, source.refusal = arm, failing, refusal
    verdict = await watch(Judge(book, {"main": source}, store), ASK, 0.0, 1500.0)
    rows = [look.evidence.slices["errors"].rows for look in await store.looks(1)]

    assert verdict.outcome is not Outcome.FAIL
    assert not any(rows[1::2])
    assert all(
        row == pytest.approx((90.0, 1800.0), abs=60)
        for found in rows[2::2]
        for pods in found.values()
        for row in pods.values()
    )
