"""What people say of a running release, as Flagger and Argo then meet it: real judge, real contracts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from contracts.dialects import SECRET, Client, Clock, recorded, serving
from fakes import MemoryStore
from firedamp.cohorts import Matchers
from firedamp.counting import Samples
from firedamp.decision.parameters import Parameters
from firedamp.judge import Judge, Profile
from firedamp.judge.rulings import spoken
from firedamp.model import Mode, Ruled, Ruling
from firedamp.ports import Gate, Span
from firedamp.queries import Increase, Matcher, Need, Op
from judge.shop import SICK, WARNED, ShopBook, WarningSource

#: What Flagger 1.44 sent with its hooks in a run that ended with a rollback.
BODIES = {call["hook"]: call["body"] for call in recorded("flagger-rollback") if call["hook"] != "event"}
FAILED = next(
    call["body"]
    for call in recorded("flagger-rollback")
    if "Canary failed!" in call["body"].get("metadata", {}).get("eventMessage", "")
)
ORDERS = Parameters.model_validate(
    {**WARNED.model_dump(mode="json"), "cohorts": {"preset": "flagger", "by": "workload"}}
)
HASHES = {"canary-hash": "canary", "stable-hash": "stable"}


@dataclass
class WorkloadSource(WarningSource):
    """The shop's pods, told apart by workload or by hash."""

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        arm = "stable" if any("primary" in one.value or one.value == "stable" for one in cohort) else "canary"
        return await super().samples(need, (Matcher("rollouts_pod_template_hash", Op.EQUAL, arm),), span)


@dataclass
class Orders(ShopBook):
    """`fltest/orders`, judged for Flagger or for Argo."""

    def profile(self, namespace: str, service: str) -> Profile | None:
        return Profile(self.parameters, "main", self.mode)


@dataclass
class Stage:
    """A release under way: who asks, what is judged, and the clock."""

    client: Client
    store: MemoryStore
    book: Orders
    clock: Clock
    source: WorkloadSource = field(default_factory=WorkloadSource)

    async def hook(self, hook: str, body: dict | None = None) -> tuple[int, str]:
        answer = await self.client.post(f"/flagger/v1/{SECRET}/{hook}", json=body or BODIES[hook])
        return answer.status, await answer.text()

    async def ticks(self, seconds: float) -> set[tuple[str, int]]:
        """What Flagger's hooks get while so many seconds pass, the rollback hook before the others."""
        met, end = set(), self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += 30.0
            met |= {(hook, (await self.hook(hook))[0]) for hook in ("rollback", "rollout")}
        return met

    async def measured(self, seconds: float = 0.0) -> str:
        """Argo's last measurement of its background analysis after so many seconds."""
        params = {"service": "orders", "namespace": "fltest", **HASHES}
        for _ in range(round(seconds / 30) or 1):
            self.clock.now += 30.0 if seconds else 0.0
            answer = await self.client.get("/argo/v1/guard", params=params)
            assert answer.status == 200
        return str((await answer.json())["summary"])

    async def says(self, word: Ruled, check: str = "retries") -> None:
        await spoken(self.store, Ruling(1, check, word, "anna", self.clock.now, "customers complain"))

    async def orders_back(self, revision: str = "") -> None:
        at = self.clock.now
        gate = Gate("fltest", "orders", "rollback", revision, True, at + 3600.0, "alice", at, "refunds fail")
        await self.store.set_gate(gate)


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    source, store, clock = WorkloadSource(others={"retries": SICK}), MemoryStore(), Clock(0.0)
    book = Orders(ORDERS)
    async with serving(Judge(book, {"main": source}, store), store, clock=clock) as client:
        yield Stage(client, store, book, clock, source)


async def test_a_warning_alone_rolls_nothing_back(stage):
    """Ten minutes of a failing warn check: the release goes on, the rollback hook says no."""
    assert await stage.ticks(600) == {("rollback", 403), ("rollout", 200)}


