"""Which release a question is about."""

from dataclasses import replace

import pytest

from fakes import MemoryStore
from firedamp.decision.parameters import Parameters, from_json
from firedamp.errors import ConflictError
from firedamp.judge import releases
from firedamp.model import Ask, Controller, Outcome, Question, Release, ReleaseKey

PARAMETERS = Parameters()  # decide by 60 min
ASK = Ask(
    "shop",
    "checkout",
    Question.ADVANCE,
    Controller.ARGO,
    revision="abc",
    arms={"canary": "abc", "main": "old"},
    weight=0.05,
    step="1",
)
T = 1_700_000_000.0


@pytest.fixture
def store():
    return MemoryStore()


async def as_they_are(parameters: Parameters) -> Parameters:
    """Nothing more is found out."""
    return parameters


async def at(store: MemoryStore, seconds: float, ask: Ask = ASK) -> Release | None:
    """The release that a question is about, so long after the first."""
    return await releases.current(store, ask, PARAMETERS, T + seconds, as_they_are)


async def asked_until(store: MemoryStore, seconds: float, every: float = 30.0) -> Release:
    """The release after questions at a steady pace."""
    release = await at(store, 0)
    assert release is not None
    for now in range(0, int(seconds) + 1, int(every)):
        release = releases.asked(release, ASK, T + now)
    await store.update(release)
    return release


async def test_the_first_question_opens_a_release(store):
    """It begins now, with what the question told and the service's parameters of now."""
    release = await at(store, 0)

    assert release.key == ReleaseKey("shop", "checkout", "abc", 1)
    assert (release.started, release.step_since, release.last_asked) == (T, T, T)
    assert (release.arms, release.weight, release.step_label) == (ASK.arms, 0.05, "1")
    assert from_json(release.parameters) == PARAMETERS


async def test_later_questions_are_about_the_same(store):
    """The same revision goes on, another one is another release."""
    first = await at(store, 0)

    assert await at(store, 600) == first
    assert (await at(store, 600, replace(ASK, revision="def"))).key.revision == "def"


async def test_a_question_that_may_not_open_opens_nothing(store):
    """A rollback hook or a metric query is about what is there, else about nothing."""
    shy = replace(ASK, opens=False)

    assert await at(store, 0, shy) is None
    first = await at(store, 0)
    assert await at(store, 90_000, shy) == first


async def test_without_a_revision_the_latest_is_meant(store):
    """Who does not know revisions asks about the release begun last, even an ended one."""
    unnamed = replace(ASK, revision=None)

    assert await at(store, 0, unnamed) is None
    await at(store, 0)
    latest = await at(store, 10, replace(ASK, revision="def"))
    assert await at(store, 20, unnamed) == latest
    await store.update(replace(latest, ended=T + 30, outcome="promoted"))
    assert (await at(store, 9000, unnamed)).id == latest.id


async def test_an_experiment_is_a_release_of_its_own(store):
    """It compares other pods than the rollout around it."""
    rollout, experiment = await at(store, 0), await at(store, 0, replace(ASK, experiment=True))

    assert experiment.key.revision == "abc-experiment"
    assert experiment.id != rollout.id
    assert experiment.experiment


async def test_a_failed_attempt_goes_on_failing_while_it_is_asked_about(store):
    """A retry inside the caller's rhythm gets the old answer."""
    failed = replace(await asked_until(store, 300), verdict=Outcome.FAIL)
    await store.update(failed)

    assert (await at(store, 300 + 89)).key.attempt == 1


@pytest.mark.parametrize(("every", "silence"), [(10, 60), (30, 90), (300, 900)])
async def test_a_failed_attempt_ends_when_its_caller_falls_silent(store, every, silence):
    """After a minute, or three of the usual distances of its questions, the next one is a new attempt."""
    failed = replace(await asked_until(store, 900, every), verdict=Outcome.FAIL)
    await store.update(failed)

    assert (await at(store, 900 + silence)).key.attempt == 1
    again = await at(store, 900 + silence + 1)
    assert again.key.attempt == 2
    assert again.started == T + 900 + silence + 1
    closed = await store.release(failed.id)
    assert (closed.ended, closed.outcome) == (again.started, "rolled-back")


