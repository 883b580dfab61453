"""Flows that go on from others: which version's they are, by what they are linked to."""

from firedamp.model import Arm
from firedamp.tracing import Trace
from firedamp.tracing.origins import MOST, Origins

CANARY, MAIN = (Arm.CANARY, "b"), (Arm.MAIN, "a")


def trace(number: int, *links: int) -> Trace:
    return Trace(f"{number:032x}", float(number), links=tuple(f"{link:032x}" for link in links))


def test_a_trace_belongs_where_that_does_which_it_is_linked_to():
    """Whoever reads a message meets the version that wrote it."""
    origins = Origins().met([(trace(1), CANARY), (trace(2), MAIN)])

    assert origins.following([trace(3, 1), trace(4, 2)]) == [(trace(3, 1), CANARY), (trace(4, 2), MAIN)]


def test_a_batch_belongs_to_its_first_message():
    """Whether a canary's is among many would tell long batches from short ones."""
    origins = Origins().met([(trace(1), MAIN), (trace(2), CANARY)])

    assert origins.following([trace(3, 1, 2)]) == [(trace(3, 1, 2), MAIN)]


def test_a_message_of_somebody_else_is_passed_over():
    """The first of those that are known counts."""
    origins = Origins().met([(trace(2), CANARY)])

    assert origins.following([trace(3, 9, 2)]) == [(trace(3, 9, 2), CANARY)]


def test_a_trace_without_a_known_origin_goes_on_from_nobody():
    """Neither without links, nor linked to what met nobody."""
    origins = Origins().met([(trace(1), None)])

    assert origins.following([trace(2), trace(3, 1)]) == []


def test_those_met_last_are_remembered():
    """A queue is short; what is older is given up."""
    origins = Origins()
    for first in (0, MOST):
        origins = origins.met([(trace(number), MAIN) for number in range(first, first + MOST)])

    assert len(origins.known) == MOST
    assert origins.following([trace(9, 0), trace(9, 2 * MOST - 1)]) == [(trace(9, 2 * MOST - 1), MAIN)]
