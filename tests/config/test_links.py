"""Addresses of Prometheus and Grafana with a place for a query."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from firedamp.config.links import Links, filled

GRAPH = "https://prometheus.example/graph?g0.expr={query}&g0.range_input=1h"


def test_links_are_off_until_somebody_writes_one():
    """No address is guessed."""
    assert Links().named() == ()
    assert Links(prometheus=GRAPH).named() == (("Prometheus", GRAPH),)


def test_a_query_cannot_leave_its_place():
    """Whatever is in it, it is encoded whole, and places inside it stay text."""
    hostile = 'x{a="&g0.expr=evil#<script>{from}"}'

    address = filled(GRAPH, {"query": hostile, "from": "F"})

    assert address == (
        "https://prometheus.example/graph?g0.expr=x%7Ba%3D%22%26g0.expr%3Devil%23%3Cscript%3E%7Bfrom%7D%22%7D"
        "&g0.range_input=1h"
    )


def test_within_json_a_query_stays_one_string():
    """The quotes of its matchers end nothing."""
    template = "https://grafana.example/explore?panes=%7B%22expr%22:%22{query_json}%22%7D"
    query = 'r{code=~"5..",path="a\\b"}'

    [panes] = parse_qs(urlsplit(filled(template, {"query": query})).query)["panes"]

    assert json.loads(panes) == {"expr": query}


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({query})",
        "https://{query}/",
        "https://prometheus.example/graph",
        "https://prometheus.example/{query}/{other}",
        "https://prometheus.example/{query} x",
        "https:///{query}",
        "/graph?{query}",
    ],
)
def test_what_is_no_template_is_refused(template):
    """Read strictly, for a page makes links of it."""
    with pytest.raises(ValidationError):
        Links(prometheus=template)