async def test_a_reported_end_opens_a_new_attempt_after_a_minute(store):
    """Stragglers of an ended release still get its answer; what comes later is a retry."""
    ended = replace(await asked_until(store, 300), ended=T + 300, outcome="promoted")
    await store.update(ended)

    assert (await at(store, 360)).key.attempt == 1
    assert (await at(store, 361)).key.attempt == 2
    assert (await store.release(ended.id)).outcome == "promoted"


async def test_a_healthy_release_may_pause(store):
    """A manual pause of hours is no new attempt before decide-by and an hour are over."""
    await asked_until(store, 300)

    assert (await at(store, 7200)).key.attempt == 1
    abandoned = await at(store, 7201)
    assert abandoned.key.attempt == 2
    assert (await store.release(1)).outcome == "abandoned"


async def test_a_long_release_that_is_asked_about_goes_on(store):
    """Beyond decide-by the guard is asked for ever."""
    await asked_until(store, 20_000, 60)

    assert (await at(store, 19_980 + 3600)).key.attempt == 1


async def test_two_replicas_open_one_release(store):
    """Who comes second in the same instant takes what is there."""
    first = await at(store, 0)

    class Late(MemoryStore):
        """A store whose first look comes too early to see the other replica's release."""

        seen = False

        async def latest(self, namespace, service, revision):
            known = await store.latest(namespace, service, revision)
            self.seen, before = True, self.seen
            return known if before else None

        async def open(self, release):
            return await store.open(release)

    assert await at(Late(), 0) == first


async def test_a_conflict_without_a_winner_is_an_error():
    """A store that says conflict and shows nothing is broken."""

    class Torn(MemoryStore):
        async def open(self, release):
            raise ConflictError("exists already")

    with pytest.raises(ConflictError):
        await at(Torn(), 0)


async def test_the_usual_distance_of_questions_is_learnt(store):
    """One late question moves it a little, a long pause no more; those on top of one another do not count."""
    steady = await asked_until(store, 300)
    crowded = releases.asked(steady, ASK, T + 302)
    late = releases.asked(steady, ASK, T + 400)
    paused = releases.asked(steady, ASK, T + 4000)

    assert steady.ask_gap == pytest.approx(30)
    assert (crowded.ask_gap, crowded.last_asked) == (steady.ask_gap, steady.last_asked)
    assert late.ask_gap == paused.ask_gap == pytest.approx(0.7 * 30 + 0.3 * 90)
    assert late.last_asked == T + 400


async def test_a_new_name_of_the_step_is_a_new_step(store):
    """The controller's step label moves on: the advance of the last one counts no more."""
    first = replace(await at(store, 0), advanced_block=3)
    same = releases.asked(first, ASK, T + 60)
    moved = releases.asked(first, replace(ASK, step="2", weight=0.2), T + 60)

    assert (same.step, same.step_since, same.advanced_block) == (0, T, 3)
    assert (moved.step, moved.step_label, moved.step_since, moved.weight) == (1, "2", T + 60, 0.2)
    assert moved.advanced_block is None


async def test_a_guard_names_no_step(store):
    """A background analysis repeats the step and the weight of its own start for ever."""
    stepped = releases.asked(await at(store, 0), replace(ASK, step="2", weight=0.2), T + 60)
    stale = releases.asked(stepped, replace(ASK, question=Question.GUARD), T + 90)

    assert (stale.step, stale.step_label, stale.weight, stale.step_since) == (1, "2", 0.2, T + 60)
    assert stale.last_asked == T + 90


async def test_a_new_weight_is_a_new_step_where_steps_have_no_names(store):
    """Without labels the weight tells steps apart; with them it is only noted."""
    bare = replace(ASK, step=None)
    first = await at(store, 0, bare)
    named = releases.asked(await at(store, 0, replace(ASK, revision="x")), replace(ASK, weight=0.2), T + 60)

    assert releases.asked(first, replace(bare, weight=0.2), T + 60).step == 1
    assert releases.asked(first, replace(bare, weight=None), T + 60).step == 0
    assert (named.step, named.weight) == (0, 0.2)


