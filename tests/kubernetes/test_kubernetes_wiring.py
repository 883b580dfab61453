"""From the settings to the cluster and back, with the parts put together as the server does."""

import asyncio

import pytest

from fakekube import FakeKubernetes, listening
from firedamp import telemetry
from firedamp.config.load import parse
from firedamp.wiring import closing, living
from rolledout import T, release


@pytest.fixture
async def settings(tmp_path):
    """Both switched on, for a cluster behind a proxy on loopback."""
    cluster = FakeKubernetes(token=None)
    async with listening(cluster) as url:
        data = {
            "public_url": "https://firedamp.example.com",
            "store": {"url": f"sqlite:///{tmp_path}/firedamp.db"},
            "kubernetes": {"events": True, "endings": True, "url": url},
            "services": [{"name": "checkout", "namespace": "shop", "released_by": "web"}],
        }
        yield cluster, parse(data, "test")


async def test_an_end_that_the_rollout_tells_is_recorded_and_written_on_it(settings):
    """A release whose Rollout is promoted is closed, and the Rollout says so with the permalink."""
    cluster, written = settings
    cluster.has("rollouts", "web", status={"currentPodHash": "new", "stableRS": "new"})
    async with living(written, in_cluster=True) as alive:
        opened = await alive.store.open(release())

        await alive.endings.look(T + 300)
        await alive.judge.settled()

        assert (await alive.store.release(opened.id)).outcome == "promoted"
    (event,) = cluster.events.values()
    assert event["involvedObject"]["name"] == "web"
    assert event["message"] == "the release ended: promoted https://firedamp.example.com/releases/1"


async def test_ends_are_looked_for_again_and_again(settings):
    """A cluster that refuses once is noted, and asked again at the next time."""
    cluster, written = settings
    cluster.has("rollouts", "web", status={"currentPodHash": "new", "stableRS": "new"})
    cluster.trouble = [403]
    async with living(written, in_cluster=True) as alive:
        opened = await alive.store.open(release())
        async with asyncio.timeout(10), closing(alive, clock=lambda: T + 300, every_seconds=0.01):
            while (await alive.store.release(opened.id)).ended is None:
                await asyncio.sleep(0.01)
            seen = telemetry.WORKED[telemetry.Work.ENDINGS]

    assert seen.why == "the Kubernetes API did not do it"


async def test_commands_leave_the_cluster_to_the_server(settings):
    """Whoever judges at a command line asks nothing of Kubernetes, whatever the settings say."""
    cluster, written = settings
    async with living(written) as alive:
        await alive.store.open(release())

        await alive.judge.ended("shop", "checkout", "new", outcome="promoted", by="me", now=T)
        await alive.endings.look(T + 300)
        await alive.judge.settled()

    assert cluster.calls == []


async def test_what_is_being_written_when_the_server_leaves_is_given_up(settings):
    """A cluster that hangs holds nobody up."""
    cluster, written = settings
    cluster.delay_seconds = 3600.0
    async with asyncio.timeout(5), living(written, in_cluster=True) as alive:
        await alive.store.open(release())
        await alive.judge.ended("shop", "checkout", "new", outcome="promoted", by="me", now=T)

    assert cluster.events == {}
