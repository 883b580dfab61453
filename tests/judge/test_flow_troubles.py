"""Traces that come slowly, late, in part or not at all: undecided, or judged by what is complete."""

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from msgspec import structs

from fakes import FakeTraces, MemoryStore
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceDownError
from firedamp.judge import Judge, Profile
from firedamp.model import Finding, Look, Outcome, Question, Verdict
from firedamp.tracing import Call, Root, Trace, Visit
from judge.shop import ASK, DOWN, ERRORS, ShopBook, ShopSource

PROMOTE = replace(ASK, question=Question.PROMOTE)
NAME = "place.availability"
FLOW = {
    "name": NAME,
    "kind": "flow-failures",
    "flow": {"service": "gateway", "operation": "POST /orders"},
}
SETTLE, LOOK = 60.0, 30.0
UNTIL = 660.0
HASH = "k8s.pod.label.rollouts-pod-template-hash"
GONE = SourceDownError("source traces: connection refused")

#: What becomes of a flow of the canary.
Harm = Callable[[Trace], Trace]


def parameters(*checks: dict, settle: float = SETTLE) -> Parameters:
    return Parameters.model_validate(
        {"checks": [*checks, FLOW], "window": {"promote_after": "10m"}, "traces": {"settle": settle}}
    )


def flow(number: int, at: float, version: str, pod: int) -> Trace:
    resource = {HASH: version, "k8s.pod.name": f"{version}-{pod}"}
    visit = Visit(at + 0.02, 0.05, "POST /orders", resource, failed=False, code="200")
    call = Call(at + 0.01, 0.07, answered=True, targets=(), address="", failed=False, code="200")
    root = Root("gateway", "POST /orders", "POST /orders", 0.1, failed=False, code="200")
    return Trace(f"{number:032x}", at, root, (visit,), (call,))


def failed(one: Trace) -> Trace:
    assert one.root
    return structs.replace(one, root=structs.replace(one.root, code="500", failed=True))


def rootless(one: Trace) -> Trace:
    return structs.replace(one, root=None)


def is_canary(one: Trace) -> bool:
    return one.visits[0].resource[HASH] == "canary"


def flows(until: float = UNTIL, harm: Harm | None = None, rate: float = 20.0) -> Iterator[Trace]:
    """So many a second, a third of the canary's and one in a hundred of either failing; harm in a fifth."""
    rng = random.Random(5)
    at, number = -SETTLE, 0
    while (at := at + rng.expovariate(rate)) < until:
        number += 1
        one = flow(number, at, "canary" if rng.random() < 1 / 3 else "stable", rng.randint(1, 3))
        one = failed(one) if rng.random() < 0.01 else one
        yield harm(one) if harm and is_canary(one) and rng.random() < 0.2 else one


def on_time(traces: Iterator[Trace]) -> list[tuple[Trace, float]]:
    return [(one, one.start + 1.0) for one in traces]


@dataclass
class Book(ShopBook):
    """The shop, with a source of traces."""

    def profile(self, namespace: str, service: str) -> Profile | None:
        known = super().profile(namespace, service)
        return known and replace(known, tracer="traces")


class Release:
    """One release, asked for every so often, with the clock in the test's hand."""

    def __init__(
        self, source: FakeTraces, judged: Parameters | None = None, *, deadline: float = 8.0
    ) -> None:
        self.source, self.store = source, MemoryStore()
        self.metrics = ShopSource(requests={"stable": 60.0, "canary": 60.0})
        book = Book(judged or parameters())
        self.judge = Judge(
            book, {"main": self.metrics}, self.store, {"traces": source}, deadline_seconds=deadline
        )

    async def ask(self, now: float) -> Verdict:
        self.source.now = now
        return await self.judge.answer(PROMOTE, now)

    async def watched(self, begin: float = 0.0, until: float = UNTIL, every: float = LOOK) -> Verdict:
        """The last answer."""
        now = begin
        while now < until:
            await self.ask(now)
            now += every
        return await self.ask(until)

    async def looks(self) -> list[Look]:
        return list(await self.store.looks(1))

    async def counted(self) -> list[float]:
        """Flows of each block, in both arms."""
        return [_counted(look) for look in await self.looks()]

    async def aside(self) -> list[str]:
        """Why blocks were set aside, one by one; empty where they were not."""
        slices = [look.evidence.slices[NAME] for look in await self.looks()]
        return [piece.troubles[0].text if piece.troubles else "" for piece in slices]


