"""Flows that nobody named are found when a release begins, and belong to it from then on."""

from dataclasses import replace

from fakes import FakeTraces, MemoryStore
from firedamp.decision.parameters import Parameters, from_json
from firedamp.errors import SourceDownError
from firedamp.judge import Judge, Profile
from judge.shop import ASK, ERRORS, ShopBook, ShopSource
from judge.test_flow_troubles import flow

FOUND = [f"post-orders.{name}" for name in ("availability", "below", "collateral", "latency")] + [
    "post-orders.service-latency",
    "post-orders.caller-latency",
]
PAST = [(flow(number, -600.0 + number, "stable", 1), -500.0 + number) for number in range(500)]


class Book(ShopBook):
    """The shop, whose traces are somewhere."""

    def profile(self, namespace: str, service: str) -> Profile | None:
        found = super().profile(namespace, service)
        return found and replace(found, tracer="traces")


async def begun(source: FakeTraces, **checks: object) -> list[str]:
    """Names of the checks by which a release is judged that begins now."""
    told = {"checks": [ERRORS], "traces": {"services": ["orders"], "discover": 3}, **checks}
    parameters = Parameters.model_validate({**told, "window": {"promote_after": "10m"}})
    store = MemoryStore()
    judge = Judge(Book(parameters), {"main": ShopSource()}, store, {"traces": source}, deadline_seconds=1.0)
    await judge.answer(ASK, 0.0)
    await judge.answer(ASK, 60.0)
    await judge.settled()
    release = await store.latest("shop", "checkout", "canary")
    assert release is not None
    return [check.name for check in from_json(release.parameters).checks]


async def test_flows_of_the_last_minutes_become_checks_of_the_release():
    """Beside those of the settings."""
    assert await begun(FakeTraces(PAST)) == ["errors", *FOUND]


async def test_they_are_looked_for_once():
    """Ten minutes, up to where traces have settled; later questions are about the same release."""
    source = FakeTraces(PAST)

    await begun(source)

    assert [asked for asked in source.asked if asked[1] - asked[0] > 120] == [(-660.0, -60.0)]


async def test_without_an_answer_the_release_is_judged_by_the_rest():
    """A backend that is down must not keep a release from beginning."""
    assert await begun(FakeTraces(trouble=SourceDownError("connection refused"))) == ["errors"]


async def test_without_an_answer_in_time_the_release_is_judged_by_the_rest():
    """Whoever asks waits for a part of the deadline only."""
    assert await begun(FakeTraces(PAST, patience_seconds=10.0)) == ["errors"]


async def test_where_flows_are_named_none_are_looked_for():
    """The settings say so by looking for none."""
    source = FakeTraces(PAST)

    names = await begun(source, traces={"services": ["orders"]})

    assert (names, source.asked) == (["errors"], [])
