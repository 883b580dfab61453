"""firedamp's memory. A store raises only `StoreError`s."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from firedamp.model import Look, Release, ReleaseKey
from firedamp.ports.corrections import Corrections
from firedamp.ports.lists import Lists
from firedamp.ports.trails import Event, Gate, Trails

#: So many releases of a service tell of a check's noise.
LESSONS = 20


@dataclass(frozen=True, slots=True)
class Token:
    """
    A credential; only its hash is kept.

    Attributes:
        name: what people call it.
        digest: hex SHA-256 of the secret.
        role: what it may do; `access.roles` knows them all.
        namespaces: namespaces it is good for; empty for all.
        path: usable as a secret path segment of Flagger's hooks.
    """

    name: str
    digest: str
    role: str
    namespaces: tuple[str, ...] = ()
    path: bool = False
    created: float = 0.0
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """
    A browser that is signed in; only its secret's digest is kept.

    Attributes:
        digest: hex SHA-256 of the secret in its cookie.
        token: digest of the token that signed in.
        began, expires: Unix time.
    """

    digest: str
    token: str
    began: float
    expires: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """
    What history, or one release, told of the noise of one check.

    Attributes:
        counts: digest of what the check counts; a lesson about other counts says nothing.
        release_id: the release that told it; 0 for history before a release.
        at: Unix time up to which the evidence goes.
        phi_sum, phi_weight, tau_sum, tau_weight, events, requests: as of `stats.noise.Learnt`.
    """

    namespace: str
    service: str
    check: str
    counts: str
    release_id: int
    at: float
    phi_sum: float
    phi_weight: float
    tau_sum: float
    tau_weight: float
    events: float = 0.0
    requests: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    Where the judgement of a release stood after a block: nothing that its looks do not tell.

    Attributes:
        block: index of the last block in it.
        body: the judge's own; no store reads it.
    """

    release_id: int
    block: int
    body: bytes


class Store(Lists, Corrections, Trails, Protocol):
    """firedamp's memory. Every method may raise StoreError."""

    def lock(self, key: ReleaseKey) -> AbstractAsyncContextManager[None]:
        """Hold the release (all its attempts) for one look; other replicas wait."""
        ...

    async def latest(self, namespace: str, service: str, revision: str | None) -> Release | None:
        """Latest attempt of a revision, or of any revision where it is None (by start)."""
        ...

    async def release(self, release_id: int) -> Release | None: ...

    async def open(self, release: Release) -> Release:
        """
        Insert a release (its id is ignored) and return it with its id.

        Raises:
            ConflictError: this attempt exists already.
        """
        ...

    async def update(self, release: Release) -> None:
        """Write back all that may change after opening, but its noise: last_asked and what follows it."""
        ...

    async def releases(
        self,
        *,
        namespace: str | None = None,
        service: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Release]:
        """Newest first; `before` is the id of the last one of the previous page."""
        ...

    async def looks(self, release_id: int, *, after: int = -1, limit: int | None = None) -> Sequence[Look]:
        """Looks of blocks > after, in order."""
        ...

    async def last_look(self, release_id: int) -> Look | None: ...

    async def last_looks(self, release_ids: Sequence[int]) -> Mapping[int, Look]:
        """The last look of each of these releases that has one."""
        ...

    async def add_looks(self, release: Release, looks: Sequence[Look]) -> None:
        """
        Append looks and write the release back, its noise included, in one transaction.

        Raises:
            ConflictError: one of the blocks has a look already; nothing was written.
        """
        ...

    async def snapshot(self, release_id: int) -> Snapshot | None:
        """The newest one kept of a release that has not ended; None where there is none (any more)."""
        ...

    async def keep(self, snapshot: Snapshot) -> None:
        """Keep a snapshot in place of an earlier block's, unless its release has ended or is not there."""
        ...

    async def lessons(self, namespace: str, service: str) -> Sequence[Lesson]:
        """What was told of the noise of a service's checks: by check, history first, then by release."""
        ...

    async def learn(self, lessons: Sequence[Lesson]) -> None:
        """
        Keep lessons, in one transaction; each takes the place of an earlier one of its check and release.

        Of each check the lessons of the newest `LESSONS` releases are kept.
        """
        ...

    async def gate(self, namespace: str, service: str, hook: str, revision: str, now: float) -> Gate | None:
        """The open, unexpired gate that applies: exact revision before "", exact hook before "*"."""
        ...

    async def gates(self, namespace: str | None = None) -> Sequence[Gate]: ...

    async def set_gate(self, gate: Gate) -> None:
        """Open or close a gate and record it in the audit trail, in one transaction."""
        ...

    async def record(self, event: Event) -> None: ...

    async def events(
        self,
        *,
        namespace: str | None = None,
        service: str | None = None,
        revision: str | None = None,
        limit: int = 200,
    ) -> Sequence[Event]:
        """Newest first."""
        ...

    async def tokens(self) -> Sequence[Token]: ...

    async def add_token(self, token: Token) -> None: ...

    async def revoke_token(self, name: str, now: float) -> bool: ...

    async def begin_session(self, session: Session) -> None:
        """Keep a session, and forget those that had expired when it began."""
        ...

    async def sessions(self, digests: Collection[str]) -> Sequence[Session]:
        """Those of them that began and were not ended, in any order; they may have expired."""
        ...

    async def end_session(self, digest: str) -> None:
        """Forget a session; nothing happens where there is none."""
        ...

    async def ready(self) -> str | None:
        """None when usable and migrated, else what is wrong."""
        ...

    async def close(self) -> None: ...
