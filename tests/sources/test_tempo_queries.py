"""What a Tempo is asked: the queries in full, and other people's names in them."""

from hypothesis import given
from hypothesis import strategies as st

from firedamp.queries import Operation
from firedamp.sources.tempo.traceql import Role, calls, entries, failures, quoted, roots, roots_named
from tempos import Condition, parsed, unquoted

OWN = (
    "name, kind, status, span:parentID, "
    "span.http.method, span.http.request.method, span.http.response.status_code, span.http.route, "
    "span.http.status_code, span.messaging.destination, span.messaging.destination.name, span.net.peer.ip, "
    "span.net.peer.name, span.net.sock.peer.addr, span.network.peer.address, span.peer.service, "
    "span.rpc.grpc.status_code, span.rpc.method, span.rpc.response.status_code, span.rpc.service, "
    "span.server.address, span.upstream_cluster, span.upstream_cluster.name"
)
SHOWN = f" | by(span:id) | select({OWN}, resource.service.name)"
HOSTILE = st.text(min_size=1) | st.text(alphabet='"\\{}|`\n\r&= ', min_size=1)


def conditions(query: str) -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in parsed(query).filter]


def test_the_service_is_searched_for_by_its_entries():
    """By servers and consumers, without any name of theirs: a deleted endpoint has none."""
    found = list(entries(["orders"], ["k8s.pod.label.track"]))

    assert [search.query.split(" | ")[0] for search in found] == [
        '{ resource.service.name = "orders" && kind = server }',
        '{ resource.service.name = "orders" && kind = consumer }',
    ]
    assert found[0].query.endswith(
        f" | by(span:id) | select({OWN}, resource.service.name, resource.service.version, "
        "resource.service.instance.id, resource.host.name, resource.container.image.tag, "
        "resource.istio.canonical_revision, resource.k8s.namespace.name, resource.k8s.deployment.name, "
        "resource.k8s.replicaset.name, resource.k8s.pod.name, resource.k8s.pod.ip, "
        "resource.k8s.pod.label.pod-template-hash, resource.k8s.pod.labels.pod-template-hash, "
        "resource.k8s.pod.label.rollouts-pod-template-hash, "
        "resource.k8s.pod.labels.rollouts-pod-template-hash, resource.k8s.pod.label.track)"
    )


def test_a_flow_is_searched_for_by_its_name_and_by_its_route():
    """Gateways differ in whether they name a span by its route."""
    begin = '{ nestedSetParent <= 0 && resource.service.name = "gateway" && '

    assert [search.query for search in roots([Operation("gateway", "POST /orders")])] == [
        f'{begin}name = "POST /orders" }}{SHOWN}',
        f'{begin}span.http.route = "/orders" }}{SHOWN}',
    ]


def test_a_remote_procedure_and_a_queue_are_flows_too():
    """By the attributes that their operation is made of."""
    rpc = [search.query for search in roots([Operation("shop", "shop.Cart/Add")])]
    queue = [search.query for search in roots([Operation("mailer", "letters")])]

    assert [conditions(query)[2:] for query in rpc[2:]] == [
        [("span.rpc.method", "shop.Cart/Add")],
        [("span.rpc.service", "shop.Cart"), ("span.rpc.method", "Add")],
    ]
    assert [conditions(query)[2] for query in queue] == [
        ("name", "letters"),
        ("span.messaging.destination.name", "letters"),
        ("span.messaging.destination", "letters"),
    ]


def test_calls_are_searched_for_by_whom_they_name():
    """A mesh writes a cluster, a program a host; each release has a name of its own."""
    found = [search.query for search in calls(["a.b"], ["server.address", "peer.service"])]

    names = r"a\.b|a\.b-canary|a\.b-primary|a\.b-stable"
    assert [parsed(query).filter for query in found] == [
        (
            Condition("kind", "=", "client"),
            Condition(f"span.{peer}", "=~", rf"(?:.*\|)?(?:{names})(?:\..*)?"),
        )
        for peer in ("server.address", "peer.service")
    ]


def test_failures_are_searched_for_below_the_service():
    """The one search that relates two spans."""
    (found,) = failures(["orders"])

    assert found.query == f'{{ resource.service.name = "orders" }} >> {{ status = error }}{SHOWN}'
    assert found.role is Role.FAILURE


def test_roots_that_tempo_told_are_searched_for_by_their_names():
    """Those of a service with very many, by the service."""
    few = [Operation("gateway", "GET /b"), Operation("gateway", "GET /a")]
    many = [Operation("mailer", f"job {at}") for at in range(11)]
    found = [conditions(search.query) for search in roots_named([*few, *many])]

    assert [each[1:] for each in found] == [
        [("resource.service.name", "gateway"), ("name", "GET /a")],
        [("resource.service.name", "gateway"), ("name", "GET /b")],
        [("resource.service.name", "mailer")],
    ]


@given(HOSTILE)
def test_a_string_is_what_go_reads(text):
    """On one line, whatever is in it."""
    written = quoted(text)

    assert unquoted(written) == text
    assert "\n" not in written


@given(HOSTILE, HOSTILE)
def test_hostile_names_stay_inside_their_strings(service, operation):
    """Quotes, backslashes and braces of a name end neither string nor filter."""
    searches = [
        *roots([Operation(service, operation)]),
        *entries([service], ()),
        *calls([service], ["server.address"]),
        *failures([service]),
    ]
    found = [parsed(search.query) for search in searches]

    assert all(
        one.value == service
        for query in found
        for one in (*query.above, *query.filter)
        if one.name == "resource.service.name"
    )
    assert found[0].filter[2] == ("name", "=", operation)
