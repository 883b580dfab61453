"""Who is signed in, in every store."""

from dataclasses import replace

import pytest

from firedamp.errors import ConflictError
from firedamp.ports import Session, Store

ONE = Session(digest="a1", token="b2", began=1000.0, expires=1100.0)


async def test_a_session_comes_back_as_it_began(store: Store):
    """By the digest of its secret, and by nothing else."""
    await store.begin_session(ONE)

    assert await store.session("a1") == ONE
    assert await store.session("b2") is None


async def test_a_session_ends_once_and_for_all(store: Store):
    """Ending it again, or ending what never was, is no error."""
    await store.begin_session(ONE)

    await store.end_session("a1")
    await store.end_session("a1")

    assert await store.session("a1") is None


async def test_expired_sessions_go_when_another_begins(store: Store):
    """Nobody signs in without sweeping, and a living session stays."""
    await store.begin_session(ONE)
    await store.begin_session(replace(ONE, digest="c3", expires=2000.0))

    await store.begin_session(replace(ONE, digest="d4", began=1500.0, expires=1600.0))

    assert await store.session("a1") is None
    assert await store.session("c3") is not None


async def test_two_sessions_never_share_a_secret(store: Store):
    """The second one is refused, whatever made it."""
    await store.begin_session(ONE)

    with pytest.raises(ConflictError):
        await store.begin_session(ONE)
