"""Flagger's hooks: what each answers to each verdict, and what a real run would have met."""

import asyncio

import pytest

from contracts.dialects import ASKER, NOW, SECRET, UNREADABLE, Client, Clock, payload, recorded, serving
from fakes import FakeJudge, MemoryStore
from firedamp.config import Settings
from firedamp.model import Controller, Mode, Question
from firedamp.ports import Gate

CONFIRMS = ("confirm-traffic-increase", "confirm-promotion")
GUARDS = ("pre-rollout", "rollout")


async def call(client: Client, hook: str, secret: str = SECRET, **changed) -> tuple[int, str]:
    answer = await client.post(f"/flagger/v1/{secret}/{hook}", json=payload(**changed))
    return answer.status, await answer.text()


def opened(hook: str, revision: str = "", service: str = "checkout") -> Gate:
    return Gate("shop", service, hook, revision, is_open=True, expires=NOW + 60, by="ann", at=NOW)


TABLE = [
    ("confirm-rollout", "inconclusive", 200),
    ("confirm-rollout", "pass", 200),
    ("confirm-rollout", "fail", 200),
    ("pre-rollout", "inconclusive", 200),
    ("pre-rollout", "pass", 200),
    ("pre-rollout", "fail", 403),
    ("rollout", "inconclusive", 200),
    ("rollout", "pass", 200),
    ("rollout", "fail", 403),
    ("confirm-traffic-increase", "inconclusive", 403),
    ("confirm-traffic-increase", "pass", 200),
    ("confirm-traffic-increase", "fail", 403),
    ("confirm-promotion", "inconclusive", 403),
    ("confirm-promotion", "pass", 200),
    ("confirm-promotion", "fail", 403),
    ("rollback", "inconclusive", 403),
    ("rollback", "pass", 403),
    ("rollback", "fail", 200),
    ("post-rollout", "fail", 200),
    ("event", "fail", 200),
]


@pytest.mark.parametrize(("hook", "outcome", "status"), TABLE)
async def test_each_hook_has_its_own_meaning_of_a_verdict(hook, outcome, status):
    """Undecided holds a confirm hook only, and the rollback hook says yes to proven harm only."""
    judge = FakeJudge().says(outcome, rollback=outcome == "fail")
    async with serving(judge) as client:
        answered, line = await call(client, hook)

    assert answered == status
    assert line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["success", "fail", "hold", "rollback", "late-failure"])
async def test_a_real_run_goes_as_it_went(name):
    """Every call of a recorded run of Flagger 1.44 gets the status that made the run go on."""
    judge = SCRIPTS[name](MemoryStore())
    clock = Clock()
    async with serving(judge, judge._store, clock=clock) as client:
        for one in recorded(f"flagger-{name}"):
            if one["hook"] == "query":
                continue
            clock.now = NOW + one["at"]
            answer = await client.post(f"/flagger/v1/{SECRET}/{one['hook']}", json=one["body"])

            assert (answer.status, one) == (one["status"], one)


SCRIPTS = {
    "success": lambda store: (
        FakeJudge(store)
        .says("inconclusive")
        .says("pass", question=Question.ADVANCE)
        # Each rollout hook asks too, before confirm-promotion does.
        .says(*["inconclusive"] * 7, "pass", question=Question.PROMOTE)
    ),
    "fail": lambda store: FakeJudge(store).says(*["inconclusive"] * 4, "fail", question=Question.GUARD),
    "hold": lambda store: (
        FakeJudge(store)
        .says("inconclusive", question=Question.GUARD)
        .holds(2)
        # Two of them while confirm-rollout is held: it asks why.
        .says(*["inconclusive"] * 2, "pass", *["inconclusive"] * 2, "pass", question=Question.ADVANCE)
    ),
    "rollback": lambda store: Harmed(store).says("inconclusive", question=Question.GUARD),
    "late-failure": lambda store: (
        FakeJudge(store)
        .says(*["inconclusive"] * 12, "fail", question=Question.GUARD)
        .says("inconclusive", question=Question.PROMOTE)
    ),
}


