"""Spans that come to our own intake ahead of their time, late, or before a restart."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace

from fakes import MemoryStore
from firedamp.judge import Judge
from firedamp.model import Look, Outcome, Question, Verdict
from firedamp.sources import Intake
from firedamp.tracing import otlp
from firedamp.tracing.intake import Interest, Resources, Row, row
from judge.shop import ASK, ShopSource
from judge.test_flow_troubles import NAME, SETTLE, Book, found, parameters
from real.orders import Trip, resource_spans, shop

PROMOTE = replace(ASK, question=Question.PROMOTE)
INTEREST = Interest(frozenset({"orders"}), frozenset({"gateway"}))
UNTIL = 400.0
TRACED = parameters().model_copy(
    update={"traces": parameters().traces.model_copy(update={"services": ("orders",)})}
)


class Release:
    """A release whose spans come in as the clock goes on, so many seconds after their trips began."""

    def __init__(self, delay: float, interest: Interest = INTEREST) -> None:
        self.now, self._delay = 0.0, delay
        self._trips = shop(2400, -120.0, 600.0, seed=2)
        self._coming = iter(self._trips)
        self._next = next(self._coming)
        self._resources = Resources()
        self.intake = Intake(interest, clock=lambda: self.now)
        self.store = MemoryStore()
        self.judge = self._judge()

    def restart(self) -> None:
        """All that was in memory is gone."""
        self.intake = Intake(INTEREST, clock=lambda: self.now)
        self.judge = self._judge()

    async def watched(self, until: float) -> Verdict:
        """Asked every half minute; the last answer."""
        while True:
            await self.intake.take(list(self._came()))
            verdict = await self.judge.answer(self._ask, self.now)
            if self.now >= until:
                return verdict
            self.now += 30.0

    async def looks(self) -> list[Look]:
        return list(await self.store.looks(1))

    def begun(self, looks: list[Look]) -> int:
        """Trips that have settled in these blocks."""
        first, last = looks[0].evidence.block.start - SETTLE, looks[-1].evidence.block.end - SETTLE
        return sum(first < trip.at <= last for trip in self._trips)

    @property
    def _ask(self):
        return replace(PROMOTE, arms={"canary": "v2", "main": "v1"}, revision="v2")

    def _judge(self) -> Judge:
        return Judge(Book(TRACED), {"main": ShopSource()}, self.store, {"traces": self.intake})

    def _came(self) -> Iterator[Row]:
        came: list[Trip] = []
        while self._next.at + self._delay <= self.now:
            came.append(self._next)
            self._next = next(self._coming, replace(self._next, at=math.inf))
        for span in otlp.spans(json.dumps({"resourceSpans": resource_spans(came)}).encode()):
            if self.intake.interest.wants_span(span):
                yield row(span, self._resources)


def counted(looks: list[Look]) -> float:
    rows = [pods for look in looks for pods in look.evidence.slices[NAME].rows.values()]
    return sum(each[1] for pods in rows for each in pods.values())


async def test_traces_that_begin_ahead_of_our_clock_count_once():
    """Half a minute; each in the block that it names."""
    release = Release(delay=-29.0)
    await release.watched(UNTIL)
    looks = await release.looks()

    assert counted(looks[2:]) == release.begun(looks[2:]) > 1000


async def test_traces_that_come_two_minutes_late_are_named():
    """With the time that suffices."""
    release = Release(delay=150.0)
    verdict = await release.watched(UNTIL)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "by 3 min they were: set traces.settle to that" in (found(verdict).set_aside or "")


async def test_a_restart_costs_the_blocks_that_had_not_settled():
    """What had come before is gone, and said to be; what settles later is whole."""
    release = Release(delay=1.0)
    await release.watched(210.0)
    release.restart()
    await release.watched(UNTIL)
    looks = await release.looks()
    aside = {
        look.evidence.block.index: trouble.text
        for look in looks
        for trouble in look.evidence.slices[NAME].troubles
    }

    assert [index for index in aside if index > 3] == [6, 7, 8]
    assert all("the intake started" in text for text in aside.values())
    assert counted(looks[9:]) == release.begun(looks[9:])


async def test_a_service_that_no_settings_name_loses_what_came_before_the_first_question():
    """The blocks that settle before the release, in which no canary was; later ones are whole."""
    interest = Interest(frozenset(), frozenset({"gateway"}))
    release = Release(delay=1.0, interest=interest)
    interest.learn(("orders",), release.now)
    await release.watched(UNTIL)
    looks = await release.looks()
    aside = [look.evidence.block.index for look in looks if look.evidence.slices[NAME].troubles]

    assert aside == [0, 1]
    assert counted(looks[2:]) == release.begun(looks[2:]) > 1000
