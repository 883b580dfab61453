"""A judge that is restarted on a real store goes on from its snapshots, to the last digit."""

from collections.abc import Sequence
from dataclasses import replace

from fakes import MemoryStore
from firedamp.decision import session, snapshot
from firedamp.decision.parameters import Parameters
from firedamp.judge import Judge
from firedamp.model import Arm, Question
from firedamp.ports import Snapshot, Store
from firedamp.store import SqlStore
from judge.shop import ASK, ERRORS, ShopBook, ShopSource
from rehearsal import Shop, blocks
from store.examples import a_release

CHECKS = [ERRORS, {**ERRORS, "name": "failures", "total": "http_requests_total{route!='/'}"}]
PARAMETERS = Parameters.model_validate({"checks": CHECKS})
LATENCY = {"name": "latency", "kind": "distribution", "histogram": "seconds"}
PROMOTE = replace(ASK, question=Question.PROMOTE)


def a_judge(store: Store) -> Judge:
    source = ShopSource(errors={"stable": 0.1, "canary": 0.13})
    return Judge(ShopBook(PARAMETERS), {"main": source}, store)


async def asked(judge: Judge, *wanted: int) -> list[str]:
    """Ask about these blocks when they are over, block -1 being none yet; the answers."""
    found = []
    for block in wanted:
        found.append(repr(await judge.answer(PROMOTE, 30.0 * (block + 1) + 5.0 * (block >= 0))))
        await judge.settled()
    return found


async def test_a_restart_at_any_block_changes_no_answer(url: str):
    """Judges come and go, each on a connection of its own; one in memory that never stops says the same."""
    calm = MemoryStore()
    steady = a_judge(calm)
    answers, kept = [], []
    # The first question opens the release, whose history is learnt before its first look.
    for block in range(-1, 32):
        async with SqlStore(url) as store:
            judge = a_judge(store)
            answers += await asked(judge, block)
            kept.append(await store.snapshot(1))
            await judge.close()
    async with SqlStore(url) as store:
        looks = await store.looks(1)

    assert answers == await asked(steady, *range(-1, 32))
    assert [repr(look) for look in looks] == [repr(look) for look in await calm.looks(1)]
    assert [one.block for one in kept if one is not None] == [9] * 10 + [19] * 10 + [29] * 3


async def test_a_session_comes_back_from_the_store(store: Store):
    """Errors and latencies: what is found after the snapshot is what would have been found."""
    parameters = Parameters.model_validate({"checks": [*CHECKS, LATENCY]})
    release, begun = await store.open(a_release()), session.begin(parameters, 0.0, Arm.MAIN)
    first, later = (list(blocks(parameters, Shop(), 20, start=start)) for start in (0, 20))
    before = session.replay(begun, first)
    await store.keep(Snapshot(release.id, 19, snapshot.taken(before)))
    kept = await store.snapshot(release.id)

    assert kept is not None
    assert found(snapshot.restored(kept.body, begun), later) == found(before, later)


def found(state: session.Session, pieces: Sequence[session.Evidence]) -> list[str]:
    said = []
    for piece in pieces:
        state, findings = session.advance(state, piece)
        said.append(repr((findings, state.standing)))
    return said
