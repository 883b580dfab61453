"""
Every address, key and condition in the YAML we ship, tried on the running application.

The application is the real one, tokens included; only the judge behind it says what it is told.
"""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import helm_python
import pytest
from aiohttp.test_utils import TestClient, TestServer

from fakes import FakeJudge, MemoryStore
from firedamp.access import digest
from firedamp.config.load import load
from firedamp.model import Outcome, Question
from firedamp.ports import Token
from firedamp.server import create_app
from shipping.argo import analyses, json_path, phase, resolved
from shipping.manifests import CHART, TEMPLATES, named, objects, of_kind, parsed, shipped, title

BEARER, PATH_SECRET = "fd_a-bearer-token-for-tests", "fdp_a-path-secret-for-tests"
ARGO = objects(*shipped("argo"))
FLAGGER = objects(*shipped("flagger"))
QUESTIONS = of_kind(ARGO, "ClusterAnalysisTemplate")
ROLLOUTS = of_kind(ARGO, "Rollout")
CANARIES = of_kind(FLAGGER, "Canary")
SETTINGS = load(TEMPLATES / "settings.yaml", {})
#: Template -> what it asks.
ASKS = {
    "firedamp-background": Question.GUARD,
    "firedamp-advance": Question.ADVANCE,
    "firedamp-promote": Question.PROMOTE,
    "firedamp-experiment": Question.PROMOTE,
}
#: What Argo finds for arguments that have no value in the YAML.
FOUND = {
    "namespace": "shop",
    "stable-hash": "5d8c7b9f64",
    "main-hash": "5d8c7b9f64",
    "canary-hash": "7f6b8c9d55",
    "revision": "7f6b8c9d55",
    "baseline-hash": "6c7d8e9f00",
    "step": "3",
}


@pytest.fixture
def judge():
    return FakeJudge()


@asynccontextmanager
async def serving(judge):
    store = MemoryStore()
    await store.add_token(Token(name="argo", digest=digest(BEARER), role="asker"))
    await store.add_token(Token(name="flagger", digest=digest(PATH_SECRET), role="gatekeeper", path=True))
    async with TestClient(TestServer(create_app(SETTINGS, store, judge))) as client:
        yield client


@pytest.fixture
async def client(judge):
    async with serving(judge) as running:
        yield running


def asked_by_argo():
    """Each analysis of each Rollout: its arguments, with what Argo finds put in."""
    for rollout in ROLLOUTS:
        for place, template, arguments in analyses(rollout):
            given = {name: FOUND[name] if value is None else value for name, value in arguments.items()}
            baseline, canary = (
                "{{templates.baseline.podTemplateHash}}",
                "{{templates.canary.podTemplateHash}}",
            )
            hashes = {baseline: "6c7d8e9f00", canary: "8f9e0d1c22"}
            filled = {name: hashes.get(value, value) for name, value in given.items()}
            yield pytest.param(template, filled, id=f"{title(rollout)} {place}")


def metric_of(template, arguments):
    (metric,) = resolved(
        named(QUESTIONS, "ClusterAnalysisTemplate", template), {**arguments, "firedamp-token": BEARER}
    )
    return metric


async def ask(client, web):
    """Send what Argo's web metric would send."""
    headers = {one["key"]: one["value"] for one in web["headers"]}
    path = urlsplit(web["url"]).path
    async with client.request(web["method"], path, json=web["jsonBody"], headers=headers) as answer:
        return answer.status, json.loads(await answer.read())


@pytest.mark.parametrize(("template", "arguments"), list(asked_by_argo()))
async def test_each_analysis_is_understood(template, arguments, client, judge):
    """The body of every analysis of every example is a well-formed question about what the example means."""
    web = metric_of(template, arguments)["provider"]["web"]

    status, _ = await ask(client, web)

    assert status == 200
    (put,) = judge.asked
    assert (put.namespace, put.service) == ("shop", arguments["service-name"])
    assert put.question == ASKS[template]
    assert put.revision == "7f6b8c9d55"
    assert put.arms["main"] == "5d8c7b9f64"
    assert put.arms["canary"] == arguments["canary-hash"]
    assert put.experiment == (template == "firedamp-experiment")
    assert put.weight == (float(arguments["weight"]) / 100 if arguments.get("weight") else None)
    assert put.step == (arguments.get("step") or None)


