"""Which cohort a trace belongs to, by what its pods and its callers tell."""

import pytest
from msgspec.structs import replace

from firedamp.cohorts import ArgoCohorts, FlaggerCohorts, LabelCohorts
from firedamp.model import Arm
from firedamp.tracing import Call, Trace, Visit
from firedamp.tracing.arms import Cohorts, addresses, labels, merged

HASHES = {"main": "5d8c7b6f44", "canary": "6b9f8c7d55"}
VISIT = Visit(100.2, 0.1, "POST /orders", {"service.name": "orders"}, failed=False, code="201")
CALL = Call(100.1, 0.2, answered=True, targets=("orders",), address="10.0.0.7", failed=False, code="")
TRACE = Trace("0" * 32, 100.0, None, (VISIT,), (CALL,))


def told(cohorts, names=HASHES, service: str = "orders") -> Cohorts:
    selected = [cohorts.select("shop", service, names, by_pod=by_pod) for by_pod in (False, True)]
    return Cohorts(names, *selected, service)


ARGO = told(ArgoCohorts())


def visited(**resource: str) -> Trace:
    own = {name.replace("__", "-").replace("_", "."): value for name, value in resource.items()}
    return replace(TRACE, visits=(replace(VISIT, resource=own),))


@pytest.mark.parametrize(
    "resource",
    [
        {"k8s.pod.label.rollouts-pod-template-hash": "6b9f8c7d55"},
        {"k8s.pod.labels.rollouts-pod-template-hash": "6b9f8c7d55"},
        {"rollouts_pod_template_hash": "6b9f8c7d55"},
        {"k8s.pod.name": "orders-6b9f8c7d55-x7k2p"},
        {"k8s.replicaset.name": "orders-6b9f8c7d55"},
    ],
)
def test_a_rollouts_pod_shows_its_hash_in_one_way_or_another(resource):
    """As a label of the pod, in its name, or in its ReplicaSet's."""
    assert ARGO.arm(resource) is Arm.CANARY


def test_a_pod_of_neither_cohort_is_none():
    """An older revision may still have pods."""
    assert ARGO.arm({"k8s.pod.name": "orders-5f6d7c8b99-x7k2p"}) is None


def test_a_pod_that_tells_nothing_is_of_no_cohort():
    """Nothing is guessed."""
    assert ARGO.arm({"service.name": "orders"}) is None


@pytest.mark.parametrize(
    ("resource", "arm"),
    [
        ({"k8s.pod.name": "orders-primary-6b9f8c7d55-x7k2p"}, Arm.MAIN),
        ({"k8s.pod.name": "orders-6b9f8c7d55-x7k2p"}, Arm.CANARY),
        ({"service.name": "orders-primary"}, Arm.MAIN),
    ],
)
def test_flaggers_old_version_is_called_primary(resource, arm):
    """By its pods or by the name under which it reports."""
    assert told(FlaggerCohorts(), {}).arm(resource) is arm


def test_flaggers_workloads_are_deployments():
    """A mesh's label for the workload is the Deployment's name."""
    flagger = told(FlaggerCohorts(by="workload"), {})

    arms = [flagger.arm({"k8s.deployment.name": name}) for name in ("orders-primary", "orders")]

    assert arms == [Arm.MAIN, Arm.CANARY]


def test_versions_are_told_by_the_settings_own_matchers():
    """service.version is what metrics call version."""
    versions = told(
        LabelCohorts(canary='version="$canary"', main='version="$main"'), {"canary": "v2", "main": "v1"}
    )

    assert [versions.arm({"service.version": name}) for name in ("v1", "v2", "v3")] == [
        Arm.MAIN,
        Arm.CANARY,
        None,
    ]


def test_another_namespaces_pods_are_not_this_services():
    """Where the namespace is told."""
    resource = {"k8s.pod.label.rollouts-pod-template-hash": "6b9f8c7d55", "k8s.namespace.name": "test"}

    assert ARGO.arm(resource) is None


def test_a_trace_belongs_to_its_first_visit():
    """Not to every cohort that it touched."""
    later = replace(VISIT, start=101.0, resource={"k8s.pod.name": "orders-6b9f8c7d55-x7k2p"})
    first = replace(VISIT, resource={"k8s.pod.name": "orders-5d8c7b6f44-abcde"})
    trace = replace(TRACE, visits=(first, later))

    assert ARGO.of(trace, {}) == (Arm.MAIN, "orders-5d8c7b6f44-abcde")
    assert ARGO.is_mixed(trace)


