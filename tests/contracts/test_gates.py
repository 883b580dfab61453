"""Gates for people: the load tester's paths and answers, and what it lacks: hook types, time, audit."""

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dialects import ASKER, NOW, SECRET, Client, Clock, payload, serving
from fakes import FakeJudge, MemoryStore

DAY_SECONDS = 86400.0


async def go(
    client: Client, action: str, query: str = "", secret: str = SECRET, method: str = "POST", **changed
) -> tuple[int, str]:
    """Call a gate the way curl -d does: no media type of JSON."""
    body = {"name": "checkout", "namespace": "shop"} | changed
    answer = await client.request(
        method, f"/flagger/v1/{secret}/{action}{query}", data=str(body).replace("'", '"')
    )
    return answer.status, await answer.text()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("action", "status", "text"),
    [
        ("gate/approve", 200, "OK"),
        ("gate/halt", 403, "Forbidden"),
        ("gate/check", 403, "Forbidden"),
        ("rollback/check", 403, "Forbidden"),
    ],
)
async def test_what_nobody_opened_is_closed(action, status, text, method):
    """The answers are the load tester's, by any method."""
    async with serving(FakeJudge()) as client:
        assert await go(client, action, method=method) == (status, text)


@pytest.mark.parametrize("kind", ["gate", "rollback"])
async def test_a_gate_opens_and_closes(kind):
    """Open answers 202, then check approves; close answers 202, then check forbids."""
    async with serving(FakeJudge()) as client:
        seen = [await go(client, f"{kind}/{action}") for action in ("open", "check", "close", "check")]

    assert [status for status, _ in seen] == [202, 200, 202, 403]
    assert (seen[1][1], seen[3][1]) == ("Approved", "Forbidden")


async def test_put_opens_too():
    """Some clients prefer PUT for what may be repeated."""
    async with serving(FakeJudge()) as client:
        status, _ = await go(client, "gate/open", method="PUT")

    assert status == 202


async def test_flaggers_own_payload_checks_its_gate():
    """A Canary's hook may point at gate/check as it did at the load tester."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open", "?hook=confirm-promotion")
        address = f"/flagger/v1/{SECRET}/gate/check?hook=confirm-promotion"
        answer = await client.post(address, json=payload())

        assert (answer.status, await answer.text()) == (200, "Approved")


async def test_a_gate_is_good_for_its_hook_only():
    """What was opened for one hook type approves no other."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open", "?hook=confirm-promotion")
        mine, _ = await go(client, "gate/check", metadata={"hook": "confirm-promotion"})
        others = [(await go(client, "gate/check", query))[0] for query in ("", "?hook=confirm-rollout")]

    assert mine == 200
    assert others == [403, 403]


async def test_a_gate_without_a_hook_is_good_for_all_but_rollback():
    """As with the load tester, one gate may serve every hook; a rollback takes its own."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open")
        every = [await go(client, "gate/check", f"?hook={hook}") for hook in ("confirm-promotion", "rollout")]
        rollback = await go(client, "rollback/check")

    assert [status for status, _ in every] == [200, 200]
    assert rollback[0] == 403


async def test_a_gate_is_good_for_its_revision_only():
    """A gate opened for one revision does not let the next one through."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open", "?revision=good")
        mine, _ = await go(client, "gate/check", checksum="good")
        other, _ = await go(client, "gate/check", checksum="bad")
        nobody, _ = await go(client, "gate/check")

    assert (mine, other, nobody) == (200, 403, 403)


@pytest.mark.parametrize(("query", "lasts"), [("", DAY_SECONDS), ("?expires=30m", 1800.0)])
async def test_a_gate_closes_by_itself(query, lasts):
    """After its time, a day unless told, a gate is closed though nobody closed it."""
    clock = Clock()
    async with serving(FakeJudge(), clock=clock) as client:
        await go(client, "gate/open", query)
        clock.now = NOW + lasts - 1
        before, _ = await go(client, "gate/check")
        clock.now = NOW + lasts + 1
        after, _ = await go(client, "gate/check")

    assert (before, after) == (200, 403)


async def test_who_opened_and_closed_is_on_record():
    """The audit trail names the token, never its secret."""
    store = MemoryStore()
    async with serving(FakeJudge(), store) as client:
        await go(client, "gate/open")
        await go(client, "gate/close")

    events = await store.events(namespace="shop", service="checkout")
    assert [event.by for event in events] == ["canaries", "canaries"]
    assert SECRET not in str(events)


