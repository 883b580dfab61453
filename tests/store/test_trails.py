"""Who did what, looked through in every store."""

from dataclasses import replace

import pytest

from firedamp.ports import Sifted, Snapshot, Store, Tally
from store.examples import KEY, a_gate, a_release, an_event


async def texts(store: Store, **wanted: object) -> list[str]:
    return [entry.event.text for entry in await store.trail(Sifted(**wanted))]


async def test_the_trail_is_paged_by_key(store: Store):
    """Newest first, and a page goes on where the one before it ended, whatever was added meanwhile."""
    for number in range(5):
        await store.record(an_event(str(number)))

    first = await store.trail(Sifted(), limit=2)
    await store.record(an_event("new"))
    second = await store.trail(Sifted(), before=first[-1].id, limit=2)

    assert [entry.event.text for entry in first] == ["4", "3"]
    assert [entry.event.text for entry in second] == ["2", "1"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"namespaces": ("shop",)},
        {"service": "checkout"},
        {"revision": "7d9f8b6c5d"},
        {"kind": "gate"},
        {"by": "alex"},
        {"since": 1000.0},
        {"until": 1001.0},
        {"namespaces": ("shop", "web"), "kind": "gate", "by": "alex"},
    ],
)
async def test_the_trail_can_be_sifted(store: Store, wanted: dict[str, object]):
    """By where, what, who and when."""
    mine = an_event("mine", kind="gate", by="alex", at=1000.0)
    changes = [("namespace", "pay"), ("service", "cart"), ("revision", "v3"), ("kind", "hook"), ("by", "sam")]
    others: list[dict[str, object]] = [{"at": 999.0}, *({name: value} for name, value in changes)]
    for event in (mine, *(replace(mine, text=str(other), **other) for other in others)):
        await store.record(event)
    await store.record(replace(mine, text="late", at=1001.0))

    found = await texts(store, **wanted)

    assert "mine" in found
    assert len(found) < 8


async def test_gates_that_are_over_are_not_looked_through(store: Store):
    """Only those that still mean something, the open ones first, the last switched before the others."""
    await store.set_gate(a_gate(service="old", expires=1500.0))
    await store.set_gate(a_gate(service="closed", is_open=False, at=1400.0))
    await store.set_gate(a_gate(service="first", at=1200.0))
    await store.set_gate(a_gate(service="last", at=1300.0))

    found = await store.switches(since=1500.1)

    assert [gate.service for gate in found] == ["last", "first", "closed"]


async def test_gates_are_looked_through_by_namespace_and_service(store: Store):
    """And no more of them than asked for."""
    for namespace in ("shop", "pay", "web"):
        await store.set_gate(a_gate(namespace=namespace))
        await store.set_gate(a_gate(namespace=namespace, service="cart"))

    found = await store.switches(["shop", "pay"], service="cart", since=0.0)

    assert sorted(gate.namespace for gate in found) == ["pay", "shop"]
    assert len(await store.switches(since=0.0, limit=4)) == 4


async def test_one_gate_is_found_open_or_closed(store: Store):
    """By its whole name, and nothing is found that nobody switched."""
    await store.set_gate(a_gate(is_open=False, expires=1.0))
    name = ("shop", "checkout", "confirm-promotion")

    assert await store.switch(*name, "7d9f8b6c5d") == a_gate(is_open=False, expires=1.0)
    assert await store.switch(*name, "") is None


async def test_what_is_under_way_is_counted(store: Store):
    """Releases that have not ended, and those that a restart can take up where they stood."""
    assert await store.tally() == Tally(0, 0)

    release = await store.open(a_release())
    await store.open(a_release(replace(KEY, revision="old"), ended=2000.0, outcome="promoted"))
    await store.keep(Snapshot(release.id, 3, b"body"))

    assert await store.tally() == Tally(running=1, snapshots=1)
