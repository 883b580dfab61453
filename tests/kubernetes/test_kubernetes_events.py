"""News of a release as events on its Rollout or Canary."""

from dataclasses import replace
from functools import partial

import pytest

from firedamp import telemetry, words
from firedamp.errors import ClusterError
from firedamp.kubernetes import Events, Finder
from firedamp.model import Controller, Mode
from firedamp.ports import News, Turn
from rolledout import T, release
from shipping.manifests import faults

FAILED = News(release(), Turn.FAILED, "errors: 5.1 % against 1.0 % of main; found after 2 min", T + 120)
CANARY = release(controller=Controller.FLAGGER)
LINK = partial(words.permalink, "https://firedamp.example.com/")


def nothing_given(namespace, service):
    return None


@pytest.fixture
def events(api):
    return Events(api, Finder(api, nothing_given), LINK)


def written(cluster):
    (event,) = cluster.events.values()
    return event


async def test_a_verdict_is_written_on_the_rollout(cluster, events):
    """It is about the Rollout by its uid, as `kubectl describe` looks for it, and says why and where."""
    cluster.has("rollouts", "checkout")

    await events.tell(FAILED)

    event = written(cluster)
    assert event["involvedObject"] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "namespace": "shop",
        "name": "checkout",
        "uid": "uid-of-checkout",
    }
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "VerdictFail", 1)
    assert event["message"] == (
        "fail: errors: 5.1 % against 1.0 % of main; found after 2 min https://firedamp.example.com/releases/7"
    )
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2023-11-14T22:15:20Z"
    assert event["source"] == {"component": "firedamp"}


async def test_an_event_is_one_by_the_schema(cluster, events):
    """Every field is one that Kubernetes knows, of the type that it has there."""
    cluster.has("rollouts", "checkout")

    await events.tell(FAILED)

    assert faults(written(cluster)) == []


async def test_a_verdict_is_written_on_the_canary(cluster, events):
    """A release that Flagger rolls out has its event on the Canary."""
    cluster.has("canaries", "checkout")

    await events.tell(replace(FAILED, release=CANARY))

    about = written(cluster)["involvedObject"]
    assert (about["apiVersion"], about["kind"]) == ("flagger.app/v1beta1", "Canary")


@pytest.mark.parametrize(
    ("turn", "sentence", "kind", "reason", "message"),
    [
        (Turn.PASSED, "harm is excluded", "Normal", "VerdictPass", "pass: harm is excluded"),
        (Turn.UNDECIDED, "wait", "Warning", "VerdictUndecided", "inconclusive: wait"),
        (Turn.ENDED, "promoted", "Normal", "ReleaseEnded", "the release ended: promoted"),
        (Turn.ENDED, "rolled-back", "Warning", "ReleaseEnded", "the release ended: rolled-back"),
    ],
)
async def test_each_turn_has_its_words(cluster, events, turn, sentence, kind, reason, message):
    """What a person has to look at is a warning, the rest is normal."""
    cluster.has("rollouts", "checkout")

    await events.tell(replace(FAILED, turn=turn, sentence=sentence))

    event = written(cluster)
    assert (event["type"], event["reason"]) == (kind, reason)
    assert event["message"] == f"{message} https://firedamp.example.com/releases/7"


@pytest.mark.parametrize(
    ("mode", "turn", "beginning"),
    [
        (Mode.SHADOW, Turn.FAILED, "shadow mode, nothing is stopped; fail:"),
        (Mode.SHADOW, Turn.PASSED, "shadow mode, nothing waits for this; pass:"),
        (Mode.HOLD, Turn.PASSED, "the service is held; pass:"),
        (Mode.HOLD, Turn.FAILED, "fail:"),
        (Mode.HOLD, Turn.ENDED, "the release ended:"),
    ],
)
async def test_what_the_verdict_is_worth_is_said(cluster, events, mode, turn, beginning):
    """In shadow mode, or held, nobody has to wonder why nothing follows; a fail holds for what is held."""
    cluster.has("rollouts", "checkout")

    await events.tell(replace(FAILED, mode=mode, turn=turn))

    assert written(cluster)["message"].startswith(beginning)


async def test_the_same_is_counted_and_not_multiplied(cluster, events):
    """Told three times it is one event with the newest sentence, and only create and patch are used."""
    cluster.has("rollouts", "checkout")
    for minute in range(3):
        await events.tell(replace(FAILED, sentence=f"{minute} errors", at=T + 60 * minute))

    event = written(cluster)
    assert event["count"] == 3
    assert (event["firstTimestamp"], event["lastTimestamp"]) == (
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:15:20Z",
    )
    assert event["message"].startswith("fail: 2 errors")
    assert {method for method, path in cluster.calls if "/events" in path} == {"POST", "PATCH"}


