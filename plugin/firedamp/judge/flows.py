"""
Traces of the blocks that are due, counted for the checks that ask for them.

They are asked for once they have settled, so what a look counts of them lies that much further back than what
it counts of metrics. A backend in trouble takes nothing from the checks that live on metrics:

- The first block is asked for by itself and may take all the time that there is; how long it took tells how
  many more can be asked for at once. What the source doubts, or refuses, is asked again in smaller pieces, so
  that what is complete is judged and only the rest is set aside.
- Blocks for which the time did not suffice are left for the next question, as long as the source tells the
  past many times faster than it goes on. A slower one would fall behind for ever, and all other checks with
  it, so its blocks are set aside.
- With what is left of the time one earlier block is asked for again, to see whether traces come late.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firedamp import telemetry
from firedamp.errors import SourceDownError, SourceError
from firedamp.judge.plans import Flows
from firedamp.model import Block, Slice, Trouble, TroubleKind
from firedamp.ports import TraceSource
from firedamp.tracing import Trace
from firedamp.tracing.arrivals import Arrivals
from firedamp.tracing.flows import Settled

#: A source keeps up that tells so many seconds within one.
KEEPS_UP = 20.0
#: Pieces are so large that twice the time would do for them.
_RESERVE = 2.0

Pieces = Sequence[Mapping[str, Slice]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """
    What traces told.

    Attributes:
        pieces: of the first of the blocks asked for, by check; of one at least.
        arrivals: what is known now of how traces arrive.
    """

    pieces: Pieces
    arrivals: Arrivals


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told of some adjoining blocks: all of their traces, or why not."""

    blocks: Sequence[Block]
    answer: Sequence[Trace] | Trouble


@dataclass(slots=True)
class _Asking:
    """
    One source, within the time of one look.

    Attributes:
        name: of the source.
        until: of the event loop's clock.
        spent, learnt: seconds of asking, and seconds of the past that were told by it.
        trouble: with the last question.
    """

    name: str
    source: TraceSource
    flows: Flows
    until: float
    spent: float = 0.0
    learnt: float = 0.0
    trouble: Trouble | None = None
    _pace: float = 0.0

    @property
    def left(self) -> float:
        """Seconds."""
        return self.until - _clock()

    def affordable(self, blocks: Sequence[Block]) -> int:
        """How many of these blocks may be asked for at once; 0 where the time is over."""
        if not self.spent:
            return 1
        each = _RESERVE * self._pace * _seconds(blocks[:1])
        return max(0, min(len(blocks), int(self.left / each))) if each else int(self.left > 0)

    async def ask(self, blocks: Sequence[Block], timeout_seconds: float) -> Sequence[Trace] | Trouble:
        """All traces that settled in these adjoining blocks, or why they are not known."""
        begun = _clock()
        # A block is open at its start and closed at its end; a search is the other way round.
        begin, end = (
            math.nextafter(at - self.flows.settle_seconds, math.inf)
            for at in (blocks[0].start, blocks[-1].end)
        )
        try:
            found = await self.source.traces(self.flows.sought, begin, end, timeout_seconds)
        except SourceError as error:
            kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
            telemetry.SOURCE_ERRORS.labels(self.name, kind).inc()
            self.trouble = Trouble(kind, str(error))
            return self.trouble
        finally:
            self.spent += _clock() - begun
        telemetry.FETCH_BYTES.labels(self.name).observe(found.bytes_read)
        self.trouble, self._pace = None, (_clock() - begun) / _seconds(blocks)
        if found.doubt:
            return Trouble(TroubleKind.PARTIAL, found.doubt)
        self.learnt += _seconds(blocks)
        return found.found

    @property
    def keeps_up(self) -> bool:
        return self.learnt >= KEEPS_UP * self.spent

    @property
    def given_up(self) -> Trouble:
        """Said of what was not asked for."""
        if self.trouble is not None:
            return self.trouble
        text = (
            f"source {self.name} took {self.spent:.1f} s for the traces of {self.learnt:.0f} s, too long to "
            "catch up with; what it could not tell in time is passed over"
        )
        return Trouble(TroubleKind.SOURCE_DOWN, text)


