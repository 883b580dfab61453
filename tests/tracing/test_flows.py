"""Traces counted: rows per pod, block and check."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from msgspec import structs

from firedamp.cohorts import LabelCohorts
from firedamp.model import Arm, Block, TroubleKind
from firedamp.queries import Measure, Operation, Traced
from firedamp.tracing import Call, Root, Trace, Visit
from firedamp.tracing.arms import Cohorts
from firedamp.tracing.flows import BOUNDS, EXAMPLES, Settled, fails

NAMES = {"main": "v1", "canary": "v2"}
SELECTED = LabelCohorts(canary='version="$canary"', main='version="$main"').select("shop", "orders", NAMES)
PLACE = Operation("gateway", "POST /orders")
ROOT = Root("gateway", "POST /orders", "POST", 0.5, failed=False, code="201")
BLOCKS = [Block(index, 30.0 * index, 30.0 * (index + 1)) for index in range(4)]
OUTCOME = Traced(Measure.OUTCOME, PLACE, ("error", "5xx", "404"))


def trace(
    number: int = 0, version: str = "v2", start: float = 10.0, pod: str = "a", code: str = "201"
) -> Trace:
    resource = {"service.version": version, "k8s.pod.name": pod}
    visit = Visit(start, 0.1, "POST /orders", resource, failed=False, code=code)
    call = Call(start, 0.2, answered=True, targets=(), address="", failed=False, code=code)
    return Trace(f"{number:032x}", start, structs.replace(ROOT, code=code), (visit,), (call,))


def counted(traces: list[Trace], wanted: Traced = OUTCOME, settle: float = 0.0):
    settled = Settled(traces, Cohorts(NAMES, SELECTED, SELECTED, "orders"), settle)
    return [slices["check"] for slices in settled.slices({"check": wanted}, BLOCKS)[0]]


def test_flows_are_counted_by_cohort_and_pod():
    """(Failed, all) of each pod."""
    flows = [trace(version="v1", pod="a"), trace(pod="b"), trace(pod="b", code="404"), trace(pod="c")]

    rows = counted(flows)[0].rows

    assert rows == {Arm.MAIN: {"a": (0, 1)}, Arm.CANARY: {"b": (1, 2), "c": (0, 1)}}


def test_a_flow_counts_in_the_block_in_which_it_has_settled():
    """It may grow for so long after its start; a block is open at its start and closed at its end."""
    found = counted([trace(start=10.0), trace(start=30.0), trace(start=30.1)], settle=60.0)

    assert [sum(row[1] for row in piece.rows.get(Arm.CANARY, {}).values()) for piece in found] == [0, 0, 2, 1]


def test_callers_that_tell_nothing_are_nobodys_fault():
    """Where no caller emits client spans nothing can be judged by them; that is said, and is no silence."""
    alone = structs.replace(trace(), calls=())

    untold, told, idle = (
        counted(flows, Traced(Measure.CALLER_SECONDS, PLACE))[0] for flows in ([alone], [alone, trace()], [])
    )

    assert [trouble.kind for trouble in untold.troubles] == [TroubleKind.UNTOLD]
    assert (told.troubles, idle.troubles) == ((), ())
    assert list(told.rows) == [Arm.CANARY]


def test_other_flows_are_not_counted():
    """Each check asks for one root."""
    other = structs.replace(trace(), root=structs.replace(ROOT, operation="GET /", name="GET /"))

    assert counted([other])[0].rows == {}


def test_a_flow_whose_root_has_not_arrived_tells_nothing():
    """It may have gone well or not."""
    assert counted([structs.replace(trace(), root=None)])[0].rows == {}


def test_a_flow_of_unknown_cohort_is_counted_as_such():
    """The service was asked, and nobody knows which version answered."""
    assert counted([trace(version="v3")])[0].unlabelled == 1.0


def test_a_flow_that_did_without_the_service_is_none_of_its():
    """A cache may have answered."""
    idle = structs.replace(trace(), visits=(), calls=())

    assert counted([idle])[0].unlabelled == 0.0


BESIDE = Traced(Measure.BESIDE, PLACE, ("error", "5xx", "404"))


def test_flows_that_did_not_meet_the_canary_are_counted_together():
    """Through the other version or without the service, of whatever pod; not those of the canary."""
    idle = structs.replace(trace(code="500"), visits=(), calls=())
    flows = [trace(version="v1", pod="a"), trace(version="v1", pod="b", code="404"), idle, trace(code="500")]

    assert counted(flows, BESIDE)[0].rows == {Arm.MAIN: {"beside": (2, 3)}}


def test_a_flow_that_met_the_canary_later_is_not_beside_it():
    """It met both, and so may have broken by the canary itself."""
    both = trace(version="v1")
    both = structs.replace(both, visits=(*both.visits, *trace(start=11.0).visits))

    assert counted([both], BESIDE)[0].rows == {}


def test_a_flow_of_unknown_cohort_is_not_beside_the_canary():
    """It may have met it."""
    piece = counted([trace(version="v3")], BESIDE)[0]

    assert (piece.rows, piece.unlabelled) == ({}, 0.0)


def test_failing_flows_beside_the_canary_are_kept_as_evidence():
    """They are what this check is about."""
    flows = [trace(1, "v1", code="500"), trace(2, "v1"), trace(3, code="500")]

    assert counted(flows, BESIDE)[0].examples == (f"{1:032x}",)


def test_failing_flows_of_the_canary_are_kept_as_evidence():
    """Ten of them, and none of the others."""
    flows = [trace(number, code="500") for number in range(20)] + [trace(30), trace(31, "v1", code="500")]

    assert counted(flows)[0].examples == tuple(f"{number:032x}" for number in range(EXAMPLES))


def test_a_flow_that_meets_both_versions_is_counted_once():
    """By the first, and said."""
    both = structs.replace(trace(), visits=(trace(version="v1").visits[0], trace().visits[0]))

    piece = counted([both, trace(1)])[0]

    assert (piece.mixed, piece.rows) == (1, {Arm.MAIN: {"a": (0, 1)}, Arm.CANARY: {"a": (0, 1)}})


def test_the_slowest_flows_of_the_canary_are_kept_as_evidence():
    """Where time is judged nothing fails."""
    flows = [
        structs.replace(trace(number), root=structs.replace(ROOT, seconds=seconds))
        for number, seconds in enumerate([0.1, 2.0, 0.2] + [0.1] * 10)
    ]

    found = counted(flows, Traced(Measure.FLOW_SECONDS, PLACE))[0].examples

    assert (len(found), found[:2]) == (EXAMPLES, (f"{1:032x}", f"{2:032x}"))


def test_failures_below_the_service_are_counted_by_themselves():
    """A root may swallow them."""
    flows = [structs.replace(trace(), failed_below=True), trace()]

    assert counted(flows, Traced(Measure.BELOW, PLACE))[0].rows == {Arm.CANARY: {"a": (1, 2)}}


@pytest.mark.parametrize(
    ("measure", "seconds"),
    [(Measure.FLOW_SECONDS, 0.5), (Measure.SERVICE_SECONDS, 0.1), (Measure.CALLER_SECONDS, 0.2)],
)
def test_durations_are_sorted_into_buckets(measure, seconds):
    """Of the whole, of the service, and of its caller."""
    piece = counted([trace()], Traced(measure, PLACE))[0]

    at = piece.rows[Arm.CANARY]["a"].index(1.0)
    assert piece.bounds[at - 1] < seconds <= piece.bounds[at]


def test_operations_are_counted_by_name():
    """What one version serves and the other does not."""
    gone = structs.replace(trace(), visits=(structs.replace(trace().visits[0], operation="POST"),))

    rows = counted([trace(version="v1"), gone], Traced(Measure.OPERATIONS))[0].rows

    assert rows == {Arm.MAIN: {"POST /orders": (0, 1, 0)}, Arm.CANARY: {"POST": (0, 1, 0)}}


def test_every_visit_is_asked_for_something():
    """Whatever the trace's own cohort: a later visit may have met the other one."""
    first, second = trace(version="v1").visits[0], trace(version="v2", code="503").visits[0]
    both = structs.replace(trace(version="v1"), visits=(first, second))

    rows = counted([both], Traced(Measure.OPERATIONS))[0].rows

    assert rows == {Arm.MAIN: {"POST /orders": (0, 1, 0)}, Arm.CANARY: {"POST /orders": (1, 1, 1)}}


