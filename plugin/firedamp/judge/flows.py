"""
Traces of the blocks that are due, counted for the checks that ask for them.

They are asked for once they have settled, so what a look counts of them lies that much further back than what
it counts of metrics. A backend in trouble takes nothing from the checks that live on metrics.
"""

import asyncio
from collections.abc import Mapping, Sequence

from firedamp import telemetry
from firedamp.errors import SourceDownError, SourceError
from firedamp.judge.plans import Flows
from firedamp.model import Block, Slice, Trouble, TroubleKind
from firedamp.ports import TraceSource
from firedamp.tracing.flows import Settled

Pieces = Sequence[Mapping[str, Slice]]


async def gather(
    name: str, source: TraceSource, flows: Flows, blocks: Sequence[Block], timeout_seconds: float
) -> Pieces:
    """What these blocks brought for each check that lives on traces; `name` is the source's."""
    begin, end = (at - flows.settle_seconds for at in (blocks[0].start, blocks[-1].end))
    try:
        found = await source.traces(flows.sought, begin, end, timeout_seconds)
    except SourceError as error:
        kind = TroubleKind.SOURCE_DOWN if isinstance(error, SourceDownError) else TroubleKind.REFUSED
        telemetry.SOURCE_ERRORS.labels(name, kind).inc()
        return nothing(flows, blocks, Trouble(kind, str(error)))
    telemetry.FETCH_BYTES.labels(name).observe(found.bytes_read)
    if found.doubt:
        return nothing(flows, blocks, Trouble(TroubleKind.PARTIAL, found.doubt))
    settled = Settled(found.found, flows.cohorts, flows.settle_seconds)
    return await asyncio.to_thread(settled.slices, flows.wanted, blocks)


def nothing(flows: Flows, blocks: Sequence[Block], why: Trouble) -> Pieces:
    """What is said where not all traces are known: of those that are, none is judged."""
    return [dict.fromkeys(flows.wanted, Slice(troubles=(why,))) for _ in blocks]
