"""Every address, key and condition that we ship for Argo Rollouts, tried on the running application."""

import json
from urllib.parse import urlsplit

import pytest

from firedamp.model import Outcome, Question
from shipping.argo import analyses, json_path, phase, resolved
from shipping.manifests import named, objects, of_kind, shipped, title
from shipping.serving import BEARER, serving

ARGO = objects(*shipped("argo"))
QUESTIONS = of_kind(ARGO, "ClusterAnalysisTemplate")
ROLLOUTS = of_kind(ARGO, "Rollout")
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