async def test_a_told_weight_is_a_new_step(store):
    """Flagger's event says that the traffic has moved."""
    told = releases.weighted(await at(store, 0), 0.2, T + 60)

    assert (told.step, told.weight, told.step_since) == (1, 0.2, T + 60)


async def test_a_passed_advance_begins_the_next_step_where_nobody_names_them(store):
    """With labels the controller says when; without them the pass itself is the step."""
    bare = await at(store, 0, replace(ASK, step=None))
    named = await at(store, 0, replace(ASK, revision="x"))

    assert releases.advanced(bare, 9, T + 300).step_since == T + 300
    assert releases.advanced(bare, None, T + 300).advanced_block == -1
    assert releases.advanced(named, 9, T + 300) == replace(named, advanced_block=9)


async def test_the_same_question_within_moments_is_a_repetition(store):
    """Thirty milliseconds after a passed advance the same question is the same question."""
    bare = await at(store, 0, replace(ASK, step=None))
    passed = releases.advanced(bare, 9, T + 300)

    assert not releases.repeats(bare, T + 300)
    assert releases.repeats(passed, T + 300.03)
    assert not releases.repeats(passed, T + 305)
    assert not releases.repeats(passed, T + 200)


async def test_a_failed_attempt_whose_end_was_reported_is_retried_at_once(store):
    """A retry must not inherit the failure, or it would be rolled back without evidence."""
    failed = replace(
        await asked_until(store, 300), verdict=Outcome.FAIL, ended=T + 300, outcome="rolled-back"
    )
    await store.update(failed)

    assert (await at(store, 305)).key.attempt == 2


@pytest.mark.parametrize("verdict", list(Outcome))
async def test_a_revision_that_comes_back_after_another_starts_anew(store, verdict):
    """Hashes are those of the content: what passed last week's rollout has not passed this one."""
    await store.update(replace(await asked_until(store, 300), verdict=verdict))
    await at(store, 320, replace(ASK, revision="def"))
    straggler = await at(store, 330)
    back = await at(store, 1200)

    assert straggler.key.attempt == 1
    assert back.key.attempt == 2
    assert (await store.release(1)).ended == T + 1200


async def test_a_rollouts_own_experiment_is_not_another_revision(store):
    """The experiment step between two questions of a rollout leaves the rollout as it is."""
    await asked_until(store, 300)
    await at(store, 320, replace(ASK, experiment=True))

    assert (await at(store, 1200)).key.attempt == 1


async def test_programs_may_judge_revisions_side_by_side(store):
    """Where no controller stands behind it, two undecided revisions are two jobs."""
    first, second = (
        replace(ASK, controller=Controller.API),
        replace(ASK, controller=Controller.API, revision="def"),
    )
    for seconds in range(0, 1000, 200):
        found = [await at(store, seconds, first), await at(store, seconds + 100, second)]

    assert [one.key.attempt for one in found] == [1, 1]


async def test_another_stable_version_is_another_comparison(store):
    """Evidence against one version says nothing of a rollout that replaces another."""
    await asked_until(store, 300)
    again = await at(store, 310, replace(ASK, arms={"canary": "abc", "main": "older"}))

    assert again.key.attempt == 2
    assert again.arms["main"] == "older"


async def test_another_canary_hash_of_one_revision_is_refused(store):
    """An experiment that does not say that it is one would be judged by the rollout's pods."""
    first = await at(store, 0)
    stray = replace(ASK, arms={"canary": "xyz", "baseline": "uvw", "main": "old"})

    assert (await at(store, 10, stray)).id == first.id
    assert "an experiment's analysis passes experiment" in releases.clash(first, stray)
    assert releases.clash(first, ASK) is None
    assert releases.clash(first, replace(stray, experiment=True)) is None


async def test_settings_of_another_version_that_cannot_be_read_open_a_new_attempt(store):
    """After an upgrade or its undoing a release goes on with fresh evidence, not with errors for ever."""
    await store.open(replace(await at(MemoryStore(), 0), parameters='{"later": 1}'))

    assert (await at(store, 10)).key.attempt == 2