def _counted(look: Look) -> float:
    rows = look.evidence.slices[NAME].rows
    return sum(row[1] for pods in rows.values() for row in pods.values())


def found(verdict: Verdict, check: str = NAME) -> Finding:
    return next(one for one in verdict.findings if one.check == check)


async def test_what_comes_in_time_is_judged():
    """A healthy release passes, one whose flows fail is failed: what the troubles below are held against."""
    well = await Release(FakeTraces(on_time(flows()))).watched()
    harmed = await Release(FakeTraces(on_time(flows(harm=failed)))).watched()

    assert (well.outcome, harmed.outcome) == (Outcome.PASS, Outcome.FAIL)


# Slow, gone, half an answer.


async def test_a_backend_that_hangs_leaves_metrics_to_be_judged():
    """Flows are undecided with the reason; harm that metrics show is found in the same looks."""
    release = Release(FakeTraces(patience_seconds=1000.0), parameters(ERRORS), deadline=1.0)
    undecided = await release.watched(until=120.0)
    release.metrics.errors = {"stable": 0.1, "canary": 3.0}
    harmed = await release.watched(150.0, 330.0)

    assert undecided.outcome is Outcome.INCONCLUSIVE
    assert found(undecided).sentence == f"{NAME}: cannot judge, source traces: no answer within 0.8 s"
    assert found(harmed, "errors").outcome is Outcome.FAIL


async def test_while_metrics_are_down_traces_are_left_alone():
    """No look can be taken, so nobody waits for a backend of traces, nor keeps it busy."""
    release = Release(FakeTraces(patience_seconds=10.0), parameters(ERRORS))
    await release.ask(0.0)
    release.metrics.trouble = DOWN
    verdict = await release.ask(60.0)

    assert str(DOWN) in verdict.sentence
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_outage_takes_its_own_blocks_only():
    """A backend that is gone for three minutes; what fails is stopped by what was told before and after."""
    source = FakeTraces(on_time(flows(900.0, harm=lambda one: failed(one) if one.start > 300 else one)))
    release = Release(source)
    await release.watched(until=240.0)
    source.trouble = GONE
    gone = await release.watched(270.0, 420.0)
    source.trouble = None
    verdict = await release.watched(450.0, 900.0)

    assert found(gone).sentence == f"{NAME}: cannot judge, {GONE}"
    assert [bool(why) for why in await release.aside()].count(True) == 6
    assert (verdict.outcome, found(verdict).outcome) == (Outcome.FAIL, Outcome.FAIL)


async def test_a_healthy_release_is_not_failed_by_an_outage():
    """Blocks that nobody saw are no evidence either way."""
    source = FakeTraces(on_time(flows(1300.0)))
    release = Release(source)
    await release.watched(until=240.0)
    source.trouble = GONE
    await release.watched(270.0, 420.0)
    source.trouble = None
    verdict = await release.watched(450.0, 1260.0)

    assert verdict.outcome is Outcome.PASS


async def test_doubt_about_some_seconds_takes_one_block_of_many():
    """Ten blocks that are due at once are asked for in pieces."""
    source = FakeTraces(on_time(flows(400.0)), doubtful=(70.0, 75.0))
    release = Release(source)
    await release.watched(until=310.0, every=305.0)

    assert (await release.aside()) == [
        "" if index != 4 else "source traces: a page was full" for index in range(10)
    ]
    assert [bool(flows) for flows in await release.counted()] == [index != 4 for index in range(10)]


async def test_a_backend_that_never_tells_all_is_never_believed():
    """Be the release good or bad: what it leaves out may be all that matters."""
    for harm in (None, failed):
        source = FakeTraces(on_time(flows(harm=harm)), doubtful=(-1000.0, 1000.0))
        verdict = await Release(source).watched()

        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert found(verdict).set_aside == "source traces: a page was full"


