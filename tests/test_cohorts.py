"""Cohorts: which pods each preset takes for baseline, main and canary, and that nobody can widen that."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from firedamp.cohorts import ArmMatchers, Cohorts, comparison_arm, problem, told_apart_by, unlabelled
from firedamp.model import Arm
from firedamp.queries import Matcher, Op, Selector, selector

ADAPTER: TypeAdapter[Cohorts] = TypeAdapter(Cohorts)
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)


def cohorts(**written: object) -> Cohorts:
    return ADAPTER.validate_python(written)


def accepts(matchers: tuple[Matcher, ...], labels: dict[str, str]) -> bool:
    """Match as PromQL does: every matcher, regular expressions against the whole value."""
    return all(_accepts(one, labels.get(one.label, "")) for one in matchers)


def _accepts(matcher: Matcher, value: str) -> bool:
    match matcher.op:
        case Op.EQUAL:
            return value == matcher.value
        case Op.NOT_EQUAL:
            return value != matcher.value
        case Op.MATCH:
            return re.fullmatch(matcher.value, value) is not None
        case Op.NOT_MATCH:
            return re.fullmatch(matcher.value, value) is None


def arms_of(selected: ArmMatchers, pod: str, namespace: str = "shop") -> set[Arm]:
    """Arms that a pod of this name is taken for."""
    return {arm for arm, found in selected.items() if accepts(found, {"namespace": namespace, "pod": pod})}


# Argo Rollouts.

ARGO = {"canary": "6b9f", "main": "5d8c"}
EXPERIMENT = {"canary": "7c4", "baseline": "8d5", "main": "5d8c"}


def test_argo_tells_cohorts_apart_by_the_hash_label():
    """The label carries the pod-template hash; the namespace is always matched."""
    selected = cohorts(preset="argo").select("shop", "checkout", ARGO)

    hashed = "rollouts_pod_template_hash"
    assert selected == {
        Arm.MAIN: (Matcher("namespace", Op.EQUAL, "shop"), Matcher(hashed, Op.EQUAL, "5d8c")),
        Arm.CANARY: (Matcher("namespace", Op.EQUAL, "shop"), Matcher(hashed, Op.EQUAL, "6b9f")),
    }


@pytest.mark.parametrize("how", [{"by": "pod"}, {"by": "label", "by_pod": True}])
@pytest.mark.parametrize(
    ("pod", "arms"),
    [
        ("checkout-6b9f-x7k2p", {Arm.CANARY}),
        ("checkout-5d8c-abcde", {Arm.MAIN}),
        ("checkout-9999-abcde", set()),
        ("checkout-api-6b9f-abcde", set()),
        ("my-checkout-6b9f-abcde", set()),
        ("checkout-6b9f-abcde-extra", set()),
        ("checkout-6b9f", set()),
    ],
)
def test_argo_tells_cohorts_apart_by_the_name_of_the_pod(how, pod, arms):
    """Without a hash label the pod is `<rollout>-<hash>-<5>`; another rollout's pod is not ours."""
    by_pod = bool(how.get("by_pod"))

    selected = cohorts(preset="argo", by=how["by"]).select("shop", "checkout", ARGO, by_pod=by_pod)

    assert arms_of(selected, pod) == arms
    assert arms_of(selected, pod, namespace="other") == set()


def test_a_rollout_may_be_called_otherwise_than_its_service():
    """The workload's name stands in the pod's name."""
    selected = cohorts(preset="argo", by="pod", workload="checkout-v2").select("shop", "checkout", ARGO)

    assert arms_of(selected, "checkout-v2-6b9f-abcde") == {Arm.CANARY}
    assert arms_of(selected, "checkout-6b9f-abcde") == set()


def test_an_experiment_has_its_own_baseline():
    """Canary and baseline are the experiment's templates; main is the stable version."""
    selected = cohorts(preset="argo-experiment").select("shop", "checkout", EXPERIMENT)

    assert {arm: found[-1].value for arm, found in selected.items()} == EXPERIMENT
    assert comparison_arm(selected) is Arm.BASELINE


