"""Flows by name, and those that nobody named: the busiest, each under a name of its own."""

import pytest

from firedamp.checks import FlowRoot
from firedamp.decision.flows import Flow, busiest
from firedamp.decision.parameters import Parameters, Sampled, Tracing
from firedamp.model import Tier
from firedamp.queries import Measure
from firedamp.tracing import Root, Trace, Visit

VISIT = Visit(0.0, 0.1, "POST /orders", {}, failed=False, code="200")
ORDER = Flow(name="order", root=FlowRoot(service="gateway", operation="POST /orders"))


def traces(operation: str, times: int, service: str = "gateway", visits: tuple[Visit, ...] = (VISIT,)):
    root = Root(service, operation, operation, 0.1, failed=False, code="200")
    return [Trace(f"{number:032x}", 0.0, root, visits) for number in range(times)]


def test_the_busiest_flows_come_first_and_no_more_than_asked_for():
    """Those whose traces met the service most."""
    found = busiest([*traces("GET /", 30), *traces("POST /orders/{id}", 90), *traces("GET /cart", 60)], 2)

    assert [flow.name for flow in found] == ["post-orders-id", "get-cart"]


def test_a_flow_that_is_hardly_ever_met_is_none():
    """There would be nothing to judge it by."""
    assert busiest(traces("GET /", 19), 3) == []


def test_flows_that_do_without_the_service_are_none_of_its():
    """Nor are traces whose root is not known."""
    idle = traces("GET /", 50, visits=())
    rootless = [Trace(f"{number:032x}", 0.0, None, (VISIT,)) for number in range(50)]

    assert busiest([*idle, *rootless], 3) == []


def test_flows_of_the_same_name_are_told_apart():
    """Two gateways may have the same route."""
    found = busiest([*traces("GET /", 50), *traces("GET /", 40, service="backoffice")], 3)

    assert [(flow.name, flow.root.service) for flow in found] == [("get", "gateway"), ("get-2", "backoffice")]


def test_a_root_of_absurd_length_is_no_flow():
    """Anybody may send spans; a release begins all the same."""
    assert busiest([*traces("x" * 301, 30), *traces("GET /", 30, service="")], 3) == []


def test_a_flow_without_a_letter_is_called_by_its_service():
    """A check needs a name."""
    assert [flow.name for flow in busiest(traces("/", 30), 3)] == ["gateway"]


def test_a_flow_is_judged_by_its_failures_and_by_the_time_it_takes():
    """All of it, what is below the service, what is beside the canary, and three durations."""
    checks = list(ORDER.checks(Tracing()))

    assert [check.name for check in checks] == [
        "order.availability",
        "order.below",
        "order.collateral",
        "order.latency",
        "order.service-latency",
        "order.caller-latency",
    ]
    assert [check.traced().measure for check in checks] == [
        Measure.OUTCOME,
        Measure.BELOW,
        Measure.BESIDE,
        Measure.FLOW_SECONDS,
        Measure.SERVICE_SECONDS,
        Measure.CALLER_SECONDS,
    ]


def test_of_a_linked_flow_its_root_is_judged():
    """Nothing of it is below the service, and nobody calls it."""
    linked = ORDER.model_copy(update={"linked": True})

    checks = list(linked.checks(Tracing()))

    assert [check.name for check in checks] == ["order.availability", "order.collateral", "order.latency"]
    assert all(check.traced().linked for check in checks)
    assert sum(check.weight for check in checks if check.tier is Tier.CRITICAL) == pytest.approx(1.0)


def test_a_flows_checks_together_weigh_what_it_weighs():
    """A second flow takes no more of alpha than a check would."""
    heavy = ORDER.model_copy(update={"weight": 3.0})

    critical = [check for check in heavy.checks(Tracing()) if check.tier is Tier.CRITICAL]
    assert sum(check.weight for check in critical) == pytest.approx(3.0)


def test_what_is_beside_the_canary_only_warns_unless_told_otherwise():
    """There is nothing at the same time to compare it with."""
    sterner = ORDER.model_copy(update={"collateral": Tier.CRITICAL})

    tiers = [
        next(check.tier for check in flow.checks(Tracing()) if check.name == "order.collateral")
        for flow in (ORDER, sterner)
    ]

    assert tiers == [Tier.WARN, Tier.CRITICAL]


def test_where_failures_are_kept_nothing_is_compared_with_before():
    """Nobody knows the rate of either time."""
    names = [check.name for check in ORDER.checks(Tracing(sampling=Sampled.ERRORS_KEPT))]

    assert "order.collateral" not in names


def test_a_flows_tier_is_that_of_its_checks():
    """A flow may only warn."""
    mild = ORDER.model_copy(update={"tier": Tier.WARN})

    assert {check.tier for check in mild.checks(Tracing())} == {Tier.WARN}


def test_how_traces_are_sampled_is_told_to_each_check():
    """Where failures are kept only odds are told."""
    checks = list(ORDER.checks(Tracing(sampling=Sampled.ERRORS_KEPT)))

    assert all(check.traced().thinned for check in checks)


def test_parameters_with_flows_come_back_as_they_were():
    """A replay judges by what was in force then."""
    parameters = Parameters(checks=tuple(ORDER.checks(Tracing())), traces=Tracing(discover=3))

    assert Parameters.model_validate_json(parameters.model_dump_json()) == parameters
