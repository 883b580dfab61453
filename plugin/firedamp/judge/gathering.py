"""Everything that the blocks which are due brought: metrics and traces, asked for together."""

import asyncio
from collections.abc import Mapping, Sequence

from firedamp import telemetry
from firedamp.counting import LOOK_BACK_SECONDS
from firedamp.decision.session import Session
from firedamp.errors import SourceDownError
from firedamp.judge import evidence, flows
from firedamp.judge.book import Profile
from firedamp.judge.plans import Plan
from firedamp.model import Block, Evidence, Release, Trouble, TroubleKind
from firedamp.ports import Source, Span, TraceSource

#: Part of the caller's deadline that a source may take.
_SOURCE_SHARE = 0.8


class Gathering:
    """Asks the sources that a service's profile names."""

    def __init__(
        self, sources: Mapping[str, Source], tracers: Mapping[str, TraceSource], *, deadline_seconds: float
    ) -> None:
        self._sources = sources
        self._tracers = tracers
        self._seconds = _SOURCE_SHARE * deadline_seconds

    async def gather(
        self,
        release: Release,
        profile: Profile,
        session: Session,
        planned: Plan,
        memories: evidence.Memories,
        blocks: Sequence[Block],
    ) -> list[Evidence]:
        """
        One piece of evidence for each of the first blocks: of all, unless traces take too long.

        Raises:
            SourceDownError: the source of the metrics answered nothing, so nothing can be judged now.
        """
        with telemetry.stage(telemetry.Stage.FETCH):
            try:
                async with asyncio.TaskGroup() as group:
                    answering = group.create_task(
                        self._answers(profile.source, session, planned, memories, blocks)
                    )
                    telling = group.create_task(self._flows(profile.tracer, planned, memories.traced, blocks))
            except ExceptionGroup as errors:
                # Where there are no metrics no look is taken, and traces are left alone.
                raise errors.exceptions[0] from errors
            told = telling.result()
            blocks, memories.traced = blocks[: len(told.pieces)], told.memory
            counts = evidence.counted(planned, answering.result(), blocks, memories)
        return evidence.assemble(session.parameters, planned, counts, told.pieces, blocks, release)

    async def _answers(
        self, name: str, session: Session, planned: Plan, memories: evidence.Memories, blocks: Sequence[Block]
    ) -> evidence.Answers:
        if not planned.queries:
            return {}
        source = self._sources.get(name)
        if source is None:
            raise SourceDownError(f"no source is named {name!r}; add it to sources in the settings")
        known = all(query in memories.counted for query in planned.counted)
        span = Span(
            begin=blocks[0].start - (session.parameters.window.look if known else LOOK_BACK_SECONDS),
            ends=tuple(block.end for block in blocks),
            window_seconds=_window(session, blocks[-1].end),
            timeout_seconds=self._seconds,
        )
        return await evidence.gather(name, source, planned, span)

    async def _flows(
        self, name: str, planned: Plan, memory: flows.Memory, blocks: Sequence[Block]
    ) -> flows.Gathered:
        if planned.flows is None:
            return flows.Gathered([{} for _ in blocks], memory)
        source = self._tracers.get(name)
        if source is None:
            text = f"no source of traces is named {name!r}; add it to sources in the settings"
            pieces = flows.nothing(planned.flows, blocks, Trouble(TroubleKind.REFUSED, text))
            return flows.Gathered(pieces, memory)
        return await flows.gather(name, source, planned.flows, blocks, memory, self._seconds)


def _window(session: Session, end: float) -> float:
    warm = session.started + session.parameters.window.warm_up
    return min(max(end - warm, session.parameters.window.look), evidence.MAX_WINDOW_SECONDS)
