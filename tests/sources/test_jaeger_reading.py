"""What is kept of an answer, and what of several."""

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import structs

from firedamp.queries import Operation
from firedamp.sources._reading import Wanted, uncollected
from firedamp.sources._slicing import SECOND, Slice
from firedamp.sources.jaeger.naming import Search
from firedamp.sources.jaeger.reading import Haul, Page, read
from firedamp.tracing import Kind, Root, Sought, Span, Trace

FLOW = Operation("gateway", "POST /orders")
WANTED = Wanted(Sought(("orders",), (FLOW,)), 100.0, 160.0)
SEARCH, WHOLE = Search("gateway", "POST /orders"), Slice(100 * SECOND, 160 * SECOND)
ROOT = Span("1" * 32, "a", "", "gateway", "POST /orders", Kind.SERVER, 101.0, 0.1)
KNOWN = Trace("1" * 32, 101.0, Root("gateway", "POST /orders", "POST /orders", 0.1, failed=False, code=""))


@pytest.fixture
def collecting() -> Iterator[None]:
    yield
    gc.enable()


def page(*spans: Span, search: Search = SEARCH, asked: int = 10) -> Page:
    return read(spans, search, WHOLE, asked, WANTED)


def brought(*pages: Page) -> Haul:
    haul = Haul(WANTED)
    for one in pages:
        haul.add(SEARCH, one)
    return haul


def test_fewer_traces_than_asked_for_are_all():
    """As many may be a part."""
    assert [page(ROOT, asked=asked).cut for asked in (2, 1)] == [False, True]


def test_traces_that_are_not_wanted_fill_a_page_too():
    """The store counted them."""
    other = replace(ROOT, trace_id="2" * 32, start=99.0)

    assert (page(other, asked=1).traces, page(other, asked=1).cut, page(other).found) == (1, True, [])


def test_only_spans_that_match_fill_a_page_by_their_number():
    """A trace's other spans are no rows of the search's."""
    calls = [replace(ROOT, span_id=f"{at}", parent_id="a", name="POST") for at in range(10)]
    again = [replace(ROOT, span_id=f"{at}", parent_id="a") for at in range(10)]

    assert not page(ROOT, *calls, asked=2).cut
    assert page(ROOT, *again, asked=2).cut


def test_a_root_of_another_name_tells_that_others_are_missed():
    """It was found by a span within, which not every trace has."""
    named = replace(ROOT, name="ingress", attributes={"http.route": "/orders", "http.method": "POST"})

    assert [page(one).astray for one in (ROOT, named)] == [False, True]
    assert not page(named, search=Search("gateway")).astray


def test_of_a_trace_found_twice_the_fuller_is_kept():
    """It may grow between two searches."""
    rootless = structs.replace(KNOWN, root=None)
    early, late = (Page(1, cut=False, found=[one], astray=False) for one in (rootless, KNOWN))

    assert [brought(early, late).traces(), brought(late, early).traces()] == [[KNOWN], [KNOWN]]


def test_cuts_and_searches_astray_add_up():
    """Over all searches of a question."""
    haul = brought(Page(1, cut=True, found=[KNOWN], astray=False), Page(0, cut=True, found=[], astray=True))

    assert (haul.cut, haul.astray) == (2, {SEARCH})


@pytest.mark.usefixtures("collecting")
def test_cycles_are_looked_for_again_after_reading():
    """Also when an answer could not be read."""
    during = []

    def broken() -> Iterator[Span]:
        during.append(gc.isenabled())
        raise ValueError("half an answer")
        yield ROOT

    with pytest.raises(ValueError, match="half"), uncollected():
        page(*broken())

    assert (during, gc.isenabled()) == ([False], True)


@pytest.mark.usefixtures("collecting")
def test_whoever_switched_collecting_off_keeps_it_off():
    """It is not for a source to switch it on."""
    gc.disable()
    with uncollected():
        pass

    assert not gc.isenabled()
