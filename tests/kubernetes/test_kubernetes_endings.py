"""How releases ended, by the state of their Rollouts and Canaries."""

from datetime import UTC, datetime

import pytest

from firedamp.errors import ClusterError
from firedamp.kubernetes import Finder
from firedamp.model import EXPERIMENT, Controller, ReleaseKey
from rolledout import T, release

CANARY = release(controller=Controller.FLAGGER)


def nothing_given(namespace, service):
    return None


@pytest.fixture
def finder(api):
    return Finder(api, nothing_given)


def at(seconds):
    return datetime.fromtimestamp(T + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ({"phase": "Progressing", "currentPodHash": "new", "stableRS": "old"}, None),
        ({"phase": "Paused", "currentPodHash": "new", "stableRS": "old"}, None),
        ({"phase": "Degraded", "currentPodHash": "new", "stableRS": "old"}, None),
        ({"phase": "Healthy", "currentPodHash": "new", "stableRS": "new"}, "promoted"),
        ({"phase": "Progressing", "currentPodHash": "newer", "stableRS": "new"}, "promoted"),
        ({"phase": "Degraded", "abort": True, "currentPodHash": "new", "stableRS": "old"}, "rolled-back"),
        ({"phase": "Healthy", "currentPodHash": "old", "stableRS": "old"}, "rolled-back"),
        ({"phase": "Progressing", "currentPodHash": "newer", "stableRS": "old"}, "superseded"),
        ({"phase": "Healthy", "currentPodHash": "newer", "stableRS": "newer"}, "superseded"),
        ({}, None),
    ],
    ids=[
        "progressing",
        "paused",
        "degraded",
        "healthy",
        "the next one begun",
        "aborted",
        "put back",
        "overtaken",
        "overtaken long ago",
        "no status yet",
    ],
)
async def test_a_rollout_tells_how_its_release_ended(cluster, finder, status, outcome):
    """What is stable was promoted, what was aborted or put back rolled back; a third version supersedes."""
    cluster.has("rollouts", "checkout", status=status)

    told = await finder.endings([release()])

    assert told == ({7: outcome} if outcome else {})


async def test_an_experiment_ends_with_its_rollout(cluster, finder):
    """Its revision is that of the rollout around it."""
    within = release(f"new{EXPERIMENT}", experiment=True)
    cluster.has("rollouts", "checkout", status={"currentPodHash": "new", "stableRS": "new"})

    assert await finder.endings([within]) == {7: "promoted"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ({"phase": "Progressing", "lastTransitionTime": at(60)}, None),
        ({"phase": "WaitingPromotion", "lastTransitionTime": at(60)}, None),
        ({"phase": "Succeeded", "lastTransitionTime": at(60)}, "promoted"),
        ({"phase": "Failed", "lastTransitionTime": at(60)}, "rolled-back"),
        ({"phase": "Succeeded", "lastTransitionTime": at(-60)}, None),
        ({"phase": "Failed"}, None),
        ({}, None),
    ],
    ids=["progressing", "waiting", "succeeded", "failed", "the one before", "no time", "no status"],
)
async def test_a_canary_tells_how_its_release_ended(cluster, finder, status, outcome):
    """Succeeded and Failed are ends, of a release that had begun by then."""
    cluster.has("canaries", "checkout", status=status)

    told = await finder.endings([CANARY])

    assert told == ({7: outcome} if outcome else {})


async def test_a_namespace_is_listed_once(cluster, finder):
    """However many releases are open, there is one list of their Rollouts."""
    many = [release(id=n, key=ReleaseKey("shop", f"service-{n}", "new", 1)) for n in range(5)]
    for n in range(5):
        cluster.has("rollouts", f"service-{n}", status={"currentPodHash": "new", "stableRS": "new"})

    told = await finder.endings(many)

    assert told == dict.fromkeys(range(5), "promoted")
    assert [path.rpartition("/")[2] for _, path in cluster.calls] == ["rollouts"]


async def test_long_lists_come_in_pages(cluster, finder):
    """A hundred at a time, up to the last one."""
    for number in range(250):
        cluster.has("rollouts", f"a-{number:03}")
    cluster.has("rollouts", "checkout", status={"currentPodHash": "new", "stableRS": "new"})

    assert await finder.endings([release()]) == {7: "promoted"}
    assert len(cluster.calls) == 3


async def test_a_kind_that_is_not_installed_has_no_objects(cluster, finder):
    """A cluster without Flagger has no Canaries, and that is no trouble."""
    cluster.installed = {"rollouts"}

    assert await finder.endings([CANARY]) == {}


async def test_who_cannot_be_told_is_left_open(cluster, finder):
    """Where two objects would do, neither's state is taken for the release's."""
    for name in ("one", "two"):
        cluster.has("rollouts", name, spec={"workloadRef": {"name": "checkout"}}, status={"stableRS": "new"})

    assert await finder.endings([release()]) == {}


async def test_an_object_that_went_tells_nothing(cluster, finder):
    """A Rollout that was deleted tells no end; its release ends by its age."""
    assert await finder.endings([release()]) == {}


async def test_what_cannot_be_read_is_an_error(cluster, finder):
    """An answer of another shape is not guessed at."""
    cluster.has("rollouts", "checkout", status={"currentPodHash": 5})

    with pytest.raises(ClusterError, match="cannot be read"):
        await finder.endings([release()])