@pytest.mark.parametrize(
    ("pod", "arms"),
    [
        ("checkout-6b9f-3-1-canary-abcde", {Arm.CANARY}),
        ("checkout-6b9f-3-1-baseline-abcde", {Arm.BASELINE}),
        ("checkout-6b9f-3-1-2-canary-abcde", {Arm.CANARY}),
        ("checkout-6b9f-3-1-2-baseline-abcde", {Arm.BASELINE}),
        ("checkout-6b9f-3-canary-abcde", set()),
        ("checkout-5d8c-abcde", {Arm.MAIN}),
        ("checkout-6b9f-abcde", set()),
        ("checkout-6b9f-3-1-other-abcde", set()),
    ],
)
def test_an_experiment_is_told_apart_by_its_templates_names(pod, arms):
    """They are called `<rollout>-<hash>-<revision>-<step>[-<retry>]-<template>-<5>`."""
    selected = cohorts(preset="argo-experiment", by="pod").select("shop", "checkout", EXPERIMENT)

    assert arms_of(selected, pod) == arms


def test_an_empty_baseline_makes_no_experiment():
    """A caller that sends the argument empty means a plain rollout."""
    selected = cohorts(preset="argo", by="pod").select("shop", "checkout", {**ARGO, "baseline": ""})

    assert arms_of(selected, "checkout-6b9f-abcde") == {Arm.CANARY}


# Flagger.


@pytest.mark.parametrize(
    ("kind", "pod", "arms"),
    [
        ("Deployment", "podinfo-5d8f9c-x7k2p", {Arm.CANARY}),
        ("Deployment", "podinfo-primary-6b9f8d-abcde", {Arm.MAIN}),
        # A pod of DaemonSet podinfo-primary has the shape of a pod of Deployment podinfo.
        ("Deployment", "podinfo-primary-abcde", set()),
        ("Deployment", "podinfo-api-5d8f9c-x7k2p", set()),
        ("Deployment", "my-podinfo-5d8f9c-x7k2p", set()),
        ("DaemonSet", "podinfo-abcde", {Arm.CANARY}),
        ("DaemonSet", "podinfo-primary-abcde", {Arm.MAIN}),
        ("DaemonSet", "podinfo-api-abcde", set()),
    ],
)
def test_flagger_tells_canary_and_primary_apart(kind, pod, arms):
    """`<name>` is the canary and `<name>-primary` the old version, for both kinds of workload."""
    selected = cohorts(preset="flagger", kind=kind).select("shop", "podinfo", {})

    assert arms_of(selected, pod) == arms
    assert arms_of(selected, pod, namespace="other") == set()


@given(st.from_regex(r"[a-z0-9]{5}", fullmatch=True), st.sampled_from(["Deployment", "DaemonSet"]))
@example("abcde", "Deployment")
def test_a_pod_of_the_primary_is_never_taken_for_the_canary(tail, kind):
    """Whatever the tail of its name, a pod of the old version proves nothing about the new one."""
    selected = cohorts(preset="flagger", kind=kind).select("shop", "podinfo", {})

    assert Arm.CANARY not in arms_of(selected, f"podinfo-primary-{tail}")
    assert Arm.CANARY not in arms_of(selected, f"podinfo-primary-{tail}9-{tail}")


def test_flagger_can_be_told_by_the_workload_label():
    """Istio's metrics name the destination's workload."""
    selected = cohorts(preset="flagger", by="workload").select("shop", "podinfo", {})

    assert selected[Arm.CANARY][-1] == Matcher("destination_workload", Op.EQUAL, "podinfo")
    assert selected[Arm.MAIN][-1] == Matcher("destination_workload", Op.EQUAL, "podinfo-primary")


def test_pods_are_matched_where_metrics_have_no_workload():
    """kube-state-metrics and cAdvisor know pods only."""
    selected = cohorts(preset="flagger", by="workload").select("shop", "podinfo", {}, by_pod=True)

    assert arms_of(selected, "podinfo-5d8f9c-x7k2p") == {Arm.CANARY}


def test_a_target_may_be_called_otherwise_than_its_service():
    """`workload` is the target's name."""
    selected = cohorts(preset="flagger", workload="backend").select("shop", "podinfo", {})

    assert arms_of(selected, "backend-primary-6b9f8d-abcde") == {Arm.MAIN}


# Istio and free matchers.


def test_matchers_are_taken_as_written():
    """The caller's values fill the placeholders; baseline may be left out."""
    istio = cohorts(
        preset="istio",
        namespace_label="destination_workload_namespace",
        canary='destination_version="$canary",reporter="destination"',
        main='destination_version="$main",reporter="destination"',
    )

    selected = istio.select("shop", "checkout", {"canary": "v2", "main": "v1"})

    reporter = Matcher("reporter", Op.EQUAL, "destination")
    within = Matcher("destination_workload_namespace", Op.EQUAL, "shop")
    assert selected == {
        Arm.MAIN: (within, Matcher("destination_version", Op.EQUAL, "v1"), reporter),
        Arm.CANARY: (within, Matcher("destination_version", Op.EQUAL, "v2"), reporter),
    }
    assert comparison_arm(selected) is Arm.MAIN