async def test_a_warning_ruled_real_opens_the_rollback_hook(stage):
    """A person's recorded order: 200 to the rollback hook at its next call, with who gave it and why."""
    await stage.ticks(600)
    await stage.says(Ruled.REAL)
    status, line = await stage.hook("rollback")

    assert status == 200
    assert line.startswith("rollback: fail: ruled real by anna: retries: ")
    assert "; note: customers complain" in line
    assert [
        (event.kind, event.by, event.text) for event in await stage.store.events() if event.kind == "ruling"
    ] == [("ruling", "anna", "ruled check retries real: customers complain")]


@pytest.mark.parametrize("hook", ["pre-rollout", "rollout", "confirm-traffic-increase"])
async def test_a_warning_ruled_real_stops_every_other_hook(stage, hook):
    """As proven harm does: 403 with one line that says why."""
    await stage.ticks(600)
    await stage.says(Ruled.REAL)
    status, line = await stage.hook(hook)

    assert status == 403
    assert line.startswith("fail: ruled real by anna: ")
    assert "\n" not in line


async def test_the_end_of_a_release_closes_its_rulings(stage):
    """Flagger reports the rollback; the next revision is a release of its own, which nobody ruled on."""
    await stage.ticks(600)
    await stage.says(Ruled.REAL)
    await stage.hook("event", FAILED)
    after, _ = await stage.hook("rollback")
    following, _ = await stage.hook("rollback", BODIES["rollback"] | {"checksum": "85d557f47b"})

    assert (after, following) == (403, 403)


async def test_a_withdrawn_ruling_closes_the_rollback_hook(stage):
    """Where Flagger has not rolled back yet, an order taken back is none."""
    await stage.ticks(600)
    await stage.says(Ruled.REAL)
    await stage.says(Ruled.WITHDRAWN)

    assert await stage.ticks(60) == {("rollback", 403), ("rollout", 200)}


@pytest.mark.parametrize("word", [Ruled.FALSE_ALARM, Ruled.WITHDRAWN])
async def test_no_other_word_rolls_back(stage, word):
    """Any stray 200 of the rollback hook would: only harm that somebody meant gets one."""
    await stage.ticks(600)
    await stage.says(Ruled.FALSE_ALARM)
    if word is Ruled.WITHDRAWN:
        await stage.says(word)

    assert (await stage.hook("rollback"))[0] == 403


@pytest.mark.parametrize(
    ("mode", "rollback", "rollout"),
    [(Mode.HOLD, 200, 403), (Mode.SHADOW, 403, 200), (Mode.OFF, 403, 200)],
)
async def test_modes_keep_their_meaning_for_a_ruling(stage, mode, rollback, rollout):
    """Held it rolls back all the same; in shadow, and where firedamp stands aside, it never blocks."""
    await stage.ticks(600)
    await stage.says(Ruled.REAL)
    stage.book.mode = mode

    assert (await stage.hook("rollback"))[0] == rollback
    assert (await stage.hook("rollout"))[0] == rollout


async def test_a_false_alarm_lets_flagger_promote(stage):
    """Two warnings hold the promotion; one of them ruled out, the next call of the hook is let through."""
    stage.source.others["refusals"] = SICK
    promotion = BODIES["rollout"] | {"phase": "Progressing"}
    await stage.ticks(700)
    held, why = await stage.hook("confirm-promotion", promotion)
    await stage.says(Ruled.FALSE_ALARM)
    passed, line = await stage.hook("confirm-promotion", promotion)

    assert (held, passed) == (403, 200)
    assert "warnings withhold the pass until" in why
    assert "retries fails, a false alarm says anna" in line


async def test_argo_s_next_measurement_fails(stage):
    """The summary begins with fail, which is what the shipped template takes for one."""
    stage.book.parameters = WARNED
    before = await stage.measured(600)
    await stage.says(Ruled.REAL)
    after = await stage.measured()
    later = await stage.measured(120)

    assert before.startswith("inconclusive: go on: ")
    assert after.startswith("fail: ruled real by anna: retries: ")
    assert later == after


