"""Every address and query that we ship for Flagger, tried on the running application."""

from urllib.parse import urlsplit

import pytest

from fakes import FakeJudge
from firedamp.model import Outcome
from shipping.manifests import TEMPLATES, named, objects, of_kind, shipped, title
from shipping.serving import BEARER, PATH_SECRET, serving

FLAGGER = objects(*shipped("flagger"))
CANARIES = of_kind(FLAGGER, "Canary")


def rendered(template, values):
    """A MetricTemplate's query as Flagger 1.44 renders and sends it: variables in, white space collapsed."""
    query = template["spec"]["query"]
    for name, value in values.items():
        query = query.replace(f"{{{{ {name} }}}}", value)
    return " " + " ".join(query.split())


@pytest.mark.parametrize("template", of_kind(FLAGGER, "MetricTemplate"), ids=title)
async def test_each_metric_template_is_answered(template, client, judge):
    """Flagger's provider sends GET with a leading blank and no time, and gets one element with a value."""
    query = rendered(template, {"namespace": "test", "name": "podinfo"})
    path = f"{urlsplit(template['spec']['provider']['address']).path}/api/v1/query"
    judge.says("inconclusive")

    async with client.get(
        path, params={"query": query}, headers={"Authorization": f"Bearer {BEARER}"}
    ) as answer:
        body = await answer.json()

    assert [one["value"][1] for one in body["data"]["result"]] == ["0.5"]
    assert judge.asked[0].question == template["metadata"]["name"].removeprefix("firedamp-")
    assert (judge.asked[0].namespace, judge.asked[0].service) == ("test", "podinfo")


async def test_flagger_finds_the_metrics_online(client):
    """Before it uses a template Flagger asks its address for vector(1)."""
    path = "/promql/api/v1/query?query=vector(1)"

    async with client.get(path, headers={"Authorization": f"Bearer {BEARER}"}) as answer:
        body = await answer.json()

    assert body["data"]["result"][0]["value"][1] == "1"


def hooks():
    for canary in CANARIES:
        for hook in canary["spec"]["analysis"]["webhooks"]:
            yield pytest.param(canary, hook, id=f"{title(canary)} {hook['name']}")


def payload(canary, hook):
    """What Flagger posts: always the same five fields."""
    event = {"eventMessage": "Advance podinfo.test canary weight 10", "eventType": "Normal", "timestamp": "1"}
    return {
        "name": canary["metadata"]["name"],
        "namespace": canary["metadata"]["namespace"],
        "phase": "Succeeded" if hook["type"] == "post-rollout" else "Progressing",
        "checksum": "85d557f47b",
        "metadata": event if hook["type"] == "event" else hook.get("metadata", {}),
    }


async def call(client, canary, hook, secret=PATH_SECRET):
    address = urlsplit(hook["url"].replace("PATH-SECRET", secret))
    async with client.post(f"{address.path}?{address.query}", json=payload(canary, hook)) as answer:
        return answer.status


#: Hook type -> statuses for pass, fail and undecided.
STATUSES = {
    "confirm-rollout": (200, 200, 200),
    "pre-rollout": (200, 403, 200),
    "rollout": (200, 403, 200),
    "confirm-traffic-increase": (200, 403, 403),
    "confirm-promotion": (200, 403, 403),
    "post-rollout": (200, 200, 200),
    "event": (200, 200, 200),
    "rollback": (403, 200, 403),
}


@pytest.mark.parametrize(("canary", "hook"), list(hooks()))
async def test_each_hook_is_answered_as_its_type_asks(canary, hook):
    """Each address of each Canary answers pass, fail and undecided with the statuses of its hook type."""
    gate = "/gate/" in hook["url"] or "/rollback/" in hook["url"]
    found = []
    for outcome in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE):
        judge = FakeJudge().says(outcome, rollback=outcome is Outcome.FAIL)
        async with serving(judge) as client:
            found.append(await call(client, canary, hook))

    # Gates ask no judge: they are closed until a person opens them.
    assert tuple(found) == ((403, 403, 403) if gate else STATUSES[hook["type"]])


@pytest.mark.parametrize(("canary", "hook"), list(hooks()))
async def test_a_wrong_path_secret_never_rolls_back_or_promotes(canary, hook, client):
    """Without the right secret every hook is refused, the rollback hook too."""
    status = await call(client, canary, hook, secret="fdp_guessed")

    assert 400 <= status < 500


async def test_a_person_opens_the_gates_as_the_comments_say(client):
    """The commands in the comments open and close what the hooks below them check."""
    canary = named(CANARIES, "Canary", "podinfo-bg")
    person, order = [
        next(one for one in canary["spec"]["analysis"]["webhooks"] if one["name"] == name)
        for name in ("a-person-promotes", "a-person-rolls-back")
    ]
    seen = []
    for path, body in commands():
        async with client.post(path, data=body) as answer:
            assert answer.status == 202
        seen.append((await call(client, canary, person), await call(client, canary, order)))

    assert seen == [(200, 403), (403, 403), (403, 200)]


def commands():
    """Path and body of each curl in the comments of canary-with-gates.yaml."""
    text = (TEMPLATES / "flagger" / "canary-with-gates.yaml").read_text(encoding="utf-8")
    comments = " ".join(line.lstrip("# ").rstrip("\\") for line in text.splitlines() if line.startswith("#"))
    for one in comments.split("curl -X POST ")[1:]:
        address, _, rest = one.partition("-d '")
        path = address.strip().strip('"').removeprefix("$FIREDAMP").replace("PATH-SECRET", PATH_SECRET)
        yield path, rest.partition("'")[0]
