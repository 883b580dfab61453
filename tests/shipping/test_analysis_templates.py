"""The YAML in `analysis_templates`: valid by the schemas of its kinds, and consistent in itself."""

import re

import pytest
import yaml

from firedamp.units import seconds
from shipping.argo import analyses, defaults, phase, required, resolved
from shipping.manifests import TEMPLATES, faults, named, objects, of_kind, shipped, title

ARGO = objects(*shipped("argo"))
FLAGGER = objects(*shipped("flagger"))
QUESTIONS = of_kind(ARGO, "ClusterAnalysisTemplate")
ROLLOUTS = of_kind(ARGO, "Rollout")
CANARIES = of_kind(FLAGGER, "Canary")
HOOKS = (
    "confirm-rollout", "pre-rollout", "rollout", "confirm-traffic-increase",
    "confirm-promotion", "post-rollout", "rollback", "event",
)  # fmt: skip


@pytest.mark.parametrize("one", [*ARGO, *FLAGGER], ids=title)
def test_every_object_is_valid(one):
    """Every object satisfies the schema of its kind, with no field that the kind does not know."""
    assert faults(one) == []


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        ("Rollout", "shop", ("spec", "strategy", "canary", "steps", 0, "experiment")),
        ("ClusterAnalysisTemplate", "firedamp-advance", ("spec", "metrics", 0, "provider", "web")),
        ("VirtualService", "shop", ("spec", "http", 0)),
        ("Service", "shop", ("spec", "ports", 0)),
    ],
)
def test_a_misspelt_field_is_found(kind, name, path):
    """The validation is strict: one unknown field anywhere makes an object invalid."""
    spoiled = yaml.safe_load(yaml.safe_dump(named(ARGO, kind, name)))
    place = spoiled
    for step in path:
        place = place[step]
    place["tpyo"] = "x"

    assert any("tpyo" in fault for fault in faults(spoiled))


@pytest.mark.parametrize("rollout", ROLLOUTS, ids=title)
def test_rollouts_pass_what_the_templates_need(rollout):
    """Each analysis names a template we ship, with all arguments it needs and none it does not know."""
    for place, name, arguments in analyses(rollout):
        template = named(QUESTIONS, "ClusterAnalysisTemplate", name)
        known = {one["name"] for one in template["spec"]["args"]}

        assert required(template) <= set(arguments) <= known, f"{place}: {name}"


@pytest.mark.parametrize("rollout", ROLLOUTS, ids=title)
def test_experiments_are_judged_by_their_own_template_and_steps_are_not(rollout):
    """Only an experiment needs an analysis that must not end undecided."""
    for place, name, _ in analyses(rollout):
        assert (name == "firedamp-experiment") == place.startswith("experiment"), place


@pytest.mark.parametrize("rollout", ROLLOUTS, ids=title)
def test_weighted_pods_declare_their_ports(rollout):
    """Without ports Argo writes destinations with an empty host for a weighted experiment."""
    containers = rollout["spec"]["template"]["spec"]["containers"]

    assert all(container["ports"] for container in containers)


@pytest.mark.parametrize("rollout", ROLLOUTS, ids=title)
def test_the_weight_told_is_the_weight_set(rollout):
    """An analysis after setWeight tells firedamp just that weight."""
    weight = None
    for step in rollout["spec"]["strategy"].get("canary", {}).get("steps", ()):
        weight = step.get("setWeight", weight)
        told = {one["name"]: one.get("value") for one in step.get("analysis", {}).get("args", ())}

        assert "weight" not in told or told["weight"] == str(weight)


@pytest.mark.parametrize("rollout", ROLLOUTS, ids=title)
def test_what_a_rollout_refers_to_is_there(rollout):
    """Services, VirtualService, its route and the DestinationRule's subsets stand in the same file."""
    here = next(found for found in map(objects, shipped("argo")) if rollout in found)
    strategy = rollout["spec"]["strategy"]
    canary = strategy.get("canary", {})
    services = {one["metadata"]["name"] for one in of_kind(here, "Service")}
    routed = [strategy.get("blueGreen", {}), canary]
    wanted = {part[key] for part in routed for key in part if key.endswith("Service")}

    assert wanted <= services
    assert all(one["spec"]["selector"].items() <= labels(rollout).items() for one in of_kind(here, "Service"))
    if istio := canary.get("trafficRouting", {}).get("istio"):
        routes = named(here, "VirtualService", istio["virtualService"]["name"])["spec"]["http"]
        hosts = {to["destination"]["host"] for route in routes for to in route["route"]}

        assert set(istio["virtualService"]["routes"]) == {route["name"] for route in routes}
        assert hosts <= services
        if rule := istio.get("destinationRule"):
            subsets = named(here, "DestinationRule", rule["name"])["spec"]["subsets"]

            assert {rule["stableSubsetName"], rule["canarySubsetName"]} == {one["name"] for one in subsets}


