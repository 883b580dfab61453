"""What a span's attributes mean, under their old names and their new ones."""

import pytest

from firedamp.queries import Operation
from firedamp.tracing import KEPT, Kind, Root, Span, probability


def span(kind: Kind = Kind.SERVER, **attributes: str) -> Span:
    told = {name.replace("_", "."): value for name, value in attributes.items()}
    return Span("0" * 32, "1" * 16, "", "orders", "GET", kind, 0.0, 0.0, attributes=told)


@pytest.mark.parametrize("name", ["http.response.status_code", "http.status_code"])
def test_an_http_status_is_read_under_both_of_its_names(name):
    """Conventions renamed it."""
    told = Span("0" * 32, "1" * 16, "", "orders", "GET", Kind.SERVER, 0.0, 0.0, attributes={name: "404"})

    assert told.code == "404"


@pytest.mark.parametrize(("number", "code"), [("12", "UNIMPLEMENTED"), ("0", "OK"), ("99", "99")])
def test_a_grpc_status_is_called_by_its_name(number, code):
    """Numbers are for machines; an unknown one stays as it is."""
    told = {"rpc.grpc.status_code": number}

    found = Span("0" * 32, "1" * 16, "", "orders", "GET", Kind.SERVER, 0.0, 0.0, attributes=told)

    assert found.code == code


@pytest.mark.parametrize("code", ["DEADLINE_EXCEEDED", "OK", "-32602", "12"])
def test_an_rpcs_status_is_text_by_newer_conventions(code):
    """A number among them is another system's, and none of gRPC's."""
    told = {"rpc.response.status_code": code, "rpc.grpc.status_code": "4", "http.status_code": "200"}

    found = Span("0" * 32, "1" * 16, "", "orders", "GET", Kind.SERVER, 0.0, 0.0, attributes=told)

    assert (found.code, told.keys() <= KEPT) == (code, True)


def test_an_operation_is_the_method_and_the_route():
    """Routes are few, paths are many."""
    assert span(http_route="/orders/{id}", http_method="GET").operation == "GET /orders/{id}"


def test_an_operation_without_a_route_is_the_spans_name():
    """An unknown route leaves the bare method."""
    assert span().operation == "GET"


def test_an_rpc_is_called_by_service_and_method():
    """As gRPC writes it."""
    assert span(rpc_service="shop.Orders", rpc_method="Place").operation == "shop.Orders/Place"


@pytest.mark.parametrize("told", [{}, {"rpc_service": "shop.Orders"}])
def test_an_rpc_is_called_the_same_by_newer_conventions(told):
    """There its method names the service too, and whoever writes both names it once."""
    assert span(rpc_method="shop.Orders/Place", **told).operation == "shop.Orders/Place"


@pytest.mark.parametrize("method", ["_OTHER", "Place", ""])
def test_a_method_without_its_service_is_no_operation(method):
    """What a server does not know is _OTHER there, and the span's name tells no less."""
    assert span(rpc_method=method).operation == "GET"


def test_a_consumer_is_known_by_its_queue():
    """Its span's name says what it does, not what it got."""
    assert span(Kind.CONSUMER, messaging_destination="orders").operation == "orders"


def test_a_flow_is_known_by_its_route_or_by_its_roots_name():
    """Gateways differ in which of them they write."""
    root = Root("gateway", "POST /orders", "ingress", 0.1, failed=False, code="")

    named = [root.is_of(Operation("gateway", name)) for name in ("POST /orders", "ingress", "GET /")]

    assert named == [True, True, False]


@pytest.mark.parametrize(
    ("state", "chance"),
    [
        ("ot=th:8", 0.5),
        ("ot=th:0", 1.0),
        ("ot=rv:abc;th:c", 0.25),
        ("es=s:1, ot=th:fff;rv:1", 1 / 16**3),
        ("ot=th:ffffffffffffff", None),
        ("ot=rv:abc", None),
        ("vendor=th:8", None),
        ("", None),
        ("ot=th:xyz", None),
    ],
)
def test_a_trace_state_tells_the_chance_of_having_been_kept(state, chance):
    """Threshold over 2^56, trailing zeros left out."""
    assert probability(state) == pytest.approx(chance) if chance else probability(state) is None
