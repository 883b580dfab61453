"""Which searches find the roots of flows."""

import pytest

from firedamp.sources.jaeger.naming import Name, Search, searches

ORDERS = Name("POST /orders", "server")


def sought(*names: Name, operations: tuple[str, ...] = ("POST /orders",), astray: tuple[str, ...] = ()):
    gone = {Search("gateway", name) for name in astray}
    return {one.name for one in searches("gateway", operations, names, gone)}


def test_a_flow_is_searched_for_by_its_name():
    """Spans of other routes, and calls that the service makes, are none of its."""
    assert sought(ORDERS, Name("GET /carts", "server"), Name("POST", "client")) == {"POST /orders"}


def test_a_flow_that_no_span_is_named_after_is_searched_for_among_all():
    """Its route is told by an attribute, which Jaeger does not search."""
    assert sought(Name("GET /carts", "server"), Name("/orders", "server")) == {""}


def test_one_search_among_all_does_for_every_flow():
    """What is read once is chosen from for each."""
    assert sought(ORDERS, operations=("POST /orders", "GET /carts/{id}")) == {""}


@pytest.mark.parametrize("name", ["POST", "HTTP POST", "ingress"])
@pytest.mark.parametrize("kind", ["server", "consumer", ""])
def test_a_name_that_tells_no_route_is_searched_as_well(name, kind):
    """Some pods may name their spans so; stores that keep no kind leave it open."""
    assert sought(ORDERS, Name(name, kind)) == {"POST /orders", name}


@pytest.mark.parametrize("name", ["GET", "HTTP GET"])
def test_a_name_of_another_method_hides_nothing(name):
    """Unknown paths that are probed all day are named so."""
    assert sought(ORDERS, Name(name, "server")) == {"POST /orders"}


def test_a_flow_that_has_no_route_is_behind_no_other_name():
    """Its root's span has its name, whatever else it has."""
    names = (Name("ingress", "server"), Name("nightly", "internal"))

    assert sought(*names, operations=("nightly",)) == {"nightly"}


def test_a_search_that_missed_roots_is_not_asked_again():
    """What has the flow's name there is not its root."""
    assert sought(ORDERS, astray=("POST /orders",)) == {""}