def test_visits_of_traces_in_which_anything_fails_are_told_apart():
    """Whoever keeps failures keeps these traces."""
    below = structs.replace(trace(0), failed_below=True)

    rows = counted([below, trace(1)], Traced(Measure.OPERATIONS))[0].rows

    assert rows == {Arm.CANARY: {"POST /orders": (0, 2, 1)}}


def test_traces_sampled_alike_count_one_each():
    """Half of them all is half as many, and nothing else."""
    flows = [structs.replace(trace(number), probability=0.5) for number in range(4)]

    assert counted(flows)[0].rows == {Arm.CANARY: {"a": (0, 4)}}


def test_where_failures_are_kept_the_others_stand_for_more():
    """One in ten of the rest is kept, and tells so."""
    failing = [structs.replace(trace(number, code="500"), probability=1.0) for number in range(3)]
    well = [structs.replace(trace(number), probability=0.1) for number in range(4)]

    assert counted([*failing, *well])[0].rows == {Arm.CANARY: {"a": (3, pytest.approx(43))}}


def test_a_block_without_failures_counts_like_those_with_some():
    """What failures stand for is remembered; else rates would rise where nothing fails."""
    failing = structs.replace(trace(0, start=5.0, code="500"), probability=1.0)
    well = [structs.replace(trace(number, start=40.0), probability=0.1) for number in range(1, 5)]

    first, second, *_ = counted([failing, *well])

    assert first.rows == {Arm.CANARY: {"a": (1, 1)}}
    assert second.rows == {Arm.CANARY: {"a": (0, 40)}}


