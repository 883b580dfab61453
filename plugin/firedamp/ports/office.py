"""What administrators work with: who has which token, and how firedamp itself is doing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from firedamp.ports.stores import Token


class Keys(Protocol):
    """Makes and revokes tokens, each with a line in the audit trail."""

    async def known(self, by: Token) -> Sequence[Token]:
        """
        Every token, of the store and of mounted files, revoked ones included.

        Raises:
            ForbiddenError: whoever asks may not.
        """
        ...

    async def make(self, wanted: Token, by: Token, now: float) -> str:
        """
        Make a token like this one (its digest is ignored), and return its secret.

        Raises:
            AskError: it cannot be made so; the message has the remedy.
            ForbiddenError: whoever asks may not.
        """
        ...

    async def revoke(self, name: str, by: Token, now: float) -> None:
        """
        Make a token of the store useless from now on.

        Raises:
            NotFoundError: none of this name is in force in the store.
            ForbiddenError: whoever asks may not.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceState:
    """
    How a source is doing, as this replica has seen it.

    Attributes:
        answered, failed: seconds since it last did; None where it never did.
        why: kind of the last failure.
    """

    name: str
    kind: str
    answered: float | None = None
    failed: float | None = None
    why: str = ""

    @property
    def good(self) -> bool | None:
        """Whether the last word was an answer; None where it was never asked."""
        return _good(self.answered, self.failed)


@dataclass(frozen=True, slots=True)
class WorkState:
    """
    How work beside the answers is doing, as this replica has seen it.

    Attributes:
        done, failed: seconds since it last was; None where it never was.
        why: kind of the last failure.
    """

    name: str
    done: float | None = None
    failed: float | None = None
    why: str = ""

    @property
    def good(self) -> bool | None:
        """Whether it was done the last time; None where there was nothing to do yet."""
        return _good(self.done, self.failed)


def _good(well: float | None, failed: float | None) -> bool | None:
    if well is None:
        return None if failed is None else False
    return failed is None or well <= failed


@dataclass(frozen=True, slots=True)
class Ailment:
    """
    Something that is not as it should be, and what to do about it.

    Attributes:
        namespace: whose it is; "" where it is everybody's.
    """

    what: str
    remedy: str
    grave: bool = False
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """
    How this replica is doing.

    Attributes:
        up_seconds: since it was started.
        store: where releases are kept; `trouble` is what is wrong with it, "" for nothing.
        work: what goes on beside the answers.
        running, snapshots: releases under judgement, and those that a restart can take up where they stood;
            None where the store does not say, or where they are not all one's own.
        intake: what the intake of spans holds and has lost, each with its number; empty where there is none.
        open_questions: being answered right now.
        put_off, surprises: questions beyond the limit, and exceptions nobody had foreseen, since the start.
    """

    version: str
    at: float
    up_seconds: float
    store: str
    trouble: str
    sources: tuple[SourceState, ...]
    work: tuple[WorkState, ...]
    intake: tuple[tuple[str, int], ...]
    running: int | None
    snapshots: int | None
    open_questions: int
    put_off: int
    surprises: int
    wrong: tuple[Ailment, ...]

    def told(self, token: Token) -> "Health":
        """As much of it as concerns whoever has this token: nothing of other namespaces."""
        if not token.namespaces:
            return self
        mine = tuple(one for one in self.wrong if one.namespace in ("", *token.namespaces))
        return replace(self, wrong=mine, running=None, snapshots=None)


@dataclass(frozen=True, slots=True)
class Office:
    """Both together."""

    keys: Keys
    health: Callable[[], Awaitable[Health]]
