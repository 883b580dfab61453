"""How traces arrive: what is noticed of them, and what is not made much of."""

import pytest
from msgspec.structs import replace

from firedamp.cohorts import LabelCohorts
from firedamp.model import Block
from firedamp.tracing import Root, Trace, Visit
from firedamp.tracing.arms import Cohorts
from firedamp.tracing.arrivals import AGAIN_SECONDS, Arrivals

NAMES = {"main": "v1", "canary": "v2"}
SELECTED = LabelCohorts(canary='version="$canary"', main='version="$main"').select("shop", "orders", NAMES)
COHORTS = Cohorts(NAMES, SELECTED, SELECTED, "orders")
ROOT = Root("gateway", "POST /orders", "POST", 0.5, failed=False, code="201")


def block(index: int, look: float = 30.0) -> Block:
    return Block(index, look * index, look * (index + 1))


def traces(count: int, version: str = "v2", first: int = 0) -> list[Trace]:
    visit = Visit(1.0, 0.1, "POST /orders", {"service.version": version}, failed=False, code="201")
    return [Trace(f"{first + number:032x}", 1.0, ROOT, (visit,)) for number in range(count)]


def asked_again(then: list[Trace], now: list[Trace]) -> Arrivals:
    known = Arrivals().count(block(0), then, COHORTS)
    ripe = known.ripe(block(4))
    assert ripe
    return known.again(ripe, block(4), now, COHORTS)


def rootless(some: list[Trace]) -> list[Trace]:
    return [replace(one, root=None) for one in some]


def test_a_block_is_asked_for_again_after_two_minutes_and_once():
    """Neither sooner nor twice."""
    known = Arrivals().count(block(0), traces(5), COHORTS)
    ripe = known.ripe(block(4))

    assert known.ripe(block(3)) is None
    assert ripe
    assert ripe.block == block(0)
    assert known.passed(ripe).ripe(block(9)) is None


def test_what_did_not_change_came_in_time():
    """The same traces, told again."""
    assert asked_again(traces(100), traces(100)).lateness(60.0) == ""


@pytest.mark.parametrize(
    "then",
    [
        traces(90),
        traces(90) + rootless(traces(10, first=90)),
        traces(90) + [replace(one, visits=()) for one in traces(10, first=90)],
        traces(90) + [replace(one, failed_below=True) for one in traces(10, first=90)],
    ],
    ids=["missing", "without its root", "without its visit", "told otherwise"],
)
def test_what_a_trace_did_not_tell_then_came_late(then):
    """Be it all of it or the part that decides."""
    assert asked_again(then, traces(100)).lateness(60.0).startswith("10 % of the canary's traces")


def test_what_comes_after_the_first_visit_may_come_when_it_likes():
    """A queue that is emptied later changes nothing of what was counted."""
    grown = [replace(one, visits=(*one.visits, replace(one.visits[0], start=500.0))) for one in traces(100)]

    assert asked_again(traces(100), grown).lateness(60.0) == ""


def test_each_version_is_looked_at_by_itself():
    """A canary with a twentieth of the traffic, all of it late, is five percent of everything."""
    baseline = traces(1900, "v1", first=100)

    assert asked_again(baseline, baseline + traces(100)).lateness(60.0).startswith("100 % of the canary's")


def test_four_late_traces_prove_nothing():
    """Of however few."""
    assert asked_again([], traces(4)).lateness(60.0) == ""
    assert asked_again([], traces(5)).lateness(60.0) != ""


def test_the_longest_time_that_was_needed_is_named():
    """Where looks lie minutes apart, late traces have had longer."""
    known = Arrivals().count(block(0), [], COHORTS)
    ripe = known.ripe(block(10))
    assert ripe

    assert "by 6 min they were" in known.again(ripe, block(10), traces(9), COHORTS).lateness(60.0)


def test_many_traces_cost_as_much_as_some_hundred():
    """They are chosen by their ids, the same ones both times."""
    many = traces(40_000)
    known = Arrivals().count(block(0), many[:30_000], COHORTS)
    ripe = known.ripe(block(4))
    assert ripe

    assert len(ripe.known) == 400
    assert known.again(ripe, block(4), many, COHORTS).lateness(60.0).startswith("25 % of the canary's")


def test_short_blocks_are_not_all_remembered():
    """Of blocks of a second, those a quarter of a minute apart."""
    known = Arrivals()
    for index in range(200):
        known = known.count(block(index, 1.0), traces(3), COHORTS)
        if ripe := known.ripe(block(index, 1.0)):
            known = known.passed(ripe)

    assert len(known.counted) <= AGAIN_SECONDS / 15 + 1


def test_roots_that_one_version_loses_are_noticed():
    """Its failures go with them."""
    both = traces(200, "v1", first=500) + rootless(traces(10)) + traces(40, first=10)
    said = Arrivals().count(block(0), both, COHORTS).losses(COHORTS)

    assert said.startswith("0 % of main's visits and 20 % of the canary's belong to traces without a root")


def test_roots_that_are_lost_by_chance_are_not_made_much_of():
    """Two of twenty, where one in twenty is usual."""
    both = traces(190, "v1", first=500) + rootless(traces(10, "v1", first=700))
    both += rootless(traces(2)) + traces(18, first=10)

    assert Arrivals().count(block(0), both, COHORTS).losses(COHORTS) == ""