def test_too_few_good_flows_beside_failures_tell_nothing():
    """Each stands for so many that a version's part of the traffic is as uncertain as they are few."""
    failing = [structs.replace(trace(number, "v1", code="500"), probability=1.0) for number in range(4)]
    well = [structs.replace(trace(number, "v1"), probability=0.01) for number in range(10, 20)]

    piece = counted([*failing, *well])[0]

    assert piece.troubles[0].text.startswith(
        "10 of the old version's flows that went well were kept beside 4"
    )


def test_flows_of_unknown_cohort_stand_for_as_many_as_others():
    """Where traces are sampled."""
    lost = structs.replace(trace(version="v3"), probability=0.1)
    failing = structs.replace(trace(1, code="500"), probability=1.0)

    assert counted([lost, failing])[0].unlabelled == pytest.approx(10)


def test_calls_that_nobody_answered_are_no_single_pods_fault():
    """All pods of the arm share them, unless the caller knew whom it called."""
    call = structs.replace(trace().calls[0], answered=False, targets=("orders-canary",))
    lost = structs.replace(trace(9, code="503"), visits=(), calls=(call,))

    rows = counted([trace(0, pod="a"), trace(1, pod="b"), lost])[0].rows

    assert rows == {Arm.CANARY: {"a": (0.5, 1.5), "b": (0.5, 1.5)}}


def test_operations_are_weighed_like_any_other_count():
    """Failures are not what is rare of them."""
    well = [structs.replace(trace(number), probability=0.01) for number in range(3)]
    failing = structs.replace(trace(9, code="500"), probability=1.0)

    rows = counted([*well, failing], Traced(Measure.OPERATIONS))[0].rows

    assert rows[Arm.CANARY]["POST /orders"][1] == pytest.approx(3.01, rel=0.01)


def test_traces_that_tell_and_traces_that_do_not_are_not_counted_together():
    """Nobody knows what the silent ones stand for."""
    piece = counted([structs.replace(trace(0), probability=0.5), trace(1)])[0]

    assert (piece.rows, piece.troubles[0].kind) == ({}, TroubleKind.PARTIAL)
    assert piece.troubles[0].text.startswith("50 % of the traces do not tell how they were sampled")