def test_a_call_that_nobody_answered_belongs_to_whom_it_was_made():
    """By the pod's address, learnt from calls that were answered."""
    lost = replace(TRACE, visits=(), calls=(replace(CALL, answered=False),))
    pods = {"10.0.0.7": {"k8s.pod.name": "orders-6b9f8c7d55-x7k2p"}}

    assert ARGO.of(lost, pods) == (Arm.CANARY, "orders-6b9f8c7d55-x7k2p")


@pytest.mark.parametrize(
    ("target", "arm"),
    [
        ("outbound|80||orders-canary.shop.svc.cluster.local", Arm.CANARY),
        ("outbound|80|6b9f8c7d55|orders.shop.svc.cluster.local", Arm.CANARY),
        ("outbound|80||orders-stable.shop.svc.cluster.local", Arm.MAIN),
        ("orders-primary.shop", Arm.MAIN),
        ("orders", None),
    ],
)
def test_a_meshs_cluster_tells_which_cohort_was_called(target, arm):
    """By the subset or by the host; the service's own name tells nothing."""
    lost = replace(CALL, answered=False, targets=(target,), address="")
    place = ARGO.of(replace(TRACE, visits=(), calls=(lost,)), {})

    assert place == (None if arm is None else (arm, "unanswered"))


def test_what_a_retry_made_good_stays_on_the_first_ones_account():
    """A gateway that tries the old version next hides a canary that does not answer."""
    lost = replace(CALL, answered=False, targets=("orders-canary",), address="")
    saved = replace(VISIT, resource={"k8s.pod.name": "orders-5d8c7b6f44-abcde"})
    trace = replace(TRACE, visits=(saved,), calls=(lost, replace(CALL, start=100.15)))

    assert ARGO.of(trace, {}) == (Arm.CANARY, "unanswered")


@pytest.mark.parametrize("skew", [-30.0, 30.0])
def test_wrong_clocks_of_pods_do_not_hide_who_was_asked_first(skew):
    """Calls of one caller are told apart by its own clock."""
    lost = replace(CALL, answered=False, targets=("orders-canary",), address="")
    saved = replace(VISIT, start=100.2 + skew, resource={"k8s.pod.name": "orders-5d8c7b6f44-abcde"})
    trace = replace(TRACE, visits=(saved,), calls=(lost, replace(CALL, start=100.15)))

    assert ARGO.of(trace, {}) == (Arm.CANARY, "unanswered")


def test_addresses_are_learnt_from_calls_that_one_visit_answered():
    """With several it is not known who answered whom."""
    twice = replace(TRACE, visits=(VISIT, VISIT), calls=(replace(CALL, address="10.0.0.8"),) * 2)

    assert addresses([TRACE, twice]) == {"10.0.0.7": VISIT.resource}


def test_an_address_at_which_several_pods_answer_is_nobodys():
    """A service's own address, or a proxy's: the last one that answered there is not who was asked."""
    other = replace(VISIT, resource={"k8s.pod.name": "orders-6b9f8c7d55-x7k2p"})
    known = addresses([TRACE, replace(TRACE, visits=(other,))])

    assert known == {"10.0.0.7": {}}
    assert merged(known, {"10.0.0.7": other.resource}) == {"10.0.0.7": {}}
    assert merged({"10.0.0.7": VISIT.resource}, {"10.0.0.7": other.resource}) == {"10.0.0.7": {}}


def test_a_call_to_nobodys_address_is_known_by_its_target():
    """Or not at all."""
    lost = replace(CALL, answered=False)

    places = [
        ARGO.of(replace(TRACE, visits=(), calls=(replace(lost, targets=(target,)),)), {"10.0.0.7": {}})
        for target in ("orders", "orders-canary")
    ]

    assert places == [None, (Arm.CANARY, "unanswered")]


def test_what_only_metrics_tell_is_not_asked_of_spans():
    """A scrape's job is no attribute."""
    scraped = told(
        LabelCohorts(canary='job="orders",version="$canary"', main='job="orders",version="$main"'),
        {"canary": "v2", "main": "v1"},
    )

    assert scraped.arm({"service.version": "v2"}) is Arm.CANARY


def test_a_pod_may_tell_its_own_address():
    """Collectors add it."""
    told_by_pod = replace(VISIT, resource={"k8s.pod.ip": "10.0.0.9"})

    assert addresses([replace(TRACE, visits=(told_by_pod,), calls=())]) == {"10.0.0.9": told_by_pod.resource}


def test_attributes_are_labels_under_the_names_that_metrics_have():
    """Dots and dashes become underscores, as Prometheus writes them."""
    found = labels({"k8s.pod.name": "a-1", "service.version": "v2", "k8s.pod.label.app-tier": "web"})

    assert (found["pod"], found["version"], found["app_tier"]) == ("a-1", "v2", "web")