async def test_argo_goes_on_after_a_false_alarm(stage):
    """The guard never needed a pass; it says what was taken for no harm once there is one."""
    stage.book.parameters = replace_window(WARNED)
    await stage.measured(600)
    await stage.says(Ruled.FALSE_ALARM)

    assert "retries fails, a false alarm says anna" in await stage.measured()


def replace_window(parameters: Parameters) -> Parameters:
    """The same, with the pass judged after five minutes."""
    window = parameters.window.model_copy(update={"promote_after": 300.0})
    return parameters.model_copy(update={"window": window})


ORDERED = "fail: alice ordered to roll back: refunds fail; the evidence alone says: "


async def test_argo_is_told_of_an_order_to_roll_back(stage):
    """Its next measurement fails with the person's reason first; before, nothing was wrong."""
    stage.book.parameters, stage.source.others = WARNED, {}
    before = await stage.measured(300)
    await stage.orders_back()
    after = await stage.measured()

    assert before.startswith("inconclusive: go on: ")
    assert after.startswith(f"{ORDERED}go on: ")


@pytest.mark.parametrize("question", ["guard", "advance", "promote"])
@pytest.mark.parametrize(
    ("mode", "verdict"),
    [(Mode.JUDGE, "fail"), (Mode.HOLD, "fail"), (Mode.SHADOW, "fail"), (Mode.OFF, "pass")],
)
async def test_argo_is_told_whatever_it_asks(stage, question, mode, verdict):
    """Only where firedamp stands aside it does so here too; what was judged is in the answer."""
    stage.book.parameters = WARNED
    await stage.measured(60)
    await stage.orders_back("canary")
    stage.book.mode = mode
    params = {"service": "orders", "namespace": "fltest", **HASHES}
    answer = await (await stage.client.get(f"/argo/v1/{question}", params=params)).json()

    assert (answer["verdict"], answer["recorded"]) == (verdict, "inconclusive")


async def test_argo_s_retry_is_not_meant_by_the_order(stage):
    """The same revision, a quarter of an hour later: fresh evidence, though the order stands still."""
    stage.book.parameters = WARNED
    await stage.measured(300)
    await stage.orders_back()
    aborted = await stage.measured(60)
    stage.clock.now += 900.0
    retried = await stage.measured()

    assert aborted.startswith(ORDERED)
    assert retried.startswith("inconclusive: go on: collecting evidence")
    assert [one.key.attempt for one in await stage.store.releases()] == [2, 1]


async def test_a_metric_falls_with_an_order(stage):
    """Who asks for a number and nothing else gets the one for fail, with the reason as its warning."""
    query = 'firedamp_verdict{namespace="fltest",service="orders",question="guard"}'
    await stage.ticks(60)
    await stage.orders_back()
    stage.book.mode = Mode.SHADOW
    found = await (await stage.client.get("/promql/api/v1/query", params={"query": query})).json()

    assert [one["value"][1] for one in found["data"]["result"]] == ["0"]
    assert found["warnings"][0].startswith(ORDERED)


@pytest.mark.parametrize(
    ("mode", "rollout"), [(Mode.JUDGE, 403), (Mode.HOLD, 403), (Mode.SHADOW, 403), (Mode.OFF, 200)]
)
async def test_flagger_s_hooks_agree_on_an_order(stage, mode, rollout):
    """The rollback hook obeys a person in every mode, the others wherever firedamp does not stand aside."""
    await stage.ticks(60)
    await stage.orders_back()
    stage.book.mode = mode

    assert (await stage.hook("rollback"))[0] == 200
    assert (await stage.hook("rollout"))[0] == rollout


async def test_an_order_is_over_with_flagger_s_report(stage):
    """The rollback is told, the gate closes, and the next attempt is judged by its evidence."""
    await stage.ticks(60)
    await stage.orders_back()
    during = await stage.ticks(30)
    await stage.hook("event", FAILED)

    assert during == {("rollback", 200), ("rollout", 403)}
    assert await stage.ticks(120) == {("rollback", 403), ("rollout", 200)}
