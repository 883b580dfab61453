"""Requests without a version label, from the source's answer to the verdict and back out of the store."""

from dataclasses import replace

import pytest

from fakes import MemoryStore
from firedamp.cli import rerun
from firedamp.decision import parameters
from firedamp.judge import Judge
from firedamp.model import Arm, Outcome
from firedamp.store import codec
from judge.shop import ShopBook, ShopSource
from judge.test_judge import PARAMETERS, PROMOTE, watch

REASON = 'of the requests carry no label "rollouts_pod_template_hash"'
#: Per second; the pods of both versions together have forty.
TENTH = 40 / 9


@pytest.fixture
def store():
    return MemoryStore()


def judging(store: MemoryStore, **shop: float) -> Judge:
    return Judge(ShopBook(PARAMETERS), {"main": ShopSource(**shop)}, store)


async def test_a_tenth_without_a_label_is_never_passed(store):
    """The release passes without them, and with them the reason is said."""
    clean = await watch(judging(MemoryStore()), PROMOTE, 60.0, 900.0)
    verdict = await watch(judging(store, unlabelled=TENTH), PROMOTE, 60.0, 900.0)

    assert clean.outcome is Outcome.PASS
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert f"errors: cannot judge, 10 % {REASON}" in verdict.sentence


async def test_harm_is_said_beside_them(store):
    """A canary that fails ten times as often is rolled back."""
    source = ShopSource(unlabelled=TENTH, errors={"stable": 0.1, "canary": 1.0})
    verdict = await watch(Judge(ShopBook(PARAMETERS), {"main": source}, store), PROMOTE, 60.0, 900.0)

    assert verdict.outcome is Outcome.FAIL


async def test_a_judge_that_begins_anew_says_the_same(store):
    """What the blocks brought is in the store."""
    await watch(judging(store, unlabelled=TENTH), PROMOTE, 60.0, 900.0)
    again = await watch(judging(store), PROMOTE, 905.0, 906.0)

    assert REASON in again.sentence


async def test_stored_looks_come_out_byte_for_byte(store):
    """Judged again from their blobs, with the requests that no arm has."""
    await watch(judging(store, unlabelled=TENTH), PROMOTE, 60.0, 900.0)
    release = await store.release(1)
    looks = [codec.decode(codec.encode(look)) for look in await store.looks(1)]
    judged = rerun.again(release, looks, parameters.from_json(release.parameters))

    assert judged.differs_at is None
    assert REASON in judged.verdict.sentence


async def test_looks_of_an_older_firedamp_are_judged_as_they_were(store):
    """Nobody had asked for such requests, so none are held against the release."""
    await watch(judging(store), PROMOTE, 60.0, 900.0)
    release, looks = await store.release(1), await store.looks(1)
    judged = rerun.again(release, looks, parameters.from_json(release.parameters))

    assert {codec.encode(look)[0] for look in looks} == {1}
    assert judged.differs_at is None
    assert judged.verdict.outcome is Outcome.PASS


async def test_an_experiment_s_arms_are_what_they_are_held_against(store):
    """Baseline and canary are compared, so their requests count, whatever main has beside them."""
    rates = {"stable": 100.0, "old": 10.0, "new": 10.0}
    source = ShopSource(requests=rates, errors=dict.fromkeys(rates, 0.1), unlabelled=TENTH)
    ask = replace(PROMOTE, arms={"canary": "new", "baseline": "old", "main": "stable"}, experiment=True)
    verdict = await watch(Judge(ShopBook(PARAMETERS), {"main": source}, store), ask, 60.0, 900.0)
    piece = (await store.last_look(1)).evidence.slices["errors"]

    assert set(piece.rows) == {Arm.BASELINE, Arm.CANARY}
    assert f"10 % {REASON}" in verdict.sentence
