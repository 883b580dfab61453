"""
Taking looks: what is due, from which evidence, and where the running statistics live.

A look is due when a block is over. Running statistics are kept in memory for as long as there is room and
rebuilt from the store when they are not there, after a restart, or when another replica went on with them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from firedamp import __version__, telemetry
from firedamp.counting import LOOK_BACK_SECONDS
from firedamp.decision import policy, session
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.errors import SourceDownError
from firedamp.judge import evidence
from firedamp.model import Block, Evidence, Look, Mode, Outcome, Question, Release
from firedamp.ports import Source, Span, Store

#: Samples younger than this may still be on their way.
LAG_SECONDS = 5.0
#: More blocks than this are not caught up in one look.
_MAX_CATCH_UP = 240
#: Part of the caller's deadline that a source may take.
_SOURCE_SHARE = 0.8


@dataclass(slots=True)
class Living:
    """A release's running statistics in memory; lost without harm, for the store can rebuild them."""

    session: Session
    planned: evidence.Plan
    memories: evidence.Memories = field(default_factory=evidence.Memories)
    last: Look | None = None


class Looks:
    """Takes the looks of all releases; whoever calls holds the release's lock."""

    def __init__(
        self, sources: Mapping[str, Source], store: Store, *, deadline_seconds: float, sessions: int
    ) -> None:
        self._sources = sources
        self._store = store
        self._deadline = deadline_seconds
        self._sessions = sessions
        self._living: OrderedDict[int, Living] = OrderedDict()

    def forget(self, release: Release) -> None:
        """Let go of a release's running statistics."""
        self._living.pop(release.id, None)

    async def last(self, release: Release) -> Look | None:
        """The last look taken, by whomever."""
        living = self._living.get(release.id)
        return living.last if living and living.last else await self._store.last_look(release.id)

    async def take(
        self, release: Release, parameters: Parameters, source: str, now: float
    ) -> tuple[Look | None, Release]:
        """
        The look of the last block that is over, taken now where nobody has taken it yet.

        Raises:
            SourceError: no look could be taken; asking again may help.
        """
        if not self._is_due(release, parameters, now):
            return await self.last(release), release
        living = await self._caught_up(release, parameters)
        blocks = _due(living.session, now)
        if not blocks:
            return living.last, release
        pieces = await self._gather(release, parameters, source, living, blocks)
        return await self._record(release, living, pieces)

    def _is_due(self, release: Release, parameters: Parameters, now: float) -> bool:
        living = self._living.get(release.id)
        known = living.session.blocks if living else 0
        return session.block(parameters, release.started, known).end <= now - LAG_SECONDS

    async def _caught_up(self, release: Release, parameters: Parameters) -> Living:
        """The session in memory, with every look in the store taken in."""
        living = self._living.get(release.id)
        if living is None:
            planned = evidence.plan(parameters, release)
            living = Living(session.begin(parameters, release.started, planned.against), planned)
        looks = await self._store.looks(release.id, after=living.session.blocks - 1)
        if looks:
            folded = await asyncio.to_thread(
                session.replay, living.session, [look.evidence for look in looks]
            )
            living = replace(living, session=folded, last=looks[-1])
        self._living[release.id] = living
        self._living.move_to_end(release.id)
        while len(self._living) > self._sessions:
            self._living.popitem(last=False)
        return living

    async def _gather(
        self, release: Release, parameters: Parameters, name: str, living: Living, blocks: Sequence[Block]
    ) -> list[Evidence]:
        source = self._sources.get(name)
        if source is None:
            raise SourceDownError(f"no source is named {name!r}; add it to sources in the settings")
        known = all(query in living.memories.counted for query in living.planned.counted)
        span = Span(
            begin=blocks[0].start - (parameters.window.look if known else LOOK_BACK_SECONDS),
            ends=tuple(block.end for block in blocks),
            window_seconds=_window(living.session, blocks[-1].end),
            timeout_seconds=_SOURCE_SHARE * self._deadline,
        )
        with telemetry.stage(telemetry.Stage.FETCH):
            counts = await evidence.gather(name, source, living.planned, blocks, living.memories, span)
        return evidence.assemble(parameters, living.planned, counts, blocks, release)

    async def _record(
        self, release: Release, living: Living, pieces: Sequence[Evidence]
    ) -> tuple[Look, Release]:
        with telemetry.stage(telemetry.Stage.EVALUATE):
            folded, looks = await asyncio.to_thread(_fold, living.session, pieces)
        release = _with_verdict(release, living.session.parameters, looks[-1])
        with telemetry.stage(telemetry.Stage.RECORD):
            await self._store.add_looks(release, looks)
        living.session, living.last = folded, looks[-1]
        telemetry.CHECK_VALUES.saw(release.key, release.verdict, looks[-1].findings)
        return looks[-1], release


def _due(living: Session, now: float) -> list[Block]:
    look = living.parameters.window.look
    over = int((now - LAG_SECONDS - living.started) // look)
    wanted = range(living.blocks, min(over, living.blocks + _MAX_CATCH_UP))
    return [session.block(living.parameters, living.started, index) for index in wanted]


def _fold(living: Session, pieces: Sequence[Evidence]) -> tuple[Session, list[Look]]:
    looks = []
    for piece in pieces:
        living, findings = session.advance(living, piece)
        looks.append(Look(piece, findings, living.standing, __version__))
    return living, looks


def _window(living: Session, end: float) -> float:
    warm = living.started + living.parameters.window.warm_up
    return min(max(end - warm, living.parameters.window.look), evidence.MAX_WINDOW_SECONDS)


def _with_verdict(release: Release, parameters: Parameters, look: Look) -> Release:
    """The release with the promote answer of this look, for lists of releases."""
    verdict = policy.answer(policy.Case(Question.PROMOTE, release, parameters, look, Mode.JUDGE))
    failed = look.standing.failed_block is not None
    outcome = verdict.outcome if failed or verdict.outcome is Outcome.PASS else Outcome.INCONCLUSIVE
    return replace(release, verdict=outcome, sentence=verdict.sentence)