class Harmed(FakeJudge):
    """Finds harm at the third rollback hook."""

    async def answer(self, ask, now):
        # Each tick's guards are two: the rollback hook, then pre-rollout or rollout.
        guards = sum(asked.opens and asked.question is Question.GUARD for asked in self.asked)
        if guards == 4 and ask.opens and ask.question is Question.GUARD:
            self.says("fail", question=Question.GUARD, rollback=True)
        return await super().answer(ask, now)


async def test_a_hook_is_asked_about_its_revision():
    """The checksum names the revision, and the service is the Canary's name."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "rollout")

    asked = judge.asked[0]
    assert (asked.namespace, asked.service, asked.revision) == ("shop", "checkout", "85d557f47b")
    assert (asked.question, asked.opens) == (Question.GUARD, True)


async def test_metadata_may_name_the_service():
    """A Canary that is called otherwise than its service says so in its metadata."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "rollout", metadata={"service": "cart"})

    assert judge.asked[0].service == "cart"


async def test_a_service_in_the_metadata_is_held_to_the_same_limits():
    """A name in the metadata is refused like any other name."""
    async with serving(FakeJudge()) as client:
        status, line = await call(client, "rollout", metadata={"service": "a b"})

    assert status == 400
    assert '"a b"' in line


async def test_confirm_rollout_opens_no_release():
    """Its checksum may be the old one."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "confirm-rollout")

    assert not any(ask.opens for ask in judge.asked)


async def test_a_rollback_hook_alone_is_enough_to_be_judged():
    """It is the first hook of a tick, and the only one that somebody may have set up."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "rollback")

    assert [(ask.revision, ask.opens) for ask in judge.asked] == [("85d557f47b", True)]


async def test_a_freeze_holds_confirm_rollout():
    """While nobody should release, no release begins, and the reason stands in the answer."""
    judge = FakeJudge().says("inconclusive", mode=Mode.HOLD, sentence="frozen until Monday")
    async with serving(judge) as client:
        status, line = await call(client, "confirm-rollout")

    assert status == 403
    assert "frozen until Monday" in line