async def test_pages_that_are_full_are_asked_in_smaller_pieces():
    """A source that tells a minute's traces at once, and no more."""
    source = FakeTraces(on_time(flows(400.0)), most=1400)
    release = Release(source)
    await release.watched(until=310.0, every=305.0)

    assert not any(await release.aside())
    assert sum(await release.counted()) == len([one for one, _ in source.known if one.start <= 240.0])


# Long past.


async def test_a_long_past_is_caught_up_in_pieces_within_the_deadline():
    """An hour of a source that takes five seconds for it, with a tenth of that for a question."""
    source = FakeTraces(on_time(flows(3600.0, rate=1.0)), patience_seconds=5 / 60)
    release = Release(source, deadline=0.6)
    await release.ask(0.0)
    questions = 0
    while len(await release.looks()) < 120 and questions < 60:
        await release.ask(3606.0 + questions)
        questions += 1

    assert 5 < questions < 60
    assert not any(await release.aside())
    assert sum(await release.counted()) == len([one for one, _ in source.known if one.start <= 3540.0])


async def test_a_source_too_slow_to_catch_up_holds_nothing_up():
    """What it could not tell in time is passed over, said so, and the release goes on with the clock."""
    release = Release(
        FakeTraces(on_time(flows(400.0)), patience_seconds=4.0), parameters(ERRORS), deadline=3.0
    )
    await release.watched(until=310.0, every=305.0)
    aside = await release.aside()

    assert len(aside) == 10
    assert aside[0] == ""
    assert re.match(
        r"source traces took \d\.\d s for the traces of 30 s, too long to catch up with", aside[-1]
    )


async def test_a_look_costs_the_same_at_any_age():
    """One block, and one earlier block again."""
    release = Release(FakeTraces(on_time(flows(1200.0))))
    await release.watched(until=1200.0)
    spans = [end - begin for begin, end in release.source.asked]

    assert max(spans) == pytest.approx(LOOK)
    assert len(spans) <= 2 * len(await release.looks())


# Clocks.


@pytest.mark.parametrize("ahead", [30.0, -30.0])
async def test_clocks_that_are_wrong_neither_lose_nor_double_traces(ahead):
    """The programs' clocks are half a minute off; every trace counts once, in the block that it names."""
    source = FakeTraces([(one, one.start + 1.0 - ahead) for one in flows()])
    release = Release(source)
    verdict = await release.watched()
    last = (await release.looks())[-1].evidence.block.end

    assert sum(await release.counted()) == len(
        [one for one, _ in source.known if one.start + SETTLE <= last and one.start + SETTLE > 0]
    )
    assert verdict.outcome is Outcome.PASS


async def test_traces_of_the_future_wait_for_their_time():
    """Counted without any time to settle, those that begin after our own clock are not counted early."""
    release = Release(FakeTraces([(one, one.start - 29.0) for one in flows()]), parameters(settle=0.0))
    await release.watched(until=310.0)
    last = (await release.looks())[-1].evidence.block.end

    assert sum(await release.counted()) == len(
        [one for one, _ in release.source.known if 0 < one.start <= last]
    )


# Late.


async def test_traces_that_come_two_minutes_late_are_not_judged():
    """Noticed, and said with the time that would have sufficed."""
    release = Release(FakeTraces([(one, one.start + 150.0) for one in flows()]))
    verdict = await release.watched()

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert found(verdict).set_aside == (
        "100 % of main's traces were not whole when they were counted, 1 min after they began (at most 5.0 % "
        "may); by 3 min they were: set traces.settle to that, or have them sent sooner"
    )


async def test_the_time_that_is_named_suffices():
    """The same traces, with the remedy."""
    release = Release(
        FakeTraces([(one, one.start + 150.0) for one in flows(1000.0)]), parameters(settle=180.0)
    )
    verdict = await release.watched(until=900.0)

    assert verdict.outcome is Outcome.PASS


