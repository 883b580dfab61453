"""What the chart lets firedamp do with a real API server, and what becomes of its token."""

import asyncio
from functools import partial

import pytest

from e2e.accounts import SERVICE_ACCOUNT, token
from e2e.api import EVENT, ROLLOUT, Api, Kind
from e2e.builds import KUBE
from e2e.cluster import TOKEN, Cluster
from e2e.controllers import crds
from e2e.installed import objects
from e2e.stage import SECRET, defined, until
from firedamp import kubernetes, words
from firedamp.errors import ClusterError
from firedamp.kubernetes import Events, Finder, Place
from firedamp.model import ReleaseKey
from firedamp.ports import News, Turn
from real.gobuild import Missing
from rolledout import T, release

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

FAILED = News(release(), Turn.FAILED, "errors: 5.1 % against 1.0 % of main", T + 120)
LINK = partial(words.permalink, "https://firedamp.example.com/")
REVIEW = Kind("authorization.k8s.io/v1", "SubjectAccessReview")
RIGHTS = [
    Kind("rbac.authorization.k8s.io/v1", name)
    for name in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
]
#: What is asked for in the chart's values, and in which namespace it is granted.
BOTH = {"events": True, "endings": True, "namespaces": ["shop"]}
CHECKOUT = {
    "apiVersion": ROLLOUT.api,
    "kind": ROLLOUT.name,
    "metadata": {"name": "checkout", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "checkout"}},
        "template": {
            "metadata": {"labels": {"app": "checkout"}},
            "spec": {"containers": [{"name": "checkout", "image": "checkout:v1"}]},
        },
        "strategy": {"canary": {}},
    },
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster that knows Rollouts; nobody runs pods in it."""
    programs = KUBE.build()
    if isinstance(programs, Missing):
        pytest.skip(programs.reason)
    with Cluster(programs / "kube", tmp_path_factory.mktemp("cluster")) as found:

        async def begun():
            async with Api(found.url, found.authority, TOKEN) as api:
                await defined(api, crds())

        asyncio.run(begun())
        yield found


@pytest.fixture
async def api(cluster):
    """A client that may do everything, where there is the Rollout that a release is rolled out by."""
    async with Api(cluster.url, cluster.authority, TOKEN) as client:
        for name in ("shop", "web", "firedamp"):
            await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        await client.apply(CHECKOUT)
        yield client
        await client.delete(ROLLOUT, "checkout", "shop")


async def granted(api, values):
    """The rights of firedamp as the chart gives them for these values, and no others."""
    for kind in RIGHTS:
        for one in await api.list(kind, **{"app.kubernetes.io/name": "firedamp"}):
            await api.delete(kind, one["metadata"]["name"], one["metadata"].get("namespace", ""))
    made = objects({"kubernetes": values}, "firedamp")
    await api.apply_all(one for one in made if Kind.of(one) in (SERVICE_ACCOUNT, *RIGHTS))


async def given(api, folder, secret):
    """The file with a token of firedamp's, good for as long as this Secret is there."""
    about = {"name": secret, "namespace": "firedamp"}
    made = await api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": about})
    bound = {"apiVersion": "v1", "kind": "Secret", "name": secret, "uid": made["metadata"]["uid"]}
    file = folder / "token"
    file.write_text(await token(api, "firedamp", "firedamp", bound))
    return file


async def may(api, verb, group, resource, namespace="shop"):
    """Whether the API server lets firedamp do that."""
    asked = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
    spec = {"user": "system:serviceaccount:firedamp:firedamp", "resourceAttributes": asked}
    found = await api.create({"apiVersion": REVIEW.api, "kind": REVIEW.name, "metadata": {}, "spec": spec})
    return found["status"]["allowed"]


@pytest.fixture
async def asking(api, cluster, tmp_path):
    """Firedamp's own client, as its account."""
    await granted(api, BOTH)
    place = Place(cluster.url, await given(api, tmp_path, "first"), cluster.authority)
    client = kubernetes.Api(place, seconds=5.0)
    yield client
    await client.close()


def by_name(namespace, service):
    return None


async def test_its_rights_are_what_it_does(api):
    """Events to write, Rollouts and Canaries to read, in the namespaces that were named."""
    await granted(api, BOTH)

    allowed = {
        (verb, resource): await may(api, verb, group, resource)
        for group, resource in (("", "events"), ("argoproj.io", "rollouts"), ("flagger.app", "canaries"))
        for verb in ("create", "patch", "get", "list", "delete")
    }
    elsewhere = [await may(api, "list", "argoproj.io", "rollouts", name) for name in ("web", "")]

    assert {key for key, value in allowed.items() if value} == {
        ("create", "events"),
        ("patch", "events"),
        ("get", "rollouts"),
        ("list", "rollouts"),
        ("get", "canaries"),
        ("list", "canaries"),
    }
    assert elsewhere == [False, False]


async def test_ends_alone_take_lists_alone(api, cluster, tmp_path):
    """Where no events are wanted, listing Rollouts is all that it may do, and it is enough."""
    await granted(api, {"endings": True})
    await api.merge(CHECKOUT, {"status": {"stableRS": "new", "currentPodHash": "new"}}, "status")
    client = kubernetes.Api(
        Place(cluster.url, await given(api, tmp_path, "ends"), cluster.authority), seconds=5.0
    )

    ends = await Finder(client, by_name).endings([release()])
    await client.close()

    assert ends == {7: "promoted"}
    assert not await may(api, "get", "argoproj.io", "rollouts")


async def test_an_event_is_written_and_counted(api, asking):
    """The second time it is the same one, as the server itself counts and finds it for `kubectl describe`."""
    events = Events(asking, Finder(asking, by_name), LINK)

    await events.tell(FAILED)
    await events.tell(FAILED)

    uid = (await api.get(ROLLOUT, "checkout", "shop"))["metadata"]["uid"]
    about = {"involvedObject.kind": "Rollout", "involvedObject.uid": uid}
    [event] = await api.list(EVENT, "shop", about)
    assert (event["count"], event["reason"], event["type"]) == (2, "VerdictFail", "Warning")
    assert (
        event["message"]
        == "fail: errors: 5.1 % against 1.0 % of main https://firedamp.example.com/releases/7"
    )


async def test_a_renewed_token_is_taken_up(api, asking, tmp_path):
    """Once the API server knows a token no longer, that in the file is the one that counts."""
    finder = Finder(asking, by_name)
    assert await finder.of(release())

    await api.delete(SECRET, "first", "firedamp")
    await until(lambda: refused(finder), 30.0)
    await given(api, tmp_path, "second")

    _, found = await finder.of(release())
    assert found.metadata.name == "checkout"


async def refused(finder):
    """What the API server says to a token that it no longer knows."""
    try:
        await finder.of(release())
    except ClusterError as error:
        return "401" in str(error)
    return False


async def test_what_it_may_not_is_told_in_the_words_of_the_server(asking):
    """In a namespace that nobody named: who may not do what, for the log."""
    elsewhere = release(key=ReleaseKey("web", "checkout", "new", 1))

    with pytest.raises(ClusterError, match=r'cannot get resource "rollouts" in API group "argoproj\.io"'):
        await Finder(asking, by_name).of(elsewhere)