async def test_the_judge_knows_that_flagger_asks():
    """Flagger asks for its first traffic increase at weight 0, which the judge lets through."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "confirm-traffic-increase")

    asked = judge.asked[0]
    assert (asked.controller, asked.question, asked.opens) == (Controller.FLAGGER, Question.ADVANCE, True)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
@pytest.mark.parametrize("hook", [*CONFIRMS, *GUARDS, "confirm-rollout"])
async def test_shadow_and_off_never_block(hook, mode):
    """There every hook but rollback is let through, and the verdict is told all the same."""
    judge = FakeJudge().says("fail", mode=mode, rollback=True)
    async with serving(judge) as client:
        status, _ = await call(client, hook)
        refused, _ = await call(client, "rollback")

    assert (status, refused) == (200, 403)


@pytest.mark.parametrize(
    ("mode", "outcome", "status"),
    [("judge", "fail", 403), ("judge", "inconclusive", 200), ("shadow", "fail", 200), ("judge", "pass", 200)],
)
async def test_what_the_policy_fails_is_a_failed_check(mode, outcome, status):
    """confirm-promotion can only hold, `rollout` ends it, and without harm nothing says rollback."""
    judge = FakeJudge().says("inconclusive", mode=Mode(mode), question=Question.GUARD)
    judge.says(outcome, mode=Mode(mode), question=Question.PROMOTE)
    async with serving(judge) as client:
        answered, _ = await call(client, "rollout")
        refused, line = await call(client, "rollback", phase="WaitingPromotion")

    assert answered == status
    assert refused == 403
    assert line.startswith("no rollback")


async def test_a_person_may_order_a_rollback():
    """An open rollback gate of this service is an order, whatever the verdict is."""
    store = MemoryStore()
    await store.set_gate(opened("rollback"))
    async with serving(FakeJudge().says("pass"), store) as client:
        status, line = await call(client, "rollback")
        other, _ = await call(client, "rollback", name="cart")
        expired = await call(client, "rollback", checksum="other")

    assert (status, other, expired[0]) == (200, 403, 200)
    assert "ann" in line


async def test_an_order_for_one_revision_spares_the_others():
    """A rollback gate with a revision is good for it alone."""
    store = MemoryStore()
    await store.set_gate(opened("rollback", revision="bad"))
    async with serving(FakeJudge(), store) as client:
        spared, _ = await call(client, "rollback", checksum="good")
        ordered, _ = await call(client, "rollback", checksum="bad")

    assert (spared, ordered) == (403, 200)


@pytest.mark.parametrize(
    ("hook", "change"),
    [
        ("post-rollout", {"phase": "Failed"}),
        ("event", {"metadata": {"eventMessage": "Canary failed! Scaling down checkout.shop"}}),
    ],
)
async def test_an_order_ends_with_its_release(hook, change):
    """When the end is reported the rollback gate closes, so the next release is not rolled back by it."""
    store = MemoryStore()
    await store.set_gate(opened("rollback"))
    await store.set_gate(opened("rollback", service="cart"))
    async with serving(FakeJudge(), store) as client:
        await call(client, hook, **change)
        status, _ = await call(client, "rollback")
        other, _ = await call(client, "rollback", name="cart")

    assert (status, other) == (403, 200)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Promotion completed! Scaling down checkout.shop", "promoted"),
        ("Canary failed! Scaling down checkout.shop", "rolled-back"),
        ("New revision detected! Restarting analysis for checkout.shop", "superseded"),
    ],
)
async def test_events_tell_how_a_release_ended(message, outcome):
    """Flagger's own words for an end are understood."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "event", metadata={"eventMessage": message})

    assert judge.endings == [("85d557f47b", outcome, "canaries")]


@pytest.mark.parametrize(("phase", "outcome"), [("Succeeded", "promoted"), ("Failed", "rolled-back")])
async def test_post_rollout_tells_the_end(phase, outcome):
    """The last hook of a release reports how it ended."""
    judge = FakeJudge()
    async with serving(judge) as client:
        await call(client, "post-rollout", phase=phase)

    assert judge.endings == [("85d557f47b", outcome, "canaries")]


async def test_events_tell_the_weight():
    """The canary's share is learnt from Flagger's event; the primary's way back is none."""
    judge = FakeJudge()
    async with serving(judge) as client:
        for message in ("Advance checkout.shop canary weight 20", "Advance checkout.shop primary weight 90"):
            await call(client, "event", metadata={"eventMessage": message})

    assert judge.weights == [("85d557f47b", 0.2)]


async def test_events_are_recorded():
    """Every event is kept in the audit trail, on one line."""
    store = MemoryStore()
    async with serving(FakeJudge(), store) as client:
        await call(client, "event", metadata={"eventMessage": "Halt\ncheckout", "eventType": "Warning"})

    event = (await store.events(namespace="shop"))[0]
    assert (event.text, event.by, event.kind) == ("Halt checkout", "canaries", "event")
    assert event.data == {"phase": "Progressing", "type": "Warning"}


async def test_no_secret_gets_into_the_audit_trail():
    """Flagger's events quote addresses of hooks that failed; ours hold secrets."""
    store = MemoryStore()
    message = f"Halt checkout.shop advancement POST http://firedamp/flagger/v1/{SECRET}/rollout giving up"
    async with serving(FakeJudge(), store) as client:
        await call(client, "event", metadata={"eventMessage": message})

    assert SECRET not in str(await store.events(namespace="shop"))


async def test_unknown_phases_are_accepted():
    """Flagger may have phases that we do not know."""
    async with serving(FakeJudge()) as client:
        status, _ = await call(client, "rollout", phase="Pondering")

    assert status == 200


