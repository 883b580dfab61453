"""
A check run over the blocks that are to be expected: for tests that have no forecast of their own.

Every block brings what is expected of it, so the first block that fails is about that of the median release.
"""

from firedamp.checks import PASS_LEVEL, Check, Grant, Moment
from firedamp.model import Block, Outcome, Slice


def first(check: Check, grant: Grant, piece: Slice, outcome: Outcome, blocks: int) -> int | None:
    """How many blocks, all alike, it takes until the check says this; None where so many are not enough."""
    run, look = check.begin(grant), grant.look_seconds
    for index in range(blocks):
        block = Block(index, index * look, (index + 1) * look)
        moment = Moment(block, index + 1, index >= grant.warm_up_looks, PASS_LEVEL, planning=False)
        run = run.take(piece, moment)
        if run.finding(moment).outcome is outcome:
            return index + 1
    return None
