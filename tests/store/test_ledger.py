"""Gates, the audit trail and tokens, in every store."""

from dataclasses import replace

import pytest

from firedamp.errors import ConflictError
from firedamp.ports import Store
from store.examples import a_gate, a_token, an_event

ASKED = ("shop", "checkout", "confirm-promotion", "7d9f8b6c5d")


async def test_a_gate_is_closed_unless_opened(store: Store):
    """Without a row there is no open gate."""
    assert await store.gate(*ASKED, now=1500.0) is None


async def test_an_opened_gate_is_open(store: Store):
    """The gate that somebody opened is the one that applies."""
    await store.set_gate(a_gate(note="looks fine"))

    assert await store.gate(*ASKED, now=1500.0) == a_gate(note="looks fine")


async def test_a_closed_gate_is_closed(store: Store):
    """Closing replaces the row that opened."""
    await store.set_gate(a_gate())
    await store.set_gate(a_gate(is_open=False, at=1100.0))

    assert await store.gate(*ASKED, now=1500.0) is None
    assert await store.gates() == [a_gate(is_open=False, at=1100.0)]


@pytest.mark.parametrize(("now", "is_open"), [(2000.0, True), (2000.001, False)])
async def test_a_gate_closes_after_its_expiry(store: Store, now: float, is_open: bool):
    """A gate is open up to its expiry and closed after it."""
    await store.set_gate(a_gate(expires=2000.0))

    assert (await store.gate(*ASKED, now=now) is not None) is is_open


@pytest.mark.parametrize(
    "other",
    [{"namespace": "pay"}, {"service": "cart"}, {"hook": "confirm-rollout"}, {"revision": "5b8c7f6d4e"}],
)
async def test_a_gate_is_for_its_own_question(store: Store, other: dict[str, str]):
    """A gate of another namespace, service, hook or revision does not apply."""
    await store.set_gate(a_gate(**other))

    assert await store.gate(*ASKED, now=1500.0) is None


async def test_the_gate_closest_to_the_question_applies(store: Store):
    """Exact revision comes before any revision, then exact hook before any hook."""
    order = [("confirm-promotion", "7d9f8b6c5d"), ("*", "7d9f8b6c5d"), ("confirm-promotion", ""), ("*", "")]
    found = []
    for hook, revision in order:
        await store.set_gate(a_gate(hook=hook, revision=revision))
    for hook, revision in order:
        gate = await store.gate(*ASKED, now=1500.0)
        assert gate is not None
        found.append((gate.hook, gate.revision))
        await store.set_gate(a_gate(hook=hook, revision=revision, is_open=False))

    assert found == order


async def test_an_expired_gate_does_not_hide_an_open_one(store: Store):
    """Only open, unexpired gates compete."""
    await store.set_gate(a_gate(expires=1200.0))
    await store.set_gate(a_gate(hook="*", revision=""))

    assert await store.gate(*ASKED, now=1500.0) == a_gate(hook="*", revision="")


@pytest.mark.parametrize("hook", ["rollback", "hold", "off"])
async def test_opening_everything_orders_nothing(store: Store, hook: str):
    """A rollback, a hold and the kill switch are ordered by name only, and not hidden by what is open."""
    await store.set_gate(a_gate(hook="*"))
    asked = ("shop", "checkout", hook, "7d9f8b6c5d")

    assert await store.gate(*asked, now=1500.0) is None

    await store.set_gate(a_gate(hook=hook, revision=""))
    assert await store.gate(*asked, now=1500.0) == a_gate(hook=hook, revision="")


async def test_gates_are_listed_by_namespace(store: Store):
    """The list can be narrowed to a namespace."""
    await store.set_gate(a_gate())
    await store.set_gate(a_gate(namespace="pay"))

    assert await store.gates("pay") == [a_gate(namespace="pay")]
    assert await store.gates() == [a_gate(namespace="pay"), a_gate()]


async def test_switching_a_gate_is_recorded(store: Store):
    """Who switched which gate, when, until when and why is in the audit trail."""
    await store.set_gate(a_gate(note="looks fine"))
    await store.set_gate(a_gate(is_open=False, by="sam", at=1100.0))

    closed, opened = await store.events()
    assert (opened.kind, opened.by, opened.at, opened.text) == (
        "gate", "alex", 1000.0, "opened gate confirm-promotion: looks fine",
    )  # fmt: skip
    assert opened.data == {"hook": "confirm-promotion", "open": "true", "expires": "2000.0"}
    assert (closed.by, closed.text, closed.data["open"]) == ("sam", "closed gate confirm-promotion", "false")


async def test_events_come_back_newest_first(store: Store):
    """The trail is read backwards, as far as wanted."""
    for text in ("one", "two", "three"):
        await store.record(an_event(text, data={"weight": "20"}))

    assert [event.text for event in await store.events()] == ["three", "two", "one"]
    assert await store.events(limit=1) == [an_event("three", data={"weight": "20"})]


async def test_events_can_be_narrowed(store: Store):
    """Only the events of a namespace, a service, a revision are listed."""
    mine = an_event()
    for event in (mine, *(replace(mine, **{name: "other"}) for name in ("namespace", "service", "revision"))):
        await store.record(event)

    assert await store.events(namespace="shop", service="checkout", revision="7d9f8b6c5d") == [mine]
    assert len(await store.events(namespace="shop")) == 3


async def test_tokens_come_back_as_they_went_in(store: Store):
    """Roles, namespaces and the oldest first."""
    late = a_token("flagger", role="gatekeeper", namespaces=(), path=True, created=2000.0)
    await store.add_token(late)
    await store.add_token(a_token())

    assert await store.tokens() == [a_token(), late]


@pytest.mark.parametrize("changed", [{"digest": "00"}, {"name": "other"}])
async def test_a_token_is_added_once(store: Store, changed: dict[str, str]):
    """Neither a name nor a secret is taken twice, and the first one stays."""
    await store.add_token(a_token())

    with pytest.raises(ConflictError):
        await store.add_token(replace(a_token(), **changed))

    assert await store.tokens() == [a_token()]


async def test_a_token_is_revoked_once(store: Store):
    """Revoking says whether there was something to revoke, and keeps the first instant."""
    await store.add_token(a_token())

    assert await store.revoke_token("argo", 5.5)
    assert not await store.revoke_token("argo", 6.5)
    assert not await store.revoke_token("nobody", 6.5)

    assert await store.tokens() == [a_token(revoked=5.5)]