async def test_failures_that_come_late_are_not_passed():
    """The canary's failing flows alone take long to be sent: what is there looks well."""
    known = [
        (one, one.start + (150.0 if one.root and one.root.failed and is_canary(one) else 1.0))
        for one in flows(harm=failed)
    ]
    verdict = await Release(FakeTraces(known)).watched()

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "of the canary's traces were not whole when they were counted" in verdict.sentence


async def test_good_flows_that_come_late_fail_no_release():
    """Half of the canary's good flows are still to come, so its failures look twice as many."""
    rng = random.Random(3)
    known = [
        (
            one,
            one.start
            + (150.0 if is_canary(one) and one.root and not one.root.failed and rng.random() < 0.9 else 1.0),
        )
        for one in flows()
    ]
    verdict = await Release(FakeTraces(known)).watched()

    assert verdict.outcome is Outcome.INCONCLUSIVE


async def test_one_late_batch_is_forgiven():
    """A collector that held a second's spans back has made nothing doubtful."""
    known = [(one, one.start + (150.0 if 200 < one.start < 201 else 1.0)) for one in flows()]
    verdict = await Release(FakeTraces(known)).watched()

    assert verdict.outcome is Outcome.PASS


async def test_what_arrives_in_time_again_is_judged_again():
    """Late for two minutes; ten minutes later nothing is left of it."""
    known = [(one, one.start + (150.0 if one.start < 120 else 1.0)) for one in flows(1300.0)]
    release = Release(FakeTraces(known))
    during = await release.watched(until=420.0)
    after = await release.watched(450.0, 1260.0)

    assert found(during).set_aside
    assert not found(after).set_aside


# Pods that answer no more.


def addressed(one: Trace) -> Trace:
    """As its caller saw it: a pod's address, and no name."""
    pod = one.visits[0].resource["k8s.pod.name"]
    return structs.replace(
        one, calls=(structs.replace(one.calls[0], address=f"10.0.{int(is_canary(one))}.{pod[-1]}"),)
    )


def silent(one: Trace) -> Trace:
    """Nobody answered, and the customer was told so."""
    return structs.replace(
        failed(one), visits=(), calls=(structs.replace(one.calls[0], answered=False, failed=True),)
    )


async def test_a_canary_that_dies_is_known_by_what_it_told_before():
    """Its pods have no spans any more; their addresses were learnt while they had."""
    known = map(addressed, flows())
    source = FakeTraces(on_time(silent(one) if is_canary(one) and one.start > 180 else one for one in known))
    verdict = await Release(source).watched()

    assert verdict.outcome is Outcome.FAIL
    assert found(verdict).outcome is Outcome.FAIL


# Without roots.


async def test_a_canary_that_loses_roots_is_neither_passed_nor_failed():
    """What is left of its flows is no fair sample, whichever way it points."""
    lost = await Release(FakeTraces(on_time(flows(harm=rootless)))).watched()
    known = [
        (rootless(one) if is_canary(one) and one.root and not one.root.failed and number % 10 else one, came)
        for number, (one, came) in enumerate(on_time(flows()))
    ]
    harmed = await Release(FakeTraces(known)).watched()

    assert (lost.outcome, harmed.outcome) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)
    assert "0 % of main's visits and 19 % of the canary's belong to traces without a root" in lost.sentence


async def test_roots_that_both_versions_lose_alike_are_missed_by_neither():
    """A browser that began a tenth of the traces is the same to both."""
    known = [
        (rootless(one) if number % 10 == 0 else one, came)
        for number, (one, came) in enumerate(on_time(flows()))
    ]
    verdict = await Release(FakeTraces(known)).watched()

    assert verdict.outcome is Outcome.PASS


async def test_a_restart_judges_what_is_stored():
    """Why blocks were set aside is in the store, and said by a judge that knows nothing else."""
    release = Release(FakeTraces([(one, one.start + 150.0) for one in flows()]))
    before = await release.watched()
    again = Judge(Book(parameters()), {"main": release.metrics}, release.store, {"traces": release.source})

    assert found(await again.answer(PROMOTE, UNTIL)).sentence == found(before).sentence
