"""
Blocks in which an arm was silent, held until both have spoken.

A block with requests in one arm only compares nothing. Where requests are rare most blocks are like that,
and leaving them out would throw the evidence away; so they are added up until both arms have some. Nothing
is held over a change of the traffic step or the end of warm-up, nor for longer than ten minutes or so:
within that the share of traffic is taken as steady.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firedamp.checks._run import Moment
from firedamp.model import Arm, Row, Slice

_MAX_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Held:
    """
    Counts of the latest blocks, the one just taken included.

    Attributes:
        rows: arm -> pod -> counts, added up.
        bounds: bucket bounds they belong to; empty for plain counts.
        step, warm: traffic step and warm-up they were taken in.
        blocks: how many blocks they are of.
    """

    rows: Mapping[Arm, Mapping[str, Row]] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    step: int = 0
    warm: bool = False
    blocks: int = 0

    def add(self, piece: Slice, moment: Moment) -> "Held":
        """What is held after one more block; begun anew where the old counts must not be mixed with it."""
        alike = (self.bounds, self.step, self.warm) == (piece.bounds, moment.step, moment.warm)
        if not alike or self.blocks >= _MAX_BLOCKS:
            return Held(piece.rows, piece.bounds, moment.step, moment.warm, 1)
        rows = {
            arm: _sum(self.rows.get(arm, {}), piece.rows.get(arm, {})) for arm in {**self.rows, **piece.rows}
        }
        return Held(rows, piece.bounds, moment.step, moment.warm, self.blocks + 1)

    @property
    def piece(self) -> Slice:
        """The counts as one slice."""
        return Slice(self.rows, self.bounds)


#: All runs begin with the same, since it is frozen.
NOTHING = Held()


def _sum(old: Mapping[str, Row], new: Mapping[str, Row]) -> Mapping[str, Row]:
    return {
        pod: tuple(map(sum, zip(old[pod], new[pod], strict=True))) if pod in old and pod in new else row
        for pod, row in {**old, **new}.items()
    }
