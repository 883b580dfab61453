"""The notifications that we ship for Argo Rollouts, sent to the running application."""

import pytest

from fakes import FakeJudge, MemoryStore
from rolledout import release
from shipping.manifests import TEMPLATES, named, objects
from shipping.notifying import body, entry, service, triggered
from shipping.serving import GATEKEEPER, serving

CONFIG = named(
    objects(TEMPLATES / "argo" / "notifications.yaml"), "ConfigMap", "argo-rollouts-notification-configmap"
)
ROLLOUT = {
    "metadata": {"name": "checkout", "namespace": "shop", "annotations": {"a": "b"}},
    "status": {"currentPodHash": "new", "stableRS": "old"},
}
ENDS = {"on-rollout-completed": "promoted", "on-rollout-aborted": "rolled-back"}


async def sent(client, trigger, rollout=ROLLOUT):
    """Everything that a trigger sends, as Argo's webhook does; the status of each."""
    receiver = service(CONFIG, "firedamp", {"firedamp-token": GATEKEEPER})
    headers = {one["name"]: one["value"] for one in receiver["headers"]}
    answers = []
    for template in triggered(CONFIG, trigger):
        webhook = entry(CONFIG, f"template.{template}")["webhook"]["firedamp"]
        data = body(webhook["body"], rollout)
        async with client.request(webhook["method"], webhook["path"], data=data, headers=headers) as answer:
            answers.append(answer.status)
    return answers


@pytest.mark.parametrize("trigger", ENDS)
async def test_an_end_is_recorded(trigger):
    """What Argo tells of completed and aborted Rollouts closes the release that their hash names."""
    store = MemoryStore()
    opened = await store.open(release())

    async with serving(FakeJudge(store)) as client:
        answers = await sent(client, trigger)

    assert answers == [200]
    assert (await store.release(opened.id)).outcome == ENDS[trigger]


def test_a_service_of_another_name_is_named_by_an_annotation():
    """Where the analyses pass another name than the Rollout's, so does the notification."""
    annotated = {**ROLLOUT["metadata"], "annotations": {"firedamp/service": "cart"}}
    bare = {"name": "search", "namespace": "shop"}

    bodies = [
        body(entry(CONFIG, "template.firedamp-promoted")["webhook"]["firedamp"]["body"], rollout)
        for rollout in ({**ROLLOUT, "metadata": annotated}, {**ROLLOUT, "metadata": bare})
    ]

    assert ['"service": "cart"' in bodies[0], '"service": "search"' in bodies[1]] == [True, True]


async def test_the_first_version_of_a_rollout_ends_nothing():
    """Nobody asked about it: that is refused, and what goes on elsewhere goes on."""
    store = MemoryStore()
    opened = await store.open(release())
    first = {**ROLLOUT, "status": {"currentPodHash": "first"}}

    async with serving(FakeJudge(store)) as client:
        answers = await sent(client, "on-rollout-completed", first)

    assert answers == [404]
    assert (await store.release(opened.id)).ended is None


@pytest.mark.parametrize("trigger", ENDS)
def test_ends_are_told_with_events_alone(trigger):
    """A condition would be tried upon every change of a Rollout, and tell of its end when it begins."""
    conditions = entry(CONFIG, f"trigger.{trigger}")

    assert [list(one) for one in conditions] == [["send"]]


def test_every_template_is_sent_and_every_one_sent_is_there():
    """Triggers and templates are the same set."""
    templates = {name.removeprefix("template.") for name in CONFIG["data"] if name.startswith("template.")}
    sends = {name for trigger in ENDS for name in triggered(CONFIG, trigger)}

    assert templates == sends
    assert {f"trigger.{one}" for one in ENDS} == {name for name in CONFIG["data"] if "trigger." in name}