async def test_new_fields_of_a_later_flagger_are_accepted():
    """A field that we do not know must not count against the canary."""
    async with serving(FakeJudge()) as client:
        status, _ = await call(client, "rollout", canaryWeight=20)

    assert status == 200


@pytest.mark.parametrize(("hook", "status"), [("confirm-promotion", 403), ("confirm-rollout", 403)])
async def test_a_gate_that_is_asked_for_holds(hook, status):
    """With gate: "true" a confirm hook waits for a person too, whatever the verdict is."""
    store = MemoryStore()
    async with serving(FakeJudge(), store) as client:
        closed, line = await call(client, hook, metadata={"gate": "true"})
        await store.set_gate(opened(hook))
        passed, _ = await call(client, hook, metadata={"gate": "true"})

    assert (closed, passed) == (status, 200)
    assert "gate" in line


async def test_an_open_gate_overrules_no_verdict():
    """A gate holds; it never turns undecided into pass."""
    store = MemoryStore()
    await store.set_gate(opened("*"))
    async with serving(FakeJudge().says("inconclusive"), store) as client:
        status, _ = await call(client, "confirm-promotion", metadata={"gate": "true"})

    assert status == 403


async def test_no_gate_is_asked_without_the_word():
    """Without gate: "true" the confirm hooks follow the verdict alone."""
    async with serving(FakeJudge()) as client:
        status, _ = await call(client, "confirm-promotion")

    assert status == 200


OWN_TROUBLE = [
    ("confirm-rollout", 403),
    ("pre-rollout", 200),
    ("rollout", 200),
    ("confirm-traffic-increase", 403),
    ("confirm-promotion", 403),
    ("rollback", 403),
    ("post-rollout", 200),
    ("event", 200),
]


@pytest.mark.parametrize(("hook", "status"), OWN_TROUBLE)
async def test_our_own_trouble_never_rolls_back(hook, status):
    """An exception nobody foresaw and a broken store hold a release at most."""
    judge, store = FakeJudge(), MemoryStore()
    judge.trouble = RuntimeError("a fault of ours")
    store.trouble = "disk full"
    async with serving(judge, store) as client:
        answered, line = await call(client, hook)

    assert answered == status
    assert "trouble" in line
    assert "disk full" not in line


@pytest.mark.parametrize(("hook", "status"), [("rollout", 200), ("confirm-rollout", 403), ("rollback", 403)])
async def test_overload_is_no_evidence(hook, status):
    """With too many questions open a guard goes on and the others hold."""
    judge = FakeJudge().says("fail", rollback=True)
    judge.patience_seconds = 1.5
    settings = Settings.model_validate({"limits": {"concurrent": 1}})
    async with serving(judge, settings=settings) as client:
        first = asyncio.create_task(call(client, "rollout"))
        await asyncio.sleep(0.1)
        answered, line = await call(client, hook)
        await first

    assert answered == status
    assert "the most allowed" in line


@pytest.mark.parametrize("secret", ["wrong", ASKER + "x"])
async def test_a_wrong_secret_is_refused_and_not_repeated(secret):
    """Nobody without the secret is answered, and it never comes back."""
    judge = FakeJudge()
    async with serving(judge) as client:
        status, line = await call(client, "rollout", secret=secret)

    assert status == 403
    assert secret not in line
    assert not judge.asked


async def test_a_secret_is_good_for_its_namespaces_only():
    """The namespace comes from the payload and is checked against the token."""
    async with serving(FakeJudge()) as client:
        status, line = await call(client, "rollout", namespace="bank")

    assert status == 403
    assert '"bank"' in line


@pytest.mark.parametrize(("hook", "status"), [("rollout", 200), ("rollback", 403)])
async def test_unreadable_tokens_stop_no_release(hook, status):
    """When even the secrets cannot be looked up, a running release goes on and none is rolled back."""
    async with serving(FakeJudge()) as client:
        answered, line = await call(client, hook, secret=UNREADABLE)

    assert answered == status
    assert "trouble" in line
