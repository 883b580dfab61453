"""Whose spans are kept: those of the settings from the start, others once somebody asked about them."""

import math

from firedamp.tracing import Kind, Span
from firedamp.tracing.intake import Interest

NOW = 1_800_000_000.0


def visit(service: str) -> Span:
    return Span("1" * 32, "2" * 16, "3" * 16, service, "GET", Kind.SERVER, NOW, 0.25)


def call(host: str) -> Span:
    told = {"server.address": host}
    return Span("1" * 32, "2" * 16, "3" * 16, "web", "GET", Kind.CLIENT, NOW, 0.25, attributes=told)


def test_a_service_is_learnt_when_it_is_asked_about():
    """Its visits and the calls to it, under every name that a mesh or controller makes of it."""
    interest = Interest(frozenset({"orders"}))
    spans = [
        visit("stock"),
        call("stock"),
        call("stock-canary.shop"),
        call("outbound|80||stock-primary.shop"),
    ]
    before = [interest.wants_span(span) for span in spans]

    interest.learn(("stock",), NOW)

    assert before == [False] * 4
    assert all(interest.wants_span(span) for span in spans)
    assert not interest.wants_span(call("stockings"))


def test_it_is_known_since_the_first_question_about_the_name_that_was_learnt_last():
    """Those of the settings were known ever since."""
    interest = Interest(frozenset({"orders"}))
    interest.learn(("stock",), NOW)

    assert interest.learn(("stock",), NOW + 60) == NOW
    assert interest.learn(("orders", "stock", "stock-canary"), NOW + 90) == NOW + 90
    assert interest.learn(("orders",), NOW + 90) == -math.inf


def test_names_that_callers_make_up_push_out_each_other():
    """Never those of the settings, nor one that is asked about all the time."""
    interest = Interest(frozenset({"orders"}), most=10)
    for number in range(1000):
        interest.learn((f"made-up-{number}",), NOW + number)
        interest.learn(("stock",), NOW + number)

    assert interest.wants_span(visit("orders"))
    assert interest.learn(("stock",), NOW + 1000) == NOW
    assert sum(interest.wants_span(visit(f"made-up-{number}")) for number in range(1000)) == 9


def test_a_name_that_made_room_is_learnt_anew():
    """What came in between is not known of it."""
    interest = Interest(frozenset(), most=2)
    interest.learn(("stock",), NOW)
    interest.learn(("one", "two"), NOW + 1)
    forgotten = not interest.wants_span(visit("stock"))

    assert forgotten
    assert interest.learn(("stock",), NOW + 2) == NOW + 2
