"""The end of releases that nobody reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from fakes import MemoryStore
from firedamp.errors import ClusterDownError, ClusterError
from firedamp.judge import Endings, Judge
from firedamp.model import EXPERIMENT, Controller, Outcome, Release
from judge.shop import ASK, PARAMETERS, ShopBook, ShopSource

FLAGGER = replace(ASK, controller=Controller.FLAGGER)
#: Decide-by of the shop, and the hour after which what nobody asks about is abandoned.
OLD = PARAMETERS.window.deadline_seconds + 3600.0


@dataclass
class FakeRollers:
    """`Rollers` that say the same of every release they are asked about, but for a forbidden namespace."""

    outcome: str | None = None
    trouble: ClusterError | None = None
    forbidden: str = ""
    asked: list[list[str]] = field(default_factory=list)

    async def endings(self, releases: Sequence[Release]) -> Mapping[int, str]:
        self.asked.append([one.key.revision for one in releases])
        if self.trouble is not None:
            raise self.trouble
        if releases[0].key.namespace == self.forbidden:
            raise ClusterError("Kubernetes: HTTP 403: rollouts is forbidden")
        return {one.id: self.outcome for one in releases} if self.outcome else {}


@pytest.fixture
def rollers():
    return FakeRollers()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def judge(store):
    return Judge(ShopBook(PARAMETERS), {"main": ShopSource()}, store)


@pytest.fixture
def endings(judge, store, rollers):
    return Endings(judge, store, rollers)


async def asked(judge, until=120.0, ask=ASK):
    """A release, asked about every half minute until then."""
    for now in range(0, int(until) + 1, 30):
        await judge.answer(ask, float(now))


async def test_what_is_still_asked_about_is_left_alone(judge, endings, rollers, store):
    """While its caller asks, a release goes on, whatever anybody else says."""
    rollers.outcome = "promoted"
    await asked(judge)

    await endings.look(150.0)

    assert (await store.release(1)).ended is None
    assert rollers.asked == []


async def test_the_end_that_its_object_tells_is_recorded(judge, endings, rollers, store):
    """A minute after the last question its Rollout is asked, and what it says is the outcome."""
    rollers.outcome = "rolled-back"
    await asked(judge)

    await endings.look(300.0)

    closed = await store.release(1)
    assert (closed.ended, closed.outcome) == (300.0, "rolled-back")
    (event,) = [one for one in await store.events() if one.kind == "outcome"]
    assert (event.by, event.text) == ("kubernetes", "rolled-back")


async def test_what_goes_on_is_left_open(judge, endings, rollers, store):
    """A paused Rollout asks nothing, and has not ended."""
    await asked(judge)

    await endings.look(1000.0)

    assert (await store.release(1)).ended is None
    assert rollers.asked == [["canary"]]


async def test_nobody_is_asked_when_nothing_is_open(endings, rollers):
    """Without open releases the cluster is left in peace."""
    await endings.look(1e6)

    assert rollers.asked == []


async def test_what_everybody_left_is_closed_by_its_age(judge, endings, store):
    """An hour after decide-by and after the last question it is abandoned, and not a second before."""
    await asked(judge)
    await endings.look(OLD)
    before = await store.release(1)

    await endings.look(OLD + 1.0)

    assert before.ended is None
    assert (await store.release(1)).outcome == "abandoned"


async def test_a_failed_release_that_everybody_left_was_rolled_back(judge, endings, store):
    """As when a retry closes it: nobody goes on with what was failed."""
    await asked(judge)
    await store.update(replace(await store.release(1), verdict=Outcome.FAIL))

    await endings.look(OLD + 1.0)

    assert (await store.release(1)).outcome == "rolled-back"


async def test_age_needs_no_cluster(judge, store):
    """Outside Kubernetes, and of pipelines, releases end by their age as well."""
    await asked(judge, ask=replace(ASK, controller=Controller.CI))

    await Endings(judge, store, None).look(OLD + 1.0)

    assert (await store.release(1)).outcome == "abandoned"


async def test_the_object_knows_better_than_the_age(judge, endings, rollers, store):
    """After a long absence of firedamp the Rollout still tells how it went."""
    rollers.outcome = "promoted"
    await asked(judge)

    await endings.look(OLD + 1.0)

    assert (await store.release(1)).outcome == "promoted"


async def test_a_cluster_in_trouble_keeps_nothing_from_ending_by_age(judge, endings, rollers, store):
    """The trouble is told, after the old ones were closed."""
    rollers.trouble = ClusterDownError("Kubernetes cannot be reached")
    await asked(judge)

    with pytest.raises(ClusterDownError):
        await endings.look(OLD + 1.0)

    assert (await store.release(1)).outcome == "abandoned"


async def test_one_forbidden_namespace_keeps_no_other_from_being_read(judge, endings, rollers, store):
    """Rights may end at namespaces; what may not be read is told, after the rest was closed."""
    rollers.outcome, rollers.forbidden = "promoted", "web"
    await asked(judge)
    ours = await store.release(1)
    await store.open(replace(ours, key=replace(ours.key, namespace="web")))

    with pytest.raises(ClusterError, match="forbidden"):
        await endings.look(300.0)

    assert [one.outcome for one in await store.releases()] == [None, "promoted"]


async def test_programs_have_nobody_to_be_asked(judge, endings, rollers):
    """What a pipeline rolls out has no object in the cluster."""
    await asked(judge, ask=replace(ASK, controller=Controller.CI))

    await endings.look(1000.0)

    assert rollers.asked == []


async def test_flaggers_next_release_ends_the_one_before(judge, endings, rollers, store):
    """Flagger judges one at a time, and its Canary tells of the newest only."""
    rollers.outcome = "promoted"
    await asked(judge, ask=FLAGGER)
    await judge.answer(replace(FLAGGER, revision="next"), 300.0)

    await endings.look(330.0)

    assert (await store.release(1)).outcome == "superseded"
    assert (await store.release(2)).ended is None
    assert rollers.asked == []


async def test_a_question_meanwhile_keeps_it_open(judge, store):
    """Who asks while the cluster is being read goes on with the release."""
    await asked(judge)
    left = await store.release(1)
    await judge.answer(ASK, 300.0)

    await judge.close_left(left, outcome="promoted", by="kubernetes", now=310.0)

    assert (await store.release(1)).ended is None


async def test_a_retry_meanwhile_is_not_closed_in_its_place(judge, store):
    """The next attempt of the same revision is another release."""
    await asked(judge)
    left = await store.release(1)
    await store.update(replace(left, verdict=Outcome.FAIL))
    await judge.answer(ASK, 300.0)

    await judge.close_left(left, outcome="promoted", by="kubernetes", now=310.0)

    assert [one.ended for one in await store.releases()] == [None, 300.0]


async def test_many_releases_are_read_page_by_page(judge, store, rollers):
    """All of them, however many are open."""
    for number in range(410):
        await judge.answer(replace(ASK, revision=f"r{number}"), 0.0)

    await Endings(judge, store, rollers).look(100.0)

    assert len(rollers.asked[0]) == 410


async def test_an_experiment_ends_with_the_rollout_around_it(judge, store):
    """A controller reports the end of the rollout; the experiment within it ended by then."""
    await judge.answer(replace(ASK, experiment=True), 0.0)
    await judge.answer(ASK, 30.0)

    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="argo", now=60.0)

    found = {one.key.revision: one.outcome for one in await store.releases()}
    assert found == {f"canary{EXPERIMENT}": "promoted", "canary": "promoted"}


async def test_a_rollout_of_an_experiment_alone_is_known_by_it(judge, store):
    """Where only the experiment asked, its release is the one that the rollout's end is about."""
    await judge.answer(replace(ASK, experiment=True), 0.0)

    ended = await judge.ended("shop", "checkout", "canary", outcome="rolled-back", by="argo", now=60.0)

    assert (ended.key.revision, ended.outcome) == (f"canary{EXPERIMENT}", "rolled-back")