async def test_closing_what_is_closed_is_on_record():
    """Somebody who closes a gate wanted something; the trail says so."""
    store = MemoryStore()
    async with serving(FakeJudge(), store) as client:
        status, _ = await go(client, "gate/close")

    assert status == 202
    assert len(await store.events(namespace="shop")) == 1


@pytest.mark.parametrize("action", ["gate/open", "gate/close", "rollback/open", "rollback/close"])
async def test_an_asker_opens_and_closes_nothing(action):
    """A credential that may ask must not be able to approve."""
    async with serving(FakeJudge()) as client:
        status, text = await go(client, action, secret=ASKER)
        check, _ = await go(client, action.split("/")[0] + "/check", secret=ASKER)

    assert (status, check) == (403, 403)
    assert "gatekeeper" in text


@pytest.mark.parametrize("action", ["gate/check", "gate/open", "rollback/check", "rollback/open"])
async def test_a_stranger_gets_nothing(action):
    """Without the secret, or outside its namespaces, every gate is closed."""
    async with serving(FakeJudge()) as client:
        wrong, text = await go(client, action, secret="fdp_wrong")
        elsewhere, _ = await go(client, action, namespace="bank")

    assert (wrong, elsewhere) == (403, 403)
    assert "fdp_wrong" not in text


@pytest.mark.parametrize("action", ["gate/check", "rollback/check", "gate/open"])
async def test_a_broken_store_closes_every_gate(action):
    """Closed is the safe side, of the rollback gate too."""
    store = MemoryStore()
    store.trouble = "disk full"
    async with serving(FakeJudge(), store) as client:
        status, text = await go(client, action)

    assert status == 403
    assert "disk full" not in text


async def test_the_address_goes_before_the_body():
    """A hook type in the address wins over one in the metadata."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open", "?hook=rollout", metadata={"hook": "pre-rollout"})
        rollout, _ = await go(client, "gate/check", "?hook=rollout")
        other, _ = await go(client, "gate/check", "?hook=pre-rollout")

    assert (rollout, other) == (200, 403)


async def test_a_gate_can_be_asked_for_in_the_address_alone():
    """A person may look with a browser."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open")
        answer = await client.get(f"/flagger/v1/{SECRET}/gate/check?name=checkout&namespace=shop")

        assert answer.status == 200


async def test_a_gate_of_another_service_stays_as_it_is():
    """Closing one service's gate closes no other's."""
    async with serving(FakeJudge()) as client:
        await go(client, "gate/open", name="cart")
        await go(client, "gate/close")
        status, _ = await go(client, "gate/check", name="cart")

    assert status == 200


async def test_closing_all_gates_spares_the_rollback_order():
    """gate/close is about the gates of hooks; an order to roll back has its own address."""
    async with serving(FakeJudge()) as client:
        await go(client, "rollback/open")
        await go(client, "gate/close")
        status, _ = await go(client, "rollback/check")

    assert status == 200


HOOKS = st.sampled_from(["", "*", "confirm-rollout", "confirm-promotion"])
REVISIONS = st.sampled_from(["", "a", "b"])
STEPS = st.lists(st.tuples(st.sampled_from(["open", "close"]), HOOKS, REVISIONS), max_size=6)


@settings(max_examples=40, deadline=None)
@given(STEPS, HOOKS, REVISIONS)
def test_after_closing_the_same_question_is_forbidden(steps, hook, revision):
    """Whatever was opened before: after open a check approves, after close it forbids."""
    asyncio.run(_opened_and_closed(steps, hook, revision))


async def _opened_and_closed(steps: list[tuple[str, str, str]], hook: str, revision: str) -> None:
    async with serving(FakeJudge()) as client:
        for action, of, at in itertools.chain(steps, [("open", hook, revision)]):
            await go(client, f"gate/{action}", _query(of, at))
        opened, _ = await go(client, "gate/check", _query(hook, revision))
        await go(client, "gate/close", _query(hook, revision))
        closed, _ = await go(client, "gate/check", _query(hook, revision))

    assert (opened, closed) == (200, 403)


def _query(hook: str, revision: str) -> str:
    return f"?hook={hook or '*'}&revision={revision}"
