"""What the past tells: learnt in the background, pinned with the first look, and in no look's way."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import ValidationError

from fakes import MemoryStore
from firedamp.cli import rerun
from firedamp.decision import known
from firedamp.decision.parameters import Parameters, from_json
from firedamp.errors import ConflictError, SourceRefusedError
from firedamp.judge import Judge
from firedamp.judge.history import BLOCK_SECONDS
from firedamp.model import Outcome
from firedamp.ports import Lesson
from firedamp.queries import Increase
from firedamp.stats.noise import Learnt
from judge.shop import ASK, DOWN, ERRORS, PARAMETERS, ShopBook, ShopSource

LIMIT = {"name": "restarts", "kind": "threshold", "counter": "restarts_total", "max": 0}
NEXT = replace(ASK, revision="next")
HISTORY = PARAMETERS.history


@pytest.fixture
def source():
    return ShopSource(since=-2 * HISTORY, burst=60.0)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def judge(source, store):
    return Judge(ShopBook(PARAMETERS), {"main": source}, store)


async def watch(judge, ask, start, end, every=30.0):
    """Ask every so often; the last answer."""
    verdict, now = None, start
    while now <= end:
        verdict = await judge.answer(ask, now)
        now += every
    return verdict


async def opened(judge, ask, now):
    """The first question about a release, and all that it sets off."""
    await judge.answer(ask, now)
    await judge.settled()


def learnt(lesson: Lesson) -> Learnt:
    clumps, pods = (lesson.phi_sum, lesson.phi_weight), (lesson.tau_sum, lesson.tau_weight)
    return Learnt(*clumps, *pods, lesson.events, lesson.requests)


async def test_hours_of_the_stable_pods_are_learnt_when_a_release_opens(judge, source, store):
    """Half hours of six hours before it, one query per counter, as a lesson without a release."""
    await opened(judge, ASK, 60.0)
    (lesson,) = await store.lessons("shop", "checkout")

    assert (lesson.check, lesson.release_id, lesson.at) == ("errors", 0, 60.0)
    assert learnt(lesson).dispersion.phi > 3
    assert [span.begin for span in source.recalled] == [60.0 - HISTORY] * 2
    assert source.recalled[0].ends == tuple(60.0 - HISTORY + BLOCK_SECONDS * n for n in range(1, 13))


async def test_weeks_are_learnt_from_when_asked_for_a_day_in_one_query(source, store):
    """Three days and a half: four queries per counter that touch, and fourteen times the requests."""
    asked, day = PARAMETERS.model_copy(update={"history": 3.5 * 86400}), 86400.0
    source.since = -30 * day
    await opened(Judge(ShopBook(asked), {"main": source}, store), ASK, 60.0)
    await opened(Judge(ShopBook(PARAMETERS), {"main": source}, shorter := MemoryStore()), ASK, 60.0)
    (lesson,), (short,) = [await each.lessons("shop", "checkout") for each in (store, shorter)]
    begins = [60.0 - 3.5 * day + n * day for n in range(4)]

    assert [span.begin for span in source.recalled[:8]] == [*begins, *begins]
    assert [span.ends[-1] for span in source.recalled[:4]] == [*begins[1:], 60.0]
    assert lesson.requests == pytest.approx(14 * short.requests, rel=0.01)


@pytest.mark.parametrize("history", ["59m", "29d"])
def test_less_than_an_hour_or_more_than_four_weeks_of_history_are_refused(history):
    """The limits are named."""
    with pytest.raises(ValidationError, match=r"history\n.*(3600|2419200)"):
        Parameters.model_validate({"history": history})


async def test_quiet_pods_are_learnt_to_be_quiet(judge, source, store):
    """Without bursts the prior's caution melts."""
    source.burst = 0.0
    await opened(judge, ASK, 60.0)
    (lesson,) = await store.lessons("shop", "checkout")

    assert learnt(lesson).dispersion.phi < 1.5


async def test_what_is_rarer_is_learnt(judge, source, store):
    """Where nearly every request is an event, those that are none tell of the noise."""
    source.errors = {"stable": 9.9, "canary": 9.9}
    await opened(judge, ASK, 60.0)
    (lesson,) = await store.lessons("shop", "checkout")

    assert learnt(lesson).phi_weight < 0.2 * 10.0 * HISTORY


