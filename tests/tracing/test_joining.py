"""What becomes of spans: roots, first visits, calls that nobody answered."""

from dataclasses import replace

from firedamp.queries import Operation
from firedamp.tracing import Kind, Sought, Span, joined

SOUGHT = Sought(("orders",), (Operation("gateway", "POST /orders"),))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OLD, NEW = {"k8s.pod.name": "orders-aa-1"}, {"k8s.pod.name": "orders-bb-1"}


def span(span_id: str, parent: str, service: str, kind: Kind, **told) -> Span:
    told = {"name": "POST", "start": 100.0, "seconds": 0.1, **told}
    return Span(TRACE, span_id, parent, service, kind=kind, **told)


ROOT = span(
    "a", "", "gateway", Kind.SERVER, name="POST /orders", seconds=0.5, attributes={"http.status_code": "404"}
)
CALL = span("b", "a", "gateway", Kind.CLIENT, start=100.1, attributes={"server.address": "orders.shop"})
VISIT = span("c", "b", "orders", Kind.SERVER, start=100.2, resource=NEW)
BELOW = span("d", "c", "payments", Kind.SERVER, start=100.3, failed=True)


def test_a_trace_is_known_by_its_root():
    """Service, operation, code and duration are the root's."""
    trace = joined([VISIT, ROOT, CALL], SOUGHT)[0]

    root = trace.root
    assert root is not None
    assert (root.service, root.operation, root.code, root.seconds) == ("gateway", "POST /orders", "404", 0.5)


def test_a_served_404_is_no_error_and_its_code_is_kept():
    """A server leaves the status of a 404 unset; whether it is a failure is for the settings to say."""
    root = joined([ROOT], SOUGHT)[0].root

    assert root is not None
    assert (root.failed, root.code) == (False, "404")


def test_visits_come_in_the_order_in_which_they_began():
    """The first of them gives the cohort."""
    later = replace(VISIT, span_id="e", start=100.4, resource=OLD)

    trace = joined([later, ROOT, VISIT], SOUGHT)[0]

    assert [visit.resource for visit in trace.visits] == [NEW, OLD]


def test_who_was_asked_first_is_told_by_the_callers_clock():
    """Clocks of pods differ by more than calls do."""
    again = replace(CALL, span_id="e", start=100.15)
    behind = replace(VISIT, span_id="f", parent_id="e", start=100.12, resource=OLD)

    trace = joined([ROOT, CALL, again, behind, VISIT], SOUGHT)[0]

    assert [visit.resource for visit in trace.visits] == [NEW, OLD]


def test_a_call_that_was_answered_says_so():
    """A visit is its child."""
    trace = joined([ROOT, CALL, VISIT], SOUGHT)[0]

    assert [call.answered for call in trace.calls] == [True]


def test_a_call_that_nobody_answered_is_known_by_whom_it_was_made_to():
    """A canary that never answers has no span; its caller's is all there is."""
    trace = joined([ROOT, replace(CALL, failed=True)], SOUGHT)[0]

    call = trace.calls[0]
    assert (call.answered, call.failed, call.targets) == (False, True, ("orders.shop",))


def test_a_meshs_cluster_names_whom_a_call_is_made_to():
    """Envoy writes the cluster, not the host."""
    cluster = {"upstream_cluster": "outbound|80||orders-canary.shop.svc.cluster.local"}

    trace = joined([ROOT, replace(CALL, attributes=cluster)], SOUGHT)[0]

    assert len(trace.calls) == 1


def test_a_call_to_somebody_else_is_none_of_the_services():
    """Only calls to the service under release count."""
    other = replace(CALL, attributes={"server.address": "payments"})

    assert joined([ROOT, other], SOUGHT)[0].calls == ()


def test_a_call_that_another_service_answered_was_not_made_to_this_one():
    """What came of a call tells more than its name."""
    entered = span("f", "b", "orders-proxy", Kind.SERVER)

    assert joined([ROOT, CALL, entered], SOUGHT)[0].calls == ()


def test_what_fails_below_the_service_is_seen_though_its_root_is_well():
    """A root may swallow what fails beneath it."""
    assert joined([ROOT, CALL, VISIT, BELOW], SOUGHT)[0].failed_below


def test_the_visit_itself_is_not_below_itself():
    """Its own failure is told by its own metrics."""
    assert not joined([ROOT, CALL, replace(VISIT, failed=True)], SOUGHT)[0].failed_below


def test_spans_that_name_each_other_as_parents_end():
    """Broken data must not hang a look."""
    circle = [replace(VISIT, parent_id="d"), replace(BELOW, parent_id="c")]

    assert joined(circle, SOUGHT)[0].failed_below


def test_a_trace_without_its_root_has_none():
    """It may still be on its way."""
    assert joined([VISIT], SOUGHT)[0].root is None


def test_a_trace_that_somebody_outside_began_is_known_by_the_flows_entry():
    """A browser's span never arrives here."""
    entered = replace(ROOT, parent_id="ffff")

    root = joined([entered, CALL, VISIT], SOUGHT)[0].root

    assert root is not None
    assert root.operation == "POST /orders"


def test_what_is_delivered_twice_counts_once():
    """Exporters try again."""
    trace = joined([ROOT, VISIT, VISIT], SOUGHT)[0]

    assert len(trace.visits) == 1


def test_traces_come_in_the_order_of_their_starts():
    """Whatever the order of their spans."""
    other = replace(ROOT, trace_id="0" * 31 + "1", start=90.0)

    assert [trace.start for trace in joined([ROOT, other], SOUGHT)] == [90.0, 100.0]


def test_a_traces_links_are_kept_once_each():
    """They lead to what a message did later."""
    linked = replace(VISIT, links=("0" * 32, "0" * 32))

    assert joined([ROOT, linked], SOUGHT)[0].links == ("0" * 32,)


def test_the_sampling_told_by_any_span_is_the_traces():
    """Not every span carries the state."""
    kept = replace(VISIT, state="vendor=x,ot=th:8")

    assert joined([ROOT, kept], SOUGHT)[0].probability == 0.5


def test_a_service_of_the_same_name_elsewhere_is_somebody_elses():
    """Staging and production often share a backend; whatever fails there is no evidence here."""
    there = replace(VISIT, resource={**NEW, "k8s.namespace.name": "staging"})

    trace = joined([ROOT, CALL, there], replace(SOUGHT, namespace="shop"))[0]

    assert (trace.visits, trace.calls, trace.is_elsewhere) == ((), (), True)


def test_spans_that_tell_no_namespace_are_taken_as_they_are():
    """So are those that tell the service's own."""
    here = replace(VISIT, resource={**NEW, "k8s.namespace.name": "shop"})

    traces = [joined([ROOT, CALL, one], replace(SOUGHT, namespace="shop"))[0] for one in (VISIT, here)]

    assert [(len(trace.visits), trace.is_elsewhere) for trace in traces] == [(1, False), (1, False)]


def test_of_two_namespaces_only_the_visits_here_count():
    """A request may pass through both."""
    there = replace(VISIT, span_id="e", start=100.15, resource={**OLD, "k8s.namespace.name": "staging"})

    trace = joined([ROOT, CALL, there, VISIT], replace(SOUGHT, namespace="shop"))[0]

    assert [visit.resource for visit in trace.visits] == [NEW]
    assert not trace.is_elsewhere
