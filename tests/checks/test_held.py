"""Counts of silent blocks are kept until they can be compared."""

import pytest

from checkbench import errors, moment
from firedamp.checks import Moment
from firedamp.checks._held import Held
from firedamp.model import Arm, Slice

ALONE = Slice({Arm.MAIN: {"a": (1.0, 10.0)}})
OTHER = Slice({Arm.MAIN: {"a": (0.0, 5.0), "b": (1.0, 2.0)}, Arm.CANARY: {"c": (1.0, 1.0)}})


def held(*pieces: Slice) -> Held:
    """What is held after these pieces, all of them warm."""
    found = Held()
    for index, piece in enumerate(pieces):
        found = found.add(piece, moment(index, warm=True))
    return found


def test_counts_add_up_by_pod():
    """Pods that were there before add up, new ones join, and no arm is lost."""
    found = held(ALONE, OTHER).piece

    assert found.rows == {Arm.MAIN: {"a": (1.0, 15.0), "b": (1.0, 2.0)}, Arm.CANARY: {"c": (1.0, 1.0)}}


def test_nothing_is_held_for_longer_than_the_share_is_steady():
    """After twenty blocks the oldest counts say nothing of now, so holding begins anew."""
    assert held(*[ALONE] * 20).blocks == 20
    assert held(*[ALONE] * 21).piece == ALONE


@pytest.mark.parametrize(
    ("piece", "when"),
    [
        (Slice(ALONE.rows, (1.0, float("inf"))), moment(1, warm=True)),
        (ALONE, moment(1, warm=False)),
        (ALONE, Moment(moment(1).block, 2, True, step=1)),
    ],
)
def test_what_must_not_be_mixed_is_not(piece, when):
    """Other bucket bounds, the end of warm-up or another traffic step begin anew."""
    first = held(ALONE, ALONE)

    assert first.add(piece, when).piece == piece
    assert first.add(ALONE, moment(2, warm=True)).blocks == 3


def test_an_empty_block_holds_what_there_is():
    """A block without anything changes nothing."""
    assert held(errors((1, 5), (0, 0)), Slice()).piece.rows == errors((1, 5), (0, 0)).rows