async def test_another_attempt_is_another_event(cluster, events):
    """A retry has the same revision, and what is told of it is news."""
    cluster.has("rollouts", "checkout")
    again = replace(FAILED.release, key=replace(FAILED.release.key, attempt=2))

    await events.tell(FAILED)
    await events.tell(replace(FAILED, release=again))

    assert [event["count"] for event in cluster.events.values()] == [1, 1]


async def test_an_event_that_expires_meanwhile_is_let_go(cluster, events):
    """Between two calls the server may forget an event; then nothing is left to count, and nothing fails."""
    cluster.has("rollouts", "checkout")
    await events.tell(FAILED)
    cluster.forgetful = True

    await events.tell(FAILED)

    assert cluster.events == {}


async def test_a_long_name_leaves_room_for_the_digest(cluster, events):
    """The name of an event is at most 253 characters, and none that Kubernetes would refuse."""
    name = f"{'a' * 235}-{'b' * 17}"
    cluster.has("rollouts", name)
    key = replace(FAILED.release.key, service=name)

    await events.tell(replace(FAILED, release=replace(FAILED.release, key=key)))

    made = written(cluster)["metadata"]["name"]
    assert len(made) <= 253
    assert made.startswith("a" * 235 + ".")


async def test_a_long_sentence_is_cut_and_keeps_its_link(cluster, events):
    """The link is the last word however long the sentence is."""
    cluster.has("rollouts", "checkout")

    await events.tell(replace(FAILED, sentence="so many errors " * 100))

    message = written(cluster)["message"]
    assert len(message) <= 600
    assert message.endswith("… https://firedamp.example.com/releases/7")


@pytest.mark.parametrize(
    "spec",
    [
        {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}},
        {"strategy": {"canary": {"stableService": "checkout", "canaryService": "checkout-canary"}}},
        {"strategy": {"blueGreen": {"activeService": "checkout", "previewService": "checkout-preview"}}},
    ],
    ids=["workload", "canary", "blueGreen"],
)
async def test_a_rollout_of_another_name_is_found(cluster, events, spec):
    """By its workload or its Services, where no Rollout has the service's name."""
    cluster.has("rollouts", "unlike", spec={"workloadRef": {"name": "cart"}})
    cluster.has("rollouts", "roller", spec=spec)

    await events.tell(FAILED)

    assert written(cluster)["involvedObject"]["name"] == "roller"


@pytest.mark.parametrize(
    "spec",
    [{"targetRef": {"name": "checkout"}}, {"targetRef": {"name": "x"}, "service": {"name": "checkout"}}],
    ids=["target", "service"],
)
async def test_a_canary_of_another_name_is_found(cluster, events, spec):
    """By its target or its Service."""
    cluster.has("canaries", "roller", spec=spec)

    await events.tell(replace(FAILED, release=CANARY))

    assert written(cluster)["involvedObject"]["name"] == "roller"


async def test_the_name_of_the_settings_counts_alone(cluster, api):
    """Where the settings name the object, others that would do are none."""
    cluster.has("rollouts", "checkout")
    cluster.has("rollouts", "web")
    named = Events(api, Finder(api, lambda _, service: "web" if service == "checkout" else None), LINK)

    await named.tell(FAILED)

    assert written(cluster)["involvedObject"]["name"] == "web"


@pytest.mark.parametrize(
    ("names", "seen"), [((), "nothing"), (("one", "two"), "one and two")], ids=["none", "two"]
)
async def test_who_cannot_be_told_is_not_guessed(cluster, events, names, seen):
    """Without an object, or with two, nothing is written, and the remedy is told and the failure counted."""
    for name in names:
        cluster.has("rollouts", name, spec={"workloadRef": {"name": "checkout"}})
    before = telemetry.CLUSTER_EVENTS.labels("failed").collect()[0].samples[0].value

    with pytest.raises(ClusterError, match=f"cannot be told: {seen} goes by that name; set released_by"):
        await events.tell(FAILED)
    assert cluster.events == {}
    assert telemetry.CLUSTER_EVENTS.labels("failed").collect()[0].samples[0].value == before + 1


@pytest.mark.parametrize("service", ["..", "../secrets", "Checkout", "a" * 254, "x?y", ""])
async def test_names_that_lead_elsewhere_are_not_asked_for(cluster, events, service):
    """A name from outside is never a part of an address, unless Kubernetes could have given it."""
    key = replace(FAILED.release.key, service=service)

    with pytest.raises(ClusterError, match="no name that Kubernetes gives"):
        await events.tell(replace(FAILED, release=replace(FAILED.release, key=key)))
    assert cluster.calls == []