def test_istio_calls_the_namespace_by_its_own_name():
    """Istio's metrics are within destination_workload_namespace unless somebody says otherwise."""
    istio = cohorts(preset="istio", canary='destination_workload="new"', main='destination_workload="old"')

    selected = istio.select("shop", "checkout", {})

    assert selected[Arm.MAIN][0] == Matcher("destination_workload_namespace", Op.EQUAL, "shop")


def test_metrics_that_know_pods_only_have_matchers_of_their_own():
    """Restarts are told apart by pod, and their namespace has Kubernetes' name."""
    istio = cohorts(
        preset="istio",
        canary='destination_workload="new"',
        main='destination_workload="old"',
        canary_pods='pod=~"new-.*"',
    )

    selected = istio.select("shop", "checkout", {}, by_pod=True)

    assert selected[Arm.CANARY] == (
        Matcher("namespace", Op.EQUAL, "shop"),
        Matcher("pod", Op.MATCH, "new-.*"),
    )


def test_metrics_without_a_namespace_have_no_matcher_for_it():
    """Null leaves the namespace out."""
    free = cohorts(preset="labels", namespace_label=None, canary='track="canary"', baseline='track="base"')

    selected = free.select("shop", "checkout", {})

    assert selected[Arm.BASELINE] == (Matcher("track", Op.EQUAL, "base"),)


@given(TEXT, TEXT)
@example('v2"} or up{a="', "v1")
@example(".*", "v1")
@example("$main", "v1")
@example("a|b", "v1")
def test_a_callers_value_matches_nothing_but_itself(canary, other):
    """In `=` and inside `=~` alike, a value is text: no expression, no placeholder, no second matcher."""
    assume(canary != other)
    exact = cohorts(preset="labels", canary='version="$canary"', main='version="$main"')
    within = cohorts(preset="labels", canary='pod=~"x-$canary-[0-9a-z]+"', main='pod=~"x-$main-[0-9a-z]+"')
    arms = {"canary": canary, "main": other}

    by_version = exact.select("shop", "checkout", arms)[Arm.CANARY]
    by_pod = within.select("shop", "checkout", arms)[Arm.CANARY]

    assert accepts(by_version, {"namespace": "shop", "version": canary})
    assert not accepts(by_version, {"namespace": "shop", "version": other})
    assert accepts(by_pod, {"namespace": "shop", "pod": f"x-{canary}-abcde"})
    assert not accepts(by_pod, {"namespace": "shop", "pod": f"x-{other}-abcde"}) or re.fullmatch(
        f"{re.escape(canary)}-[0-9a-z]+", f"{other}-abcde"
    )


@given(TEXT)
@example(".*")
@example("shop|other")
def test_a_namespace_matches_nothing_but_itself(namespace):
    """No caller reaches the pods of another namespace."""
    assume(namespace != "other")

    for preset in (cohorts(preset="argo", by="pod"), cohorts(preset="flagger")):
        for found in preset.select(namespace, "checkout", ARGO).values():
            assert found[0] == Matcher("namespace", Op.EQUAL, namespace)


# What cannot be told apart.


@pytest.mark.parametrize(
    ("written", "arms", "said"),
    [
        ({"preset": "argo"}, ARGO, None),
        ({"preset": "argo"}, {"canary": "6b9f", "main": ""}, "main empty"),
        ({"preset": "argo"}, {}, "canary and main empty"),
        ({"preset": "argo"}, {"canary": "6b9f", "main": "6b9f"}, "same value '6b9f'"),
        ({"preset": "argo-experiment"}, EXPERIMENT, None),
        ({"preset": "argo-experiment"}, {"canary": "7c4"}, "baseline empty"),
        ({"preset": "argo-experiment"}, {"canary": "7c4", "baseline": "7c4"}, "same value"),
        ({"preset": "flagger"}, {}, None),
        ({"canary": 'v="$canary"', "main": 'v!="$canary"'}, {"canary": "2"}, None),
        ({"canary": 'v="$canary"', "main": 'v="$main"'}, {"canary": "2"}, "main empty"),
    ],
)
def test_missing_and_equal_values_are_told(written, arms, said):
    """A question whose values cannot tell the cohorts apart gets the remedy, not a comparison."""
    told = problem(cohorts(**{"preset": "labels", **written}), arms)

    if said is None:
        assert told is None
    else:
        assert told is not None
        assert said in told


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"preset": "labels", "canary": 'v="2"'}, "main or baseline"),
        ({"preset": "labels", "canary": "", "main": 'v="1"'}, "at least one matcher"),
        ({"preset": "labels", "canary": 'v="2"', "main": "v"}, "is no matcher"),
        ({"preset": "labels", "canary": 'up{v="2"}', "main": 'v="1"'}, "is no matcher"),
        ({"preset": "argo", "hash": "x"}, "Extra inputs"),
        ({"preset": "flager"}, "flagger"),
    ],
)
def test_cohorts_that_make_no_sense_are_refused(written, said):
    """The settings say so when they are read, not at the first look."""
    with pytest.raises(ValidationError, match=said):
        cohorts(**written)


