"""Gates and the audit trail: what people ordered, what was done; and how both are looked through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

#: Hook types of Flagger that a gate may belong to; "*" stands for all of them.
GatedHook = Literal[
    "*",
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
]


@dataclass(frozen=True, slots=True)
class Gate:
    """
    A person's switch for one hook of one service; closed unless opened.

    Attributes:
        hook: hook type it belongs to ("confirm-promotion", "rollback", ... or "*" for all but orders:
            "rollback", "hold" and "off", which are meant only where they are named).
        revision: the revision it is meant for; "" for any.
        expires: Unix time after which it counts as closed.
    """

    namespace: str
    service: str
    hook: str
    revision: str
    is_open: bool
    expires: float
    by: str
    at: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for the audit trail: append-only."""

    at: float
    kind: str  # "gate", "hook", "outcome", "weight", "token", "mode" ...
    namespace: str
    service: str
    revision: str
    by: str
    text: str
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its place in the trail; ids only grow."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class Sifted:
    """
    Which events are looked for; what is left at its default leaves all of them.

    Attributes:
        namespaces: those of them; empty for all.
        since, until: Unix times: since <= at < until.
    """

    namespaces: tuple[str, ...] = ()
    service: str | None = None
    revision: str | None = None
    kind: str | None = None
    by: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many releases are under judgement, and of how many it is kept where that stood."""

    running: int
    snapshots: int


class Trails(Protocol):
    """The part of the store that tells who did what. Every method may raise StoreError."""

    async def trail(self, sifted: Sifted, *, before: int | None = None, limit: int = 50) -> Sequence[Entry]:
        """Newest first; `before` is the id of the last one of the page before."""
        ...

    async def switches(
        self, namespaces: Sequence[str] = (), *, service: str | None = None, since: float, limit: int = 200
    ) -> Sequence[Gate]:
        """Gates that expire at `since` or later, open ones before closed ones, the last switched first."""
        ...

    async def tally(self) -> Tally: ...

    async def switch(self, namespace: str, service: str, hook: str, revision: str) -> Gate | None:
        """This very gate as it was last switched; None where nobody ever did."""
        ...