async def test_young_history_serves_the_next_release(judge, source):
    """Within an hour the same pods tell the same; after it they are asked again."""
    await opened(judge, ASK, 60.0)
    await opened(judge, NEXT, 3000.0)
    young = len(source.recalled)
    await opened(judge, replace(ASK, revision="third"), 3700.0)

    assert young == 2
    assert len(source.recalled) == 4


async def test_flows_make_no_history_old(source, store):
    """They have none but that of earlier releases, and ask for none of their own."""
    flow = {"service": "gateway", "operation": "POST /orders"}
    checks = [ERRORS, {"name": "order", "kind": "flow-failures", "flow": flow}]
    parameters = Parameters.model_validate({"checks": checks, "window": {"promote_after": "10m"}})
    judge = Judge(ShopBook(parameters), {"main": source}, store)
    await opened(judge, ASK, 60.0)
    await opened(judge, NEXT, 3000.0)

    assert len(source.recalled) == 2


async def test_silence_takes_no_place(judge, source, store):
    """Pods of a name that nobody has tell nothing: what others told stays, and they are asked once."""
    await opened(judge, ASK, 60.0)
    before = await store.lessons("shop", "checkout")
    strange = replace(NEXT, arms={"canary": "canary", "main": "strange"})
    await opened(judge, strange, 4000.0)
    await opened(judge, strange, 4010.0)

    assert await store.lessons("shop", "checkout") == before
    assert len(source.recalled) == 4


async def test_other_selectors_are_learnt_anew(source, store):
    """A lesson about other counts keeps nobody from asking."""
    await opened(Judge(ShopBook(PARAMETERS), {"main": source}, store), ASK, 60.0)
    other = Parameters.model_validate({"checks": [{**ERRORS, "total": 'http_requests_total{job="a"}'}]})
    await opened(Judge(ShopBook(other), {"main": source}, store), NEXT, 120.0)
    (lesson,) = await store.lessons("shop", "checkout")

    assert lesson.counts == known.counts(other.checks[0])


async def test_lessons_about_other_counts_are_not_pinned(judge, source, store):
    """The check was written anew since: what it counted then says nothing of what it counts now."""
    about = Lesson("shop", "checkout", "errors", "other", 7, 50.0, 900.0, 100.0, 1.0, 1.0)
    await store.learn([about, replace(about, check="refusals", counts=known.counts(PARAMETERS.checks[0]))])
    source.trouble = DOWN
    await opened(judge, ASK, 60.0)
    source.trouble = None
    await judge.answer(ASK, 100.0)

    assert (await store.release(1)).noise == known.NOTHING


async def test_without_counts_out_of_a_total_nothing_is_asked(source, store):
    """Limits have no noise to learn."""
    limits = Parameters.model_validate({"checks": [LIMIT], "window": {"promote_after": "10m"}})
    await opened(Judge(ShopBook(limits), {"main": source}, store), ASK, 60.0)

    assert source.recalled == []


async def test_the_first_look_pins_what_is_known_by_then(judge, store):
    """History learnt while the first block passed is written with its look, as text."""
    await opened(judge, ASK, 60.0)
    before = await store.latest("shop", "checkout", "canary")
    await judge.answer(ASK, 100.0)
    after = await store.latest("shop", "checkout", "canary")
    (lesson,) = await store.lessons("shop", "checkout")

    assert before.noise == ""
    assert known.from_json(after.noise) == {"errors": known.pooled([learnt(lesson)])}


async def test_what_is_learnt_later_changes_nothing(judge, source, store):
    """A release goes on with what was known at its first look, after a restart too."""
    source.trouble = DOWN
    await opened(judge, ASK, 60.0)
    source.trouble = None
    await judge.answer(ASK, 100.0)
    await store.learn([Lesson("shop", "checkout", "errors", "", 0, 100.0, 900.0, 100.0, 1.0, 1.0)])
    await opened(Judge(ShopBook(PARAMETERS), {"main": source}, store), ASK, 130.0)
    release = await store.latest("shop", "checkout", "canary")

    assert release.noise == known.NOTHING