@pytest.mark.parametrize(
    ("failed", "code", "failures", "answer"),
    [
        (True, "", ("error",), True),
        (False, "404", ("error", "5xx"), False),
        (False, "404", ("404",), True),
        (False, "503", ("5xx",), True),
        (False, "UNIMPLEMENTED", ("UNIMPLEMENTED",), True),
        (False, "", ("5xx", "404"), False),
        (True, "404", ("5xx",), False),
    ],
)
def test_what_a_failure_is_is_for_the_settings_to_say(failed, code, failures, answer):
    """The span's status, a class of codes, or a code."""
    assert fails(structs.replace(ROOT, failed=failed, code=code), failures) is answer


def test_bounds_rise_by_a_quarter_of_a_doubling_up_to_two_minutes():
    """Fine enough for a rise of a fifth."""
    ratios = [after / before for before, after in pairwise(BOUNDS[:-1])]

    assert max(ratios) == pytest.approx(min(ratios)) == pytest.approx(2**0.25)
    assert (BOUNDS[-2] > 120, BOUNDS[-1]) == (True, math.inf)


BILL = Operation("billing", "orders")


def bill(number: int, origin: Trace, start: float = 12.0, code: str = "200") -> Trace:
    """A message is read that was written in another trace."""
    root = structs.replace(ROOT, service="billing", operation="orders", name="process orders", code=code)
    return Trace(f"{number:032x}", start, root, links=(origin.trace_id,))


def test_a_linked_flow_belongs_to_the_version_that_wrote_its_message():
    """It never meets the service itself."""
    orders = [trace(1, "v1", pod="a"), trace(2, pod="b")]
    bills = [bill(3, orders[0]), bill(4, orders[1], code="500"), bill(5, orders[1])]

    piece = counted([*orders, *bills], replace(OUTCOME, root=BILL, linked=True))[0]

    assert piece.rows == {Arm.MAIN: {"a": (0, 1)}, Arm.CANARY: {"b": (1, 2)}}
    assert piece.examples == (f"{4:032x}",)


def test_a_message_may_be_read_much_later():
    """What wrote it was counted in an earlier block."""
    order = trace(1, pod="b")

    found = counted([order, bill(2, order, start=100.0)], replace(OUTCOME, root=BILL, linked=True))

    assert [piece.rows for piece in found] == [{}, {}, {}, {Arm.CANARY: {"b": (0, 1)}}]


def test_what_wrote_a_message_is_remembered_from_one_look_to_the_next():
    """As long as it is carried on."""
    order, wanted = trace(1, pod="b"), {"check": replace(OUTCOME, root=BILL, linked=True)}
    cohorts = Cohorts(NAMES, SELECTED, SELECTED, "orders")
    _, carried = Settled([order], cohorts, 0.0).slices(wanted, BLOCKS[:1])

    later = Settled([bill(2, order, start=40.0)], cohorts, 0.0, carried=carried)

    assert later.slices(wanted, BLOCKS[1:2])[0][0]["check"].rows == {Arm.CANARY: {"b": (0, 1)}}


def test_without_linked_flows_nothing_is_remembered_of_traces():
    """Their ids take room."""
    cohorts = Cohorts(NAMES, SELECTED, SELECTED, "orders")

    _, carried = Settled([trace(1)], cohorts, 0.0).slices({"check": OUTCOME}, BLOCKS)

    assert carried.origins.known == {}


def test_a_linked_flow_of_unknown_origin_is_not_counted():
    """Its message may be anybody's."""
    piece = counted([bill(3, trace(1))], replace(OUTCOME, root=BILL, linked=True))[0]

    assert (piece.rows, piece.unlabelled) == ({}, 0.0)


def test_linked_flows_beside_the_canary_are_those_of_other_messages():
    """What reads the canary's is compared with them elsewhere."""
    orders = [trace(1, "v1"), trace(2)]

    piece = counted(
        [*orders, bill(3, orders[0]), bill(4, orders[1])], replace(BESIDE, root=BILL, linked=True)
    )[0]

    assert piece.rows == {Arm.MAIN: {"beside": (0, 1)}}
