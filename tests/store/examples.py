"""Small values for tests about the store: a release, a look, a gate, an event, a token, people's words."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from firedamp.model import (
    Arm,
    Block,
    Controller,
    Evidence,
    Finding,
    Judged,
    Label,
    Look,
    Outcome,
    Release,
    ReleaseKey,
    Ruled,
    Ruling,
    Slice,
    Standing,
    Tier,
    Trouble,
    TroubleKind,
)
from firedamp.ports import Event, Gate, Lesson, Override, Token
from firedamp.store.database import Database

KEY = ReleaseKey("shop", "checkout", "7d9f8b6c5d", 1)


def a_release(key: ReleaseKey = KEY, **changed: object) -> Release:
    plain = Release(
        id=0,
        key=key,
        controller=Controller.ARGO,
        started=1_790_000_000.25,
        arms={"canary": "7d9f8b6c5d", "main": "5b8c7f6d4e"},
        experiment=False,
        parameters='{"look_seconds":30}',
        version="0.1.0",
        last_asked=1_790_000_000.25,
    )
    return replace(plain, **changed)


def a_look(index: int, sentence: str = "errors: 0.31 % against 0.30 % in main") -> Look:
    start = 1_790_000_000.25 + 30 * index
    rows = {Arm.MAIN: {"main-1": (3.0, 1000.0)}, Arm.CANARY: {"canary-1": (float(index), 200.0)}}
    finding = Finding("errors", "proportion", Tier.CRITICAL, Outcome.INCONCLUSIVE, sentence, p_value=1 / 3)
    return Look(
        Evidence(Block(index, start, start + 30), {"errors": Slice(rows)}), (finding,), Standing(), "0.1.0"
    )


def a_blind_look(index: int, why: str) -> Look:
    """A look whose source did not answer."""
    look, trouble = a_look(index), Trouble(TroubleKind.SOURCE_DOWN, why)
    return replace(look, evidence=replace(look.evidence, slices={"errors": Slice({}, troubles=(trouble,))}))


def a_lesson(**changed: object) -> Lesson:
    plain = Lesson("shop", "checkout", "errors", "5f2c", 0, 1000.5, 1 / 3, 12.0, -0.25, 3.5, 7.0, 1e6 / 3)
    return replace(plain, **changed)


def a_gate(**changed: object) -> Gate:
    plain = Gate("shop", "checkout", "confirm-promotion", "7d9f8b6c5d", True, 2000.0, "alex", 1000.0)
    return replace(plain, **changed)


def a_ruling(release_id: int, word: Ruled = Ruled.REAL, **changed: object) -> Ruling:
    plain = Ruling(release_id, "p99", word, "anna", 1000.5, block=7, said="p99: 1.4 times main's")
    return replace(plain, **changed)


def a_label(release_id: int, word: Judged = Judged.TRUE_POSITIVE, **changed: object) -> Label:
    return replace(Label(release_id, word, "anna", 1000.5), **changed)


def an_override(version: int = 1, **changed: object) -> Override:
    plain = Override("shop", "checkout", version, "anna", 1000.5, body='{"checks":{"p99":{"tolerance":0.2}}}')
    return replace(plain, **changed)


def an_event(text: str = "promoted", **changed: object) -> Event:
    return replace(Event(1000.5, "hook", "shop", "checkout", "7d9f8b6c5d", "flagger", text), **changed)


def a_token(name: str = "argo", **changed: object) -> Token:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return replace(Token(name, digest, "asker", ("shop", "pay"), created=1000.5), **changed)


@asynccontextmanager
async def a_database(url: str) -> AsyncIterator[Database]:
    """The database behind a store, to look at it or to spoil it."""
    database = Database(url)
    try:
        yield database
    finally:
        await database.dispose()
