"""
Taking looks: what is due, from which evidence, and where the running statistics live.

A look is due when a block is over. Running statistics are kept in memory for as long as there is room and
rebuilt from the store when they are not there, after a restart (from the last snapshot and the looks since
then), or when another replica went on with them.

What takes long, a rebuilding or the catching up after an outage, is done piece by piece, and each piece
is kept: a question whose time is over leaves the rest to the next one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from firedamp import __version__, telemetry
from firedamp.decision import known, recorded, session
from firedamp.decision.parameters import Parameters
from firedamp.decision.session import Session
from firedamp.errors import ConflictError, SourceError
from firedamp.judge import evidence, plans, rulings
from firedamp.judge.book import Profile
from firedamp.judge.gathering import Gathering
from firedamp.judge.past import Past
from firedamp.judge.snapshots import Snapshots
from firedamp.judge.waiting import in_time, waiting
from firedamp.model import Block, Evidence, Look, Release
from firedamp.ports import Store

#: Samples younger than this may still be on their way.
LAG_SECONDS = 5.0
#: So many blocks are fetched, judged and recorded at once when catching up.
_CAUGHT_UP_AT_ONCE = 10
#: So many looks are read from the store at once when rebuilding.
_REBUILT_AT_ONCE = 100
#: Part of the caller's deadline after which no further blocks are begun.
_CATCH_UP_SHARE = 0.4


@dataclass(slots=True)
class Living:
    """A release's running statistics in memory; lost without harm, for the store can rebuild them."""

    session: Session
    planned: plans.Plan
    noise: str
    memories: evidence.Memories = field(default_factory=evidence.Memories)
    last: Look | None = None


