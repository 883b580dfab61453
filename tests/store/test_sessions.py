"""Who is signed in, in every store."""

from dataclasses import replace

import pytest

from firedamp.errors import ConflictError
from firedamp.ports import Session, Store

ONE = Session(digest="a1", token="b2", began=1000.0, expires=1100.0)


async def test_a_session_comes_back_as_it_began(store: Store):
    """By the digest of its secret, and by nothing else."""
    await store.begin_session(ONE)

    assert await store.sessions(["a1"]) == [ONE]
    assert await store.sessions(["b2"]) == []


async def test_many_sessions_are_one_question(store: Store):
    """Those that there are, in any order; nothing is asked for where nobody is."""
    other = replace(ONE, digest="c3", token="d4")
    await store.begin_session(ONE)
    await store.begin_session(other)

    found = await store.sessions(["c3", "e5", "a1"])

    assert sorted(found, key=lambda one: one.digest) == [ONE, other]
    assert await store.sessions([]) == []


async def test_a_session_ends_once_and_for_all(store: Store):
    """Ending it again, or ending what never was, is no error."""
    await store.begin_session(ONE)

    await store.end_session("a1")
    await store.end_session("a1")

    assert await store.sessions(["a1"]) == []


async def test_expired_sessions_go_when_another_begins(store: Store):
    """Nobody signs in without sweeping, and a living session stays."""
    await store.begin_session(ONE)
    await store.begin_session(replace(ONE, digest="c3", expires=2000.0))

    await store.begin_session(replace(ONE, digest="d4", began=1500.0, expires=1600.0))

    assert {one.digest for one in await store.sessions(["a1", "c3", "d4"])} == {"c3", "d4"}


async def test_two_sessions_never_share_a_secret(store: Store):
    """The second one is refused, whatever made it."""
    await store.begin_session(ONE)

    with pytest.raises(ConflictError):
        await store.begin_session(ONE)