async def test_a_release_is_judged_by_the_noise_it_was_granted(judge, source, store):
    """With bursts in its history, the same errors are weaker evidence."""
    source.errors = {"stable": 0.1, "canary": 0.25}
    await opened(judge, ASK, 60.0)
    bursty = await watch(judge, ASK, 90.0, 400.0)
    quiet = ShopSource(since=-2 * HISTORY, errors=source.errors)
    other = Judge(ShopBook(PARAMETERS), {"main": quiet}, MemoryStore())
    await opened(other, ASK, 60.0)
    calm = await watch(other, ASK, 90.0, 400.0)

    assert bursty.findings[0].p_value > calm.findings[0].p_value


async def test_a_replay_gives_the_same_findings_byte_for_byte(judge, store):
    """Evidence, parameters and pinned noise are all there is to it; without the noise it differs."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 900.0)
    await store.learn([Lesson("shop", "checkout", "errors", "", 9, 100.0, 900.0, 100.0, 1.0, 1.0)])
    release, looks = await store.release(1), await store.looks(1)
    parameters = from_json(release.parameters)
    again = rerun.again(release, looks, parameters)
    unknowing = rerun.again(replace(release, noise=known.NOTHING), looks, parameters)

    assert len(again.looks) == 27
    assert again.differs_at is None
    assert unknowing.differs_at is not None


async def test_a_restart_gives_the_same_findings_byte_for_byte(judge, source, store):
    """Rebuilt from the store, a release goes on as it would have."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 300.0)
    await watch(Judge(ShopBook(PARAMETERS), {"main": source}, store), ASK, 330.0, 900.0)
    through = MemoryStore()
    straight = Judge(ShopBook(PARAMETERS), {"main": source}, through)
    await opened(straight, ASK, 60.0)
    await watch(straight, ASK, 90.0, 900.0)

    assert repr(await store.looks(1)) == repr(await through.looks(1))


async def test_a_release_that_ends_tells_the_next_one(judge, store):
    """Its own blocks are a lesson, which the next release's first look pins with the history."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 600.0)
    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="ada", now=610.0)
    await judge.settled()
    history, told = await store.lessons("shop", "checkout")
    await opened(judge, NEXT, 700.0)
    await judge.answer(NEXT, 740.0)
    second = await store.latest("shop", "checkout", "next")

    assert (told.release_id, told.at) == (1, 570.0)
    assert learnt(told).phi_weight > 0
    assert known.from_json(second.noise) == {"errors": known.pooled([learnt(history), learnt(told)])}


async def test_an_end_reported_to_another_replica_tells_as_much(judge, source, store):
    """Who has no running statistics of a release rebuilds them from its looks."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 600.0)
    other = Judge(ShopBook(PARAMETERS), {"main": source}, store)
    await other.ended("shop", "checkout", "canary", outcome="promoted", by="ada", now=610.0)
    await other.settled()
    elsewhere = (await store.lessons("shop", "checkout"))[1]
    await store.learn([replace(elsewhere, phi_sum=0.0)])
    release = await store.release(1)
    await store.update(replace(release, ended=None))
    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="ada", now=620.0)
    await judge.settled()

    assert (await store.lessons("shop", "checkout"))[1] == elsewhere


async def test_a_window_that_is_over_tells_once(judge, store):
    """Argo reports no end: at decide-by a release has told what it can, though it is guarded on."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 60.0 + 1200.0)
    await judge.settled()
    before = await store.lessons("shop", "checkout")
    await watch(judge, ASK, 1290.0, 1500.0)
    await judge.settled()
    after = await store.lessons("shop", "checkout")

    assert [lesson.release_id for lesson in before] == [0]
    assert [(lesson.release_id, lesson.at) for lesson in after] == [(0, 60.0), (1, 1260.0)]


async def test_a_release_left_alone_is_caught_up_with(judge, store):
    """Promoted before decide-by, and never asked about again: the next release learns from it."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 600.0)
    await opened(judge, NEXT, 5000.0)

    assert [lesson.release_id for lesson in await store.lessons("shop", "checkout")] == [0, 1]


async def test_a_release_still_asked_about_is_left_to_itself(judge, store):
    """Side by side, it will tell more when it is over."""
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 600.0)
    await opened(judge, NEXT, 610.0)

    assert [lesson.release_id for lesson in await store.lessons("shop", "checkout")] == [0]


class Forgetful(ShopSource):
    """Looks are answered, history hangs."""

    async def samples(self, need, cohort, span):
        if isinstance(need, Increase) and need.per_pod:
            self.recalled.append(span)
            await asyncio.sleep(60)
        return await super().samples(need, cohort, span)