class Looks:
    """Takes the looks of all releases; whoever calls holds the release's lock."""

    def __init__(
        self,
        gathering: Gathering,
        store: Store,
        past: Past,
        snapshots: Snapshots,
        *,
        deadline_seconds: float,
        sessions: int,
    ) -> None:
        self._gathering = gathering
        self._store = store
        self._past = past
        self._snapshots = snapshots
        self._deadline = deadline_seconds
        self._sessions = sessions
        self._living: OrderedDict[int, Living] = OrderedDict()

    def forget(self, release: Release) -> Session | None:
        """Let go of a release's running statistics; these, where there were any."""
        living = self._living.pop(release.id, None)
        return living.session if living else None

    async def last(self, release: Release) -> Look | None:
        """The last look taken, by whomever."""
        living = self._living.get(release.id)
        return living.last if living and living.last else await self._store.last_look(release.id)

    async def take(
        self, release: Release, parameters: Parameters, profile: Profile, now: float
    ) -> tuple[Look | None, Release]:
        """
        The look of the last block that is over, taken now where nobody has taken it yet.

        Raises:
            SourceError: no look could be taken, or not in time; asking again may help.
        """
        async with in_time(self._deadline):
            if not self._is_due(release, parameters, now):
                return await self.last(release), release
            with waiting("what earlier hours tell of noise"):
                release = await self._pinned(release, parameters)
            with waiting("firedamp's own store"):
                living = await self._rebuilt(release, parameters)
            return await self._caught_up(release, profile, living, now)

    async def _caught_up(
        self, release: Release, profile: Profile, living: Living, now: float
    ) -> tuple[Look | None, Release]:
        clock, begun = asyncio.get_running_loop().time, living.session.blocks
        enough = clock() + _CATCH_UP_SHARE * self._deadline
        while (blocks := _due(living.session, now)) and (clock() < enough or living.session.blocks == begun):
            try:
                release = await self._taken(release, profile, living, blocks)
            except ConflictError:
                # Another replica took them in the meantime; theirs are as good, and so is what they knew.
                stored = await self._store.release(release.id)
                release = replace(release, noise=stored.noise if stored else "")
                living = await self._rebuilt(release, living.session.parameters)
                break
            except SourceError:
                if living.session.blocks == begun:
                    raise
                break  # the next question will say so
        return living.last, release

    def _is_due(self, release: Release, parameters: Parameters, now: float) -> bool:
        living = self._living.get(release.id)
        taken = living.session.blocks if living else 0
        return session.block(parameters, release.started, taken).end <= now - LAG_SECONDS

    async def _pinned(self, release: Release, parameters: Parameters) -> Release:
        """The release with what is known of its noise; written with the first look and never changed."""
        if release.noise:
            return release
        # A version that knew no noise may have begun it; its looks must come out as they are.
        begun = await self._store.last_look(release.id) is not None
        return replace(
            release, noise=known.NOTHING if begun else await self._past.pinned(release, parameters)
        )

    async def _rebuilt(self, release: Release, parameters: Parameters) -> Living:
        """The session in memory, with every look in the store taken in."""
        living = self._kept(release, parameters)
        if not living.session.blocks:
            living.session = await self._snapshots.restored(release, living.session)
        before = living.session.blocks
        after = before - 1
        while looks := await self._store.looks(release.id, after=after, limit=_REBUILT_AT_ONCE):
            pieces = [look.evidence for look in looks]
            # Half way there is no last look to answer from: the store has it.
            living.session = await asyncio.to_thread(session.replay, living.session, pieces)
            living.last, after = None, living.session.blocks - 1
        self._snapshots.took(release, living.session, before=before)
        living.last = living.last or await self._store.last_look(release.id)
        return living

    def _kept(self, release: Release, parameters: Parameters) -> Living:
        living = self._living.get(release.id)
        if living is None or living.noise != release.noise:
            planned = plans.plan(parameters, release)
            noise = known.from_json(release.noise)
            begun = session.begin(parameters, release.started, planned.against, noise)
            living = Living(begun, planned, release.noise)
        self._living[release.id] = living
        self._living.move_to_end(release.id)
        while len(self._living) > self._sessions:
            self._living.popitem(last=False)
        return living

    async def _taken(
        self, release: Release, profile: Profile, living: Living, blocks: Sequence[Block]
    ) -> Release:
        """Look at these blocks; the release with what was found. Nothing moves on before it is written."""
        memories = living.memories.copy()
        pieces = await self._gathering.gather(
            release, profile, living.session, living.planned, memories, blocks
        )
        with telemetry.stage(telemetry.Stage.EVALUATE), waiting("the statistics"):
            folded, looks = await asyncio.to_thread(_fold, living.session, pieces)
        with telemetry.stage(telemetry.Stage.RECORD), waiting("firedamp's own store"):
            release = await self._with_verdict(release, living.session.parameters, looks[-1])
            await self._store.add_looks(release, looks)
        if _is_over(folded) and not _is_over(living.session):
            self._past.over(release, folded)
        self._snapshots.took(release, folded, before=living.session.blocks)
        living.session, living.memories, living.last = folded, memories, looks[-1]
        telemetry.CHECK_VALUES.saw(release.key, release.verdict, looks[-1].findings)
        return release

    async def _with_verdict(self, release: Release, parameters: Parameters, look: Look) -> Release:
        """The release with the promote answer of this look, for lists of releases."""
        spoken = await rulings.in_force(self._store, release, parameters)
        verdict, sentence = recorded.verdict(release, parameters, look, spoken)
        return replace(release, verdict=verdict, sentence=sentence)


def _is_over(running: Session) -> bool:
    return running.standing.elapsed_seconds >= running.parameters.window.deadline_seconds


def _due(living: Session, now: float) -> list[Block]:
    look = living.parameters.window.look
    over = int((now - LAG_SECONDS - living.started) // look)
    wanted = range(living.blocks, min(over, living.blocks + _CAUGHT_UP_AT_ONCE))
    return [session.block(living.parameters, living.started, index) for index in wanted]


def _fold(living: Session, pieces: Sequence[Evidence]) -> tuple[Session, list[Look]]:
    looks = []
    for piece in pieces:
        living, findings = session.advance(living, piece)
        looks.append(Look(piece, findings, living.standing, __version__))
    return living, looks
