"""What flows did before a release: which windows are asked for, and what becomes of what they tell."""

from dataclasses import replace

import pytest

from fakes import FakeTraces, MemoryStore
from firedamp.decision import known
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError
from firedamp.judge import Judge, Profile
from firedamp.judge.earlier import windows
from firedamp.model import Outcome
from judge.shop import ASK, ERRORS, ShopBook, ShopSource
from judge.test_flow_troubles import failed, flow

HOURS = 6 * 3600.0
NAME = "place.collateral"
COLLATERAL = {
    "name": NAME,
    "kind": "flow-collateral",
    "flow": {"service": "gateway", "operation": "POST /orders"},
}
#: Two flows of the old version a second, of which one in fifty fails.
USUAL = [
    failed(one) if number % 50 == 0 else one
    for number in range(int(2 * (HOURS + 1200)))
    for one in [flow(number, number / 2 - HOURS, "stable", number % 3)]
]


class Book(ShopBook):
    """The shop, whose traces are somewhere."""

    def profile(self, namespace: str, service: str) -> Profile | None:
        found = super().profile(namespace, service)
        return found and replace(found, tracer="traces")


def told(traces) -> list:
    return [(one, one.start + 1.0) for one in traces]


@pytest.fixture
def store():
    return MemoryStore()


def judge(source: FakeTraces, store: MemoryStore) -> Judge:
    checks = {"checks": [ERRORS, COLLATERAL], "window": {"promote_after": "10m"}, "traces": {"settle": 60.0}}
    book = Book(Parameters.model_validate(checks))
    return Judge(book, {"main": ShopSource()}, store, {"traces": source}, deadline_seconds=1.0)


async def begun(judge: Judge, ask=ASK, now: float = 0.0) -> None:
    """A release, and all that its beginning sets off."""
    await judge.answer(ask, now)
    await judge.settled()


async def watched(judge: Judge, store: MemoryStore, until: float):
    """The check's last finding, of a release that is asked about each half minute."""
    await begun(judge)
    now = 30.0
    while now <= until:
        verdict = await judge.answer(ASK, now)
        now += 30.0
    return next(finding for finding in verdict.findings if finding.check == NAME)


def test_the_last_hour_is_asked_closely_and_the_hours_before_it_seldom():
    """Every five minutes, then ten windows over the rest, the newest first."""
    found = windows(0.0, HOURS)

    assert [block.end for block in found[:3]] == [0.0, -300.0, -600.0]
    assert len(found) == 22
    assert -HOURS <= found[-1].start < -5 * 3600


def test_an_hour_of_history_is_asked_closely_alone():
    """There is nothing before it to spread windows over."""
    assert [block.end for block in windows(0.0, 3600.0)] == [-300.0 * index for index in range(12)]


async def test_only_what_had_settled_before_the_release_is_asked_for(store):
    """A trace has begun so long before."""
    source = FakeTraces(told(USUAL))

    await begun(judge(source, store))

    assert source.asked[0][1] == pytest.approx(-60.0)
    assert all(end <= -59.9 for _, end in source.asked)


async def test_what_windows_tell_is_pinned_with_the_first_look(store):
    """Failures of half a minute, 22 times."""
    watching = judge(FakeTraces(told(USUAL)), store)

    await begun(watching)
    await watching.answer(ASK, 60.0)

    release = await store.latest("shop", "checkout", "canary")
    pinned = known.from_json(release.noise)[NAME]
    assert (pinned.requests, pinned.phi_weight) == (22 * 60, pytest.approx(21))
    assert pinned.events == pytest.approx(22 * 60 / 50, abs=8)


async def test_a_source_that_is_down_is_asked_once(store):
    """It is left alone, and the check says that nothing tells of the time before."""
    source = FakeTraces(trouble=SourceDownError("connection refused"))

    await begun(judge(source, store))

    assert len(source.asked) == 1


async def test_windows_that_are_not_whole_count_for_nothing(store):
    """The others do."""
    watching = judge(FakeTraces(told(USUAL), doubtful=(-3600.0, -1000.0)), store)

    await begun(watching)
    await watching.answer(ASK, 60.0)

    release = await store.latest("shop", "checkout", "canary")
    assert 600 < known.from_json(release.noise)[NAME].requests < 22 * 60


async def test_a_release_soon_after_another_asks_no_more(store):
    """What was learnt within the hour is known."""
    source = FakeTraces(told(USUAL))
    watching = judge(source, store)
    await begun(watching)
    before = len(source.asked)

    await begun(watching, replace(ASK, revision="next"), 300.0)

    assert len(source.asked) - before <= 12  # what looks ask for, and no windows


async def test_what_was_learnt_long_ago_is_not_the_time_before(store):
    """Rates are compared with those of today; a source that is silent now leaves the check unjudged."""
    source = FakeTraces(told(USUAL))
    watching = judge(source, store)
    await begun(watching)
    source.trouble = SourceDownError("connection refused")

    await begun(watching, replace(ASK, revision="next"), 2 * 3600.0)
    await watching.answer(replace(ASK, revision="next"), 2 * 3600.0 + 60)

    release = await store.latest("shop", "checkout", "next")
    assert NAME not in known.from_json(release.noise)


async def test_flows_beside_the_canary_that_break_with_it_are_warned_of(store):
    """From minute four on a fifth of the old version's flows fails; its traces are shown."""
    broken = [failed(one) if one.start > 240 and number % 5 == 0 else one for number, one in enumerate(USUAL)]
    source = FakeTraces(told(broken))

    finding = await watched(judge(source, store), store, 900.0)

    assert finding.outcome is Outcome.FAIL
    assert finding.traces


async def test_flows_that_go_on_as_before_are_not_warned_of(store):
    """Nothing is proven of them."""
    finding = await watched(judge(FakeTraces(told(USUAL)), store), store, 900.0)

    assert finding.outcome is not Outcome.FAIL
    assert "before the release" in finding.sentence