async def test_history_that_hangs_delays_no_look(store):
    """The first look is taken at once, and pins that nothing is known."""
    source = Forgetful()
    judge = Judge(ShopBook(PARAMETERS), {"main": source}, store, deadline_seconds=0.5)
    async with asyncio.timeout(2.0):
        verdict = await watch(judge, ASK, 60.0, 360.0)
    release = await store.release(1)
    await judge.close()

    assert verdict.block == 8
    assert release.noise == known.NOTHING
    assert len(source.recalled) == 1


class Wide(ShopSource):
    """More than three half hours take too long."""

    async def samples(self, need, cohort, span):
        if isinstance(need, Increase) and len(span.ends) > 3:
            raise DOWN
        return await super().samples(need, cohort, span)


async def test_history_that_takes_too_long_is_asked_for_in_pieces(judge, store):
    """The history of a wide service is the same, whether it came at once or piece by piece."""
    wide = MemoryStore()
    await opened(Judge(ShopBook(PARAMETERS), {"main": Wide(since=-2 * HISTORY, burst=60.0)}, wide), ASK, 60.0)
    await opened(judge, ASK, 60.0)

    assert await wide.lessons("shop", "checkout") == await store.lessons("shop", "checkout") != []


async def test_closing_gives_up_what_is_under_way(store):
    """A server that is stopped does not wait for history."""
    judge = Judge(ShopBook(PARAMETERS), {"main": Forgetful()}, store)
    await judge.answer(ASK, 60.0)
    async with asyncio.timeout(1.0):
        await judge.close()

    assert await store.lessons("shop", "checkout") == []


@pytest.mark.parametrize("trouble", [DOWN, SourceRefusedError("too many samples")])
async def test_a_release_does_without_history_that_cannot_be_had(judge, source, store, trouble):
    """It is judged all the same; its questions until the first look try again."""
    source.trouble = trouble
    await opened(judge, ASK, 60.0)
    source.trouble = None
    verdict = await judge.answer(ASK, 100.0)

    assert verdict.block == 0
    assert (await store.release(1)).noise == known.NOTHING


async def test_a_store_in_trouble_loses_a_lesson_and_no_more(judge, store):
    """What could not be written is logged; the judge goes on."""
    await judge.answer(ASK, 60.0)
    store.trouble = "disk full"
    await judge.settled()
    store.trouble = None

    assert await store.lessons("shop", "checkout") == []
    assert (await judge.answer(ASK, 100.0)).outcome is Outcome.INCONCLUSIVE


async def test_looks_of_a_version_that_knew_no_noise_stay_as_they_are(judge, source, store):
    """A release begun without noise goes on without, whatever was learnt since."""
    await judge.answer(ASK, 60.0)
    await judge.close()
    await watch(judge, ASK, 100.0, 160.0)
    begun = await store.release(1)
    await store.add_looks(replace(begun, noise=""), [])
    await watch(Judge(ShopBook(PARAMETERS), {"main": source}, store), ASK, 190.0, 300.0)
    release, looks = await store.release(1), await store.looks(1)

    assert release.noise == known.NOTHING
    assert rerun.again(release, looks, PARAMETERS).differs_at is None


class Overtaken(MemoryStore):
    """Another replica takes the first look, knowing something else."""

    theirs = known.to_json({"errors": Learnt(80.0, 10.0)})
    taken = False

    async def add_looks(self, release, looks):
        if self.taken:
            await super().add_looks(release, looks)
            return
        self.taken = True
        known_otherwise = replace(release, noise=self.theirs)
        await super().add_looks(known_otherwise, rerun.again(known_otherwise, looks, PARAMETERS).looks)
        raise ConflictError("somebody else wrote first")


async def test_what_another_replica_pinned_first_counts(source):
    """Where a lock was lost, the release is judged by the noise that stands with its first look."""
    store = Overtaken()
    judge = Judge(ShopBook(PARAMETERS), {"main": source}, store)
    await opened(judge, ASK, 60.0)
    await watch(judge, ASK, 90.0, 400.0)
    release, looks = await store.release(1), await store.looks(1)

    assert release.noise == store.theirs
    assert len(looks) == 10
    assert rerun.again(release, looks, PARAMETERS).differs_at is None