async def gather(
    name: str,
    source: TraceSource,
    flows: Flows,
    blocks: Sequence[Block],
    arrivals: Arrivals,
    timeout_seconds: float,
) -> Gathered:
    """What the first of these blocks brought for each check that lives on traces; `name` is the source's."""
    asking = _Asking(name, source, flows, _clock() + timeout_seconds)
    told = await _in_pieces(asking, blocks)
    rest = blocks[sum(len(one.blocks) for one in told) :]
    if rest and not asking.keeps_up:
        told.append(_Told(rest, asking.given_up))
    arrivals = await _again(asking, arrivals, told[-1].blocks[-1])
    return await asyncio.to_thread(_counted, flows, told, arrivals)


def nothing(flows: Flows, blocks: Sequence[Block], why: Trouble) -> Pieces:
    """What is said where not all traces are known: of those that are, none is judged."""
    return [dict.fromkeys(flows.wanted, Slice(troubles=(why,))) for _ in blocks]


async def _in_pieces(asking: _Asking, blocks: Sequence[Block]) -> list[_Told]:
    """What was told of the first of these blocks, in pieces as large as the source answers well."""
    found: list[_Told] = []
    size, at = 1, 0
    while at < len(blocks) and (affordable := asking.affordable(blocks[at:])):
        size = min(size, affordable)
        piece = blocks[at : at + size]
        answer = await asking.ask(piece, asking.left)
        if isinstance(answer, Trouble) and size > 1:
            size //= 2
            continue
        found.append(_Told(piece, answer))
        at, size = at + size, 1 if isinstance(answer, Trouble) else 2 * size
    return found


async def _again(asking: _Asking, arrivals: Arrivals, now: Block) -> Arrivals:
    """One earlier block, asked for again where there is time; whatever goes wrong with that says nothing."""
    ripe = arrivals.ripe(now)
    if ripe is None or not asking.affordable([ripe.block]):
        return arrivals
    answer = await asking.ask([ripe.block], asking.left / _RESERVE)
    if isinstance(answer, Trouble):
        return arrivals.passed(ripe)
    return await asyncio.to_thread(arrivals.again, ripe, now, answer, asking.flows.cohorts)


def _counted(flows: Flows, told: Sequence[_Told], arrivals: Arrivals) -> Gathered:
    pieces: list[Mapping[str, Slice]] = []
    for one in told:
        if isinstance(one.answer, Trouble):
            pieces += nothing(flows, one.blocks, one.answer)
            continue
        settled = Settled(one.answer, flows.cohorts, flows.settle_seconds)
        pieces += settled.slices(flows.wanted, one.blocks)
        for block in one.blocks:
            arrivals = arrivals.count(block, _settling(one.answer, block, flows), flows.cohorts)
    return Gathered(_doubted(flows, pieces, arrivals), arrivals)


def _settling(traces: Sequence[Trace], block: Block, flows: Flows) -> list[Trace]:
    return [one for one in traces if block.start < one.start + flows.settle_seconds <= block.end]


def _doubted(flows: Flows, pieces: Pieces, arrivals: Arrivals) -> Pieces:
    """The pieces, without what cannot be judged for how traces arrived lately."""
    late, lost = arrivals.lateness(flows.settle_seconds), arrivals.losses(flows.cohorts)
    if not (late or lost):
        return pieces
    return [{name: _without(flows, name, one, late, lost) for name, one in piece.items()} for piece in pieces]


def _without(flows: Flows, name: str, piece: Slice, late: str, lost: str) -> Slice:
    # What is asked of the service, whatever the root, needs none.
    why = late or (lost if flows.wanted[name].root is not None else "")
    return Slice(troubles=(Trouble(TroubleKind.PARTIAL, why), *piece.troubles)) if why else piece


def _seconds(blocks: Sequence[Block]) -> float:
    return blocks[-1].end - blocks[0].start


def _clock() -> float:
    return asyncio.get_running_loop().time()
