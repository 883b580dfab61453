"""
What flows did before a release: windows of the hours before it, asked of the source of traces.

The last hour is asked closely and the hours before it seldom, each time for half a minute of traces: so much
tells how often flows failed and how much that wandered, and asks no more of a backend than some looks do.
The newest window comes first: a source that remembers minutes, as our own intake does, tells those, and one
that does not answer is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from firedamp.checks import arm_rows
from firedamp.judge import flows
from firedamp.judge.plans import Flows
from firedamp.model import Arm, Block, Slice, TroubleKind
from firedamp.ports import TraceSource
from firedamp.queries import Measure
from firedamp.stats import earlier
from firedamp.stats.noise import Learnt

#: Length of a window, and longest time for its answer.
_WINDOW_SECONDS, _TIMEOUT_SECONDS = 30.0, 2.0
#: Windows in the last hour, and those that are spread over all the hours before it.
_NEAR, _FAR, _NEAR_SECONDS = 12, 10, 3600.0


async def told(
    name: str, source: TraceSource, asked: Flows, until: float, seconds: float
) -> dict[str, Learnt]:
    """
    What earlier windows tell, by check, of those that compare with them.

    Args:
        name: of the source.
        source: of traces.
        asked: by a release.
        until: when it began, Unix seconds.
        seconds: how far back.
    """
    wanted = {check: one for check, one in asked.wanted.items() if one.measure is Measure.BESIDE}
    found: dict[str, list[Slice]] = {check: [] for check in wanted}
    for block in windows(until, seconds) if wanted else ():
        piece = await _window(name, source, replace(asked, wanted=wanted), block)
        if any(trouble.kind is TroubleKind.SOURCE_DOWN for one in piece.values() for trouble in one.troubles):
            break
        for check, one in piece.items():
            found[check].append(one)
    return {check: _learnt(pieces) for check, pieces in found.items()}


def windows(until: float, seconds: float) -> list[Block]:
    """The windows to ask for, the newest first."""
    near = [index * _NEAR_SECONDS / _NEAR for index in range(_NEAR)]
    far = [_NEAR_SECONDS + index * (seconds - _NEAR_SECONDS) / _FAR for index in range(_FAR)]
    ages = [age for age in (*near, *far) if age + _WINDOW_SECONDS <= seconds]
    return [
        Block(index, until - age - _WINDOW_SECONDS, until - age)
        for index, age in enumerate(sorted(set(ages)))
    ]


async def _window(name: str, source: TraceSource, asked: Flows, block: Block) -> Mapping[str, Slice]:
    gathered = await flows.gather(name, source, asked, [block], flows.Memory(), _TIMEOUT_SECONDS)
    return gathered.pieces[0]


def _learnt(pieces: Sequence[Slice]) -> Learnt:
    """Of windows that were told whole."""
    rows = [row for piece in pieces if not piece.troubles for row in arm_rows(piece, Arm.MAIN).values()]
    return earlier.learnt([row[0] for row in rows], [row[1] for row in rows])