@pytest.mark.parametrize(("template", "arguments"), list(asked_by_argo()))
async def test_each_answer_becomes_its_phase(template, arguments, judge):
    """What the application says in its three ways is what Argo should do, through path and conditions."""
    metric = metric_of(template, arguments)
    undecided = "Successful" if template == "firedamp-background" else "Inconclusive"
    judge.says(*Outcome)

    async with serving(judge) as client:
        answers = [(await ask(client, metric["provider"]["web"]))[1] for _ in Outcome]

    results = [json_path(answer, metric["provider"]["web"]["jsonPath"]) for answer in answers]
    assert [phase(metric, result) for result in results] == ["Successful", "Failed", undecided]


@pytest.mark.parametrize(("template", "arguments"), list(asked_by_argo()))
async def test_trouble_of_ours_is_never_a_failure(template, arguments, client, judge):
    """When the judge breaks down, no example rolls anything back."""
    judge.trouble = RuntimeError("disk full")
    metric = metric_of(template, arguments)

    status, answer = await ask(client, metric["provider"]["web"])

    assert status == 200
    assert phase(metric, json_path(answer, metric["provider"]["web"]["jsonPath"])) != "Failed"


async def test_an_experiment_names_all_three_groups(client, judge):
    """The experiment's question has main, baseline and canary, all different, and the Rollout's revision."""
    arguments = {**FOUND, "service-name": "shop", "canary-hash": "8f9e0d1c22", "weight": "5"}

    await ask(client, metric_of("firedamp-experiment", arguments)["provider"]["web"])

    assert judge.asked[0].arms == {"main": "5d8c7b9f64", "baseline": "6c7d8e9f00", "canary": "8f9e0d1c22"}
    assert judge.asked[0].question is Question.PROMOTE


async def test_without_the_token_nobody_is_answered(client):
    """The token in the template's header is what opens the door."""
    web = metric_of("firedamp-background", {**FOUND, "service-name": "shop"})["provider"]["web"]

    status, _ = await ask(client, {**web, "headers": []})

    assert status == 401


async def test_the_prometheus_metric_of_argo_works(judge):
    """Argo's prometheus provider posts a form; 1, 0 and 0.5 become the three phases."""
    metric = metric_of("firedamp-promote-prometheus", {**FOUND, "service-name": "shop"})
    prometheus = metric["provider"]["prometheus"]
    headers = {one["key"]: one["value"] for one in prometheus["headers"]}
    path = f"{urlsplit(prometheus['address']).path}/api/v1/query"
    judge.says(*Outcome)
    results = []

    async with serving(judge) as client:
        for _ in Outcome:
            form = {"query": prometheus["query"], "time": "1.7e9"}
            async with client.post(path, data=form, headers=headers) as answer:
                body = await answer.json()
            results.append([float(one["value"][1]) for one in body["data"]["result"]])

    assert [phase(metric, result) for result in results] == ["Successful", "Failed", "Inconclusive"]
    assert judge.asked[0].revision == "7f6b8c9d55"


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


def test_the_settings_know_every_service_of_the_examples():
    """Firedamp with settings.yaml has a service for each Rollout and Canary, with checks to judge it by."""
    wanted = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in [*ROLLOUTS, *CANARIES]}
    known = {(one.namespace, one.name) for one in SETTINGS.services if one.checks}

    assert wanted == known


async def test_the_helm_test_passes(judge):
    """The script of `helm test` is content with a running firedamp that does not know its service."""
    judge.says("inconclusive", sentence="service helm-test is unknown")
    async with serving(judge) as client:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CHART / "files" / "ask.py"),
            env={
                **os.environ,
                "FIREDAMP_URL": str(client.make_url("")),
                "FIREDAMP_TOKEN": f"{BEARER} role=asker",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert "inconclusive: service helm-test is unknown" in output.decode()


async def test_what_the_chart_points_to_is_there(client):
    """The paths of probes, ServiceMonitor and Ingress are answered, without a token."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render({"serviceMonitor": {"enabled": True}, "ingress": {"enabled": True}})
    found = [one for name, text in files.items() if name.endswith(".yaml") for one in parsed(text)]
    (server,) = of_kind(found, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    probed = [server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]
    scraped = [one["path"] for one in of_kind(found, "ServiceMonitor")[0]["spec"]["endpoints"]]
    shown = [one["path"] for one in of_kind(found, "Ingress")[0]["spec"]["rules"][0]["http"]["paths"]]

    below = {"/releases": "/releases/1", "/static": "/static/firedamp.css"}
    answers = {path: await status(client, below.get(path, path)) for path in [*probed, *scraped, *shown]}

    assert probed == ["/startupz", "/livez", "/readyz"]
    # One logs out by POST; pages lead a stranger to the login.
    assert answers == {path: 405 if path == "/logout" else 200 for path in answers}


async def status(client, path):
    """Status of a GET, after the redirect to the login where there is one."""
    async with client.get(path) as answer:
        return answer.status