def labels(rollout):
    return rollout["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("template", QUESTIONS, ids=title)
def test_each_question_has_one_metric_named_firedamp(template):
    """One name serves every `dryRun: [{metricName: firedamp}]`; what stands beside a guard has another."""
    beside = template["metadata"]["name"] == "firedamp-promote-prometheus"
    name = "firedamp-promote" if beside else "firedamp"

    assert [metric["name"] for metric in template["spec"]["metrics"]] == [name]


@pytest.mark.parametrize("template", QUESTIONS, ids=title)
def test_every_argument_is_used_and_every_place_filled(template):
    """Arguments and their places match; Argo ends an analysis with a place it cannot fill in an error."""
    filled = {one["name"]: "x" for one in template["spec"]["args"]}
    text = yaml.safe_dump(template["spec"]["metrics"])

    assert set(re.findall(r"\{\{args\.([a-z-]+)\}\}", text)) == set(filled)
    assert "{{" not in yaml.safe_dump(resolved(template, filled))


@pytest.mark.parametrize("name", ["firedamp-advance", "firedamp-promote", "firedamp-experiment"])
def test_an_asking_analysis_ends_at_its_first_verdict(name):
    """First pass succeeds, first fail fails, `count` undecided answers are Inconclusive (Argo >= 1.8)."""
    (metric,) = named(QUESTIONS, "ClusterAnalysisTemplate", name)["spec"]["metrics"]
    limits = {
        key: metric[key] for key in ("failureLimit", "consecutiveSuccessLimit", "consecutiveErrorLimit")
    }

    assert limits == {"failureLimit": 0, "consecutiveSuccessLimit": 1, "consecutiveErrorLimit": 60}
    assert metric["count"] == metric["inconclusiveLimit"]


def test_the_background_analysis_never_ends_by_itself():
    """Without a count the guard is asked for as long as the release lasts."""
    (metric,) = named(QUESTIONS, "ClusterAnalysisTemplate", "firedamp-background")["spec"]["metrics"]

    assert "count" not in metric
    assert (metric["failureLimit"], metric["consecutiveErrorLimit"]) == (0, 60)


@pytest.mark.parametrize(
    ("name", "longest_seconds"),
    [("firedamp-advance", 900), ("firedamp-promote", 3600), ("firedamp-experiment", 3600)],
)
def test_the_count_outlasts_the_default_window(name, longest_seconds):
    """By default an analysis asks for longer than firedamp needs to decide."""
    given = defaults(named(QUESTIONS, "ClusterAnalysisTemplate", name))

    assert int(given["count"]) * seconds(given["interval"]) > longest_seconds


@pytest.mark.parametrize(
    ("name", "phases"),
    [
        ("firedamp-advance", ("Successful", "Failed", "Inconclusive")),
        ("firedamp-promote", ("Successful", "Failed", "Inconclusive")),
        ("firedamp-experiment", ("Successful", "Failed", "Inconclusive")),
        ("firedamp-background", ("Successful", "Failed", "Successful")),
    ],
)
def test_a_sentence_becomes_the_right_phase(name, phases):
    """Pass, fail and inconclusive become what Argo should make of them."""
    (metric,) = named(QUESTIONS, "ClusterAnalysisTemplate", name)["spec"]["metrics"]
    sentences = (
        "pass: fine",
        "fail: 5 times the errors",
        "inconclusive: 50 requests are too few to pass: wait",
    )

    assert tuple(phase(metric, sentence) for sentence in sentences) == phases


def test_a_number_becomes_the_right_phase():
    """1, 0 and 0.5 of the Prometheus-shaped answer are pass, fail and undecided."""
    (metric,) = named(QUESTIONS, "ClusterAnalysisTemplate", "firedamp-promote-prometheus")["spec"]["metrics"]

    assert [phase(metric, [value]) for value in (1, 0, 0.5)] == ["Successful", "Failed", "Inconclusive"]


def test_the_first_canary_has_every_hook_once():
    """All eight hook types, each at the address of its own type."""
    hooks = named(CANARIES, "Canary", "podinfo")["spec"]["analysis"]["webhooks"]

    assert [hook["type"] for hook in hooks] == list(HOOKS)
    assert [hook["url"].rsplit("/", 1)[1] for hook in hooks] == list(HOOKS)


@pytest.mark.parametrize("canary", CANARIES, ids=title)
def test_hooks_ask_at_the_address_of_their_type(canary):
    """A hook at another type's address would be answered with the other's polarity."""
    for hook in canary["spec"]["analysis"]["webhooks"]:
        path = hook["url"].partition("/flagger/v1/PATH-SECRET/")[2].partition("?")[0]
        gates = ["rollback/check"] if hook["type"] == "rollback" else ["gate/check"]

        assert path in [hook["type"], *gates]


@pytest.mark.parametrize("canary", CANARIES, ids=title)
def test_a_tick_has_time_for_its_hooks(canary):
    """Flagger asks that the timeouts of the hooks of a tick stay below the interval."""
    analysis = canary["spec"]["analysis"]
    in_a_tick = [hook for hook in analysis["webhooks"] if hook["type"] in ("rollout", "rollback")]

    assert sum(seconds(hook["timeout"]) for hook in in_a_tick) < seconds(analysis["interval"])


def test_metrics_of_a_canary_are_templates_we_ship():
    """The metric refers to a MetricTemplate in this folder; undecided (0.5) is no failed check."""
    templates = {
        (one["metadata"]["namespace"], one["metadata"]["name"]) for one in of_kind(FLAGGER, "MetricTemplate")
    }
    metrics = [metric for canary in CANARIES for metric in canary["spec"]["analysis"].get("metrics", ())]

    assert {(one["templateRef"]["namespace"], one["templateRef"]["name"]) for one in metrics} <= templates
    assert [metric["thresholdRange"] for metric in metrics] == [{"min": 0.5}]


def test_the_readme_names_every_file():
    """Whoever looks for a file finds it in the table."""
    text = (TEMPLATES / "README.md").read_text(encoding="utf-8")
    files = [path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.yaml")]

    assert [file for file in files if f"`{file}`" not in text] == []