# Requests in none of them.

HASH = "rollouts_pod_template_hash"
OWN = selector('http_requests_total{job="shop/checkout"}')
SHARED = selector("http_requests_total")


def unlabelled_of(known: Cohorts, counter: Selector) -> str | None:
    """How a service's requests without any of the labels are asked for."""
    selected = known.select("shop", "checkout", ARGO)
    found = unlabelled(known, "checkout", selected, counter)
    return None if found is None else counter.where(*found).promql()


def test_requests_without_the_label_are_the_service_s_where_it_is_named():
    """By the counter's own matchers, or by what all cohorts have in common."""
    written = cohorts(
        preset="labels", canary='app="checkout",version="$canary"', main='app="checkout",version="$main"'
    )

    assert unlabelled_of(cohorts(preset="argo"), OWN) == (
        f'http_requests_total{{job="shop/checkout",namespace="shop",{HASH}=""}}'
    )
    assert unlabelled_of(written, SHARED) == (
        'http_requests_total{namespace="shop",app="checkout",version=""}'
    )


def test_else_a_rollout_s_pods_are_known_by_their_names():
    """Not those of another service whose name begins alike, and of experiments too."""
    known = cohorts(preset="argo")
    *_, pods, empty = unlabelled(known, "checkout", known.select("shop", "checkout", ARGO), SHARED)

    assert empty == Matcher(HASH, Op.EQUAL, "")
    assert pods.accepts("checkout-5d8c7b9f64-x2v9z")
    assert pods.accepts("checkout-5d8c7b9f64-2-1-canary-x2v9z")
    assert not pods.accepts("checkout-worker-5d8c7b9f64-x2v9z")
    assert not pods.accepts("checkout-db-0")


def test_istio_calls_a_workload_unknown():
    """Its labels are there even where it does not know what to write."""
    counter = selector('istio_requests_total{destination_service_name="checkout"}')

    assert unlabelled_of(cohorts(preset="flagger", by="workload"), counter) == (
        'istio_requests_total{destination_service_name="checkout",namespace="shop",'
        'destination_workload=~"|unknown"}'
    )


@pytest.mark.parametrize(
    "named",
    ['namespace="checkout"', 'path="/checkout"', 'job="shop/checkout-worker"', 'job!="checkout"'],
)
def test_requests_of_nobody_known_are_not_asked_for(named):
    """The same metric of other services in the namespace carries no label either."""
    written = cohorts(preset="labels", canary='version="$canary"', main='version="$main"')

    assert unlabelled_of(written, selector(f"http_requests_total{{{named}}}")) is None


@pytest.mark.parametrize(
    ("known", "counter"),
    [
        (cohorts(preset="argo", by="pod"), OWN),
        (cohorts(preset="flagger"), OWN),
        (cohorts(preset="labels", canary='version="$canary"', main='version!="$canary"'), OWN),
        (cohorts(preset="labels", canary='version="$canary"', main='version=~".*"'), OWN),
        (cohorts(preset="argo"), OWN.where(Matcher(HASH, Op.NOT_EQUAL, ""))),
        (
            cohorts(
                preset="labels", canary='app="checkout",version="v2"', main='app="checkout",version="v2"'
            ),
            OWN,
        ),
    ],
)
def test_where_no_request_can_be_in_no_cohort_nothing_is_asked(known, counter):
    """Cohorts told apart by pod, a cohort that takes whatever has no label, a label that is never empty."""
    assert unlabelled_of(known, counter) is None


def test_cohorts_are_told_apart_by_the_labels_that_they_do_not_share():
    """What is the same in all of them tells nothing."""
    written = cohorts(
        preset="labels", canary='app="checkout",version="$canary"', main='app="checkout",track="$main"'
    )

    assert told_apart_by(written.select("shop", "checkout", ARGO)) == ("track", "version")
