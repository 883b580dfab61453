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
from dataclasses import dataclass, field, replace

from firedamp import telemetry
from firedamp.errors import SourceDownError, SourceError
from firedamp.judge.plans import Flows
from firedamp.model import Block, Slice, Trouble, TroubleKind
from firedamp.ports import TraceSource
from firedamp.tracing import Attributes, Trace
from firedamp.tracing.arms import addresses, merged
from firedamp.tracing.arrivals import Arrivals, Counted
from firedamp.tracing.flows import Carried, Settled

#: A source keeps up that tells so many seconds within one.
KEEPS_UP = 20.0
#: Pieces are so large that twice the time would do for them.
_RESERVE = 2.0
#: So many pods' addresses are remembered.
_PODS = 500

Pieces = Sequence[Mapping[str, Slice]]


@dataclass(frozen=True, slots=True)
class Memory:
    """
    What is remembered of a release's traces between looks.

    Attributes:
        arrivals: how they arrive.
        pods: attributes of pods by their addresses, those met last at the end: one that answers no more is
            known by what it told before.
        carried: what counting carries from block to block.
    """

    arrivals: Arrivals = field(default_factory=Arrivals)
    pods: Mapping[str, Attributes] = field(default_factory=dict)
    carried: Carried = field(default_factory=Carried)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What traces told of the first of the blocks asked for, of one at least, and what is remembered."""

    pieces: Pieces
    memory: Memory


@dataclass(slots=True)
class _Asking:
    """
    One source, within the time of one look.

    Attributes:
        name: of the source.
        until: of the event loop's clock.
        memory: what is known of the release's traces.
        spent, learnt: seconds of asking and counting, and seconds of the past that were told by it.
        trouble: why the last question had no answer.
    """

    name: str
    source: TraceSource
    flows: Flows
    until: float
    memory: Memory
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

    async def told(self, blocks: Sequence[Block]) -> Pieces | Trouble:
        """What these adjoining blocks brought, or why that is not known."""
        begun = _clock()
        try:
            found = await self.ask(blocks, self.left)
            if isinstance(found, Trouble):
                return found
            counted, self.memory = await asyncio.to_thread(_counted, self.flows, blocks, found, self.memory)
            self.learnt += _seconds(blocks)
            return counted
        finally:
            took = _clock() - begun
            self.spent += took
            self._pace = self._pace if self.trouble else took / _seconds(blocks)

    async def ask(self, blocks: Sequence[Block], timeout_seconds: float) -> Sequence[Trace] | Trouble:
        """All traces that settled in these adjoining blocks, or why they are not known."""
        # A block is open at its start and closed at its end; a search is the other way round.
        begin, end = (
            math.nextafter(at - self.flows.settle_seconds, math.inf)
            for at in (blocks[0].start, blocks[-1].end)
        )
        try:
            found = await self.source.traces(self.flows.sought, begin, end, timeout_seconds)
        except SourceError as error:
            kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
            telemetry.unanswered(self.name, kind)
            self.trouble = Trouble(kind, str(error))
            return self.trouble
        self.trouble = None
        telemetry.answered(self.name, found.bytes_read)
        return Trouble(TroubleKind.PARTIAL, found.doubt) if found.doubt else found.found

    @property
    def keeps_up(self) -> bool:
        return self.learnt >= KEEPS_UP * self.spent

    @property
    def given_up(self) -> Trouble:
        """Said of what was not asked for."""
        text = (
            f"source {self.name} took {self.spent:.1f} s for the traces of {self.learnt:.0f} s, too long to "
            "catch up with; what it could not tell in time is passed over"
        )
        return self.trouble or Trouble(TroubleKind.SOURCE_DOWN, text)


async def gather(
    name: str,
    source: TraceSource,
    flows: Flows,
    blocks: Sequence[Block],
    memory: Memory,
    timeout_seconds: float,
) -> Gathered:
    """What the first of these blocks brought for each check that lives on traces; `name` is the source's."""
    asking = _Asking(name, source, flows, _clock() + timeout_seconds, memory)
    pieces = await _in_pieces(asking, blocks)
    if not asking.keeps_up:
        pieces += nothing(flows, blocks[len(pieces) :], asking.given_up)
    now = blocks[len(pieces) - 1]
    await _again(asking, memory.arrivals.ripe(now), now)
    return Gathered(_doubted(flows, pieces, asking.memory.arrivals), asking.memory)


def nothing(flows: Flows, blocks: Sequence[Block], why: Trouble) -> Pieces:
    """What is said where not all traces are known: of those that are, none is judged."""
    return [dict.fromkeys(flows.wanted, Slice(troubles=(why,))) for _ in blocks]


async def _in_pieces(asking: _Asking, blocks: Sequence[Block]) -> list[Mapping[str, Slice]]:
    """What was told of the first of these blocks, in pieces as large as the source answers well."""
    found: list[Mapping[str, Slice]] = []
    size = 1
    while (rest := blocks[len(found) :]) and (affordable := asking.affordable(rest)):
        piece = rest[: min(size, affordable)]
        told = await asking.told(piece)
        if isinstance(told, Trouble) and len(piece) > 1:
            size = len(piece) // 2
            continue
        found += nothing(asking.flows, piece, told) if isinstance(told, Trouble) else told
        size = 1 if isinstance(told, Trouble) else 2 * len(piece)
    return found


async def _again(asking: _Asking, ripe: Counted | None, now: Block) -> None:
    """One earlier block, asked for again where there is time; whatever goes wrong with that says nothing."""
    if ripe is None or not asking.affordable([ripe.block]):
        return
    answer = await asking.ask([ripe.block], asking.left / _RESERVE)
    known = asking.memory.arrivals
    if isinstance(answer, Trouble):
        known = known.passed(ripe)
    else:
        known = await asyncio.to_thread(known.again, ripe, now, answer, asking.flows.cohorts)
    asking.memory = replace(asking.memory, arrivals=known)


def _counted(
    flows: Flows, blocks: Sequence[Block], traces: Sequence[Trace], memory: Memory
) -> tuple[Pieces, Memory]:
    pods = merged(memory.pods, addresses(traces))
    settled = Settled(traces, flows.cohorts, flows.settle_seconds, pods, memory.carried)
    known = memory.arrivals
    for block, settling in zip(blocks, settled.by_block(blocks), strict=True):
        known = known.count(block, settling, flows.cohorts)
    pieces, carried = settled.slices(flows.wanted, blocks)
    return pieces, Memory(known, dict(list(pods.items())[-_PODS:]), carried)


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
