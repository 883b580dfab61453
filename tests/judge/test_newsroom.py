"""Which turns of a release are told, to whom, and that no answer waits for it."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from fakes import MemoryStore
from firedamp import telemetry
from firedamp.errors import ClusterDownError, ClusterError
from firedamp.judge import Judge
from firedamp.model import Controller, Mode, Outcome, Resort
from firedamp.ports import Gate, News, Turn
from judge.shop import ASK, DOWN, PARAMETERS, ShopBook, ShopSource

SICK = {"stable": 0.1, "canary": 0.5}
BUSY = {"stable": 60.0, "canary": 60.0}
#: Too little to tell anything in a window as short as this.
QUIET, WELL = {"stable": 1.0, "canary": 1.0}, {"stable": 0.01, "canary": 0.01}
SHORT = PARAMETERS.window.model_copy(update={"promote_after": 600.0, "decide_by": 900.0})


@dataclass
class FakeHerald:
    """A herald that remembers what it was told; `trouble` is raised while set, an answer takes so long."""

    told: list[News] = field(default_factory=list)
    trouble: ClusterError | None = None
    delay_seconds: float = 0.0

    async def tell(self, news: News) -> None:
        await asyncio.sleep(self.delay_seconds)
        if self.trouble is not None:
            raise self.trouble
        self.told.append(news)

    @property
    def turns(self) -> list[Turn]:
        return [news.turn for news in self.told]


@pytest.fixture
def herald():
    return FakeHerald()


@pytest.fixture
def source():
    return ShopSource()


@pytest.fixture
def book():
    return ShopBook(PARAMETERS)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def judge(book, source, store, herald):
    return Judge(book, {"main": source}, store, herald=herald)


async def watch(judge, start, end, ask=ASK):
    """Ask every half minute, and let everything be told; the last answer."""
    verdict = None
    for now in range(start, end + 1, 30):
        verdict = await judge.answer(ask, float(now))
    await judge.settled()
    return verdict


async def test_harm_is_told_once(judge, source, herald):
    """The first look that proves it tells it, with its sentence and the time of the block."""
    source.errors = SICK

    verdict = await watch(judge, 60, 1500)

    assert herald.turns == [Turn.FAILED]
    assert herald.told[0].sentence.startswith("errors: the canary served")
    assert herald.told[0].release.key == verdict.release
    assert herald.told[0].at < 1500


async def test_a_pass_is_told_once(judge, source, herald):
    """When harm is excluded, whatever the callers ask meanwhile."""
    source.requests = BUSY

    await watch(judge, 60, 1500)

    assert herald.turns == [Turn.PASSED]
    assert herald.told[0].sentence.startswith("harm is excluded")


async def test_what_stays_undecided_is_told_once(judge, herald, source, book):
    """When its window is over and nothing is proven, with what a person can do about it."""
    source.requests, source.errors = QUIET, WELL
    book.parameters = PARAMETERS.model_copy(update={"window": SHORT})

    await watch(judge, 60, 1800)

    assert herald.turns == [Turn.UNDECIDED]
    assert "a person must decide, or set policy.window_over" in herald.told[0].sentence


async def test_what_a_policy_ends_is_told_as_its_answer(judge, herald, source, book):
    """A service whose policy fails what is undecided reads of a fail, as its controller does."""
    source.requests, source.errors = QUIET, WELL
    policy = PARAMETERS.policy.model_copy(update={"window_over": Resort.FAIL})
    book.parameters = PARAMETERS.model_copy(update={"window": SHORT, "policy": policy})

    await watch(judge, 60, 1800)

    assert herald.turns == [Turn.FAILED]
    assert herald.told[0].sentence.startswith("by the service's policy, the window is over")


async def test_collecting_evidence_is_no_news(judge, herald):
    """While a judgement is still to come nobody is told anything."""
    await watch(judge, 60, 540)

    assert herald.told == []


async def test_another_replica_does_not_tell_a_verdict_again(judge, book, source, store, herald):
    """What another one stored was told by it: a fail is told by whoever took the look."""
    source.errors = SICK
    await watch(judge, 60, 900)
    beside = FakeHerald()
    other = Judge(book, {"main": source}, store, herald=beside)

    await watch(other, 930, 1500)

    assert (herald.turns, beside.turns) == ([Turn.FAILED], [])


async def test_an_end_is_told(judge, herald, source):
    """Whoever reports it, the object of the release says how it ended."""
    await watch(judge, 60, 120)

    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="argo", now=130.0)
    await judge.settled()

    assert [(news.turn, news.sentence, news.at) for news in herald.told] == [(Turn.ENDED, "promoted", 130.0)]


async def test_an_end_that_was_told_is_not_told_again(judge, herald):
    """The second report of the same end changes nothing."""
    await watch(judge, 60, 120)

    for outcome in ("promoted", "rolled-back"):
        await judge.ended("shop", "checkout", "canary", outcome=outcome, by="argo", now=130.0)
    await judge.settled()

    assert herald.turns == [Turn.ENDED]


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.HOLD])
async def test_the_mode_is_told(judge, herald, source, book, mode):
    """A service in shadow mode or held has its verdict told with the mode it is in."""
    source.errors, book.mode = SICK, mode

    await watch(judge, 60, 900)

    assert [(news.turn, news.mode) for news in herald.told] == [(Turn.FAILED, mode)]


@pytest.mark.parametrize("mode", [Mode.JUDGE, Mode.SHADOW])
async def test_an_order_to_roll_back_is_told_as_what_it_is(judge, herald, book, store, mode):
    """A person's word fails the release in shadow mode too, and the object says whose word it was."""
    book.mode = mode
    await watch(judge, 60, 240)
    order = Gate("shop", "checkout", "rollback", "canary", True, 5000.0, "ann", 250.0, "customers call")
    await store.set_gate(order)

    await watch(judge, 270, 400)

    assert [(news.turn, news.mode) for news in herald.told] == [(Turn.FAILED, Mode.JUDGE)]
    assert herald.told[0].sentence.startswith("ann ordered to roll back: customers call; the evidence")


async def test_who_stands_aside_tells_nothing(judge, herald, source, book):
    """In mode off firedamp says nothing of a service."""
    source.errors, book.mode = SICK, Mode.OFF

    await watch(judge, 60, 900)

    assert herald.told == []


async def test_releases_of_programs_have_nobody_to_tell(judge, herald, source):
    """What a pipeline rolls out has no object that people look at."""
    source.errors = SICK

    verdict = await watch(judge, 60, 900, replace(ASK, controller=Controller.CI))

    assert verdict.outcome is Outcome.FAIL
    assert herald.told == []


async def test_a_herald_in_trouble_changes_no_answer(book, store, source, judge):
    """With a herald that fails, and without one, the answers are the same; the failure is noted."""
    source.errors = SICK
    failing = FakeHerald(trouble=ClusterDownError("Kubernetes cannot be reached"))
    troubled = Judge(book, {"main": source}, MemoryStore(), herald=failing)
    alone = Judge(book, {"main": source}, MemoryStore())

    verdicts = [await watch(one, 60, 900) for one in (troubled, alone)]

    assert verdicts[0] == verdicts[1]
    assert telemetry.WORKED[telemetry.Work.EVENTS].why == "the Kubernetes API did not do it"


async def test_no_answer_waits_for_a_slow_herald(book, source):
    """Answers come while the herald still takes its time, and closing gives it up."""
    source.errors = SICK
    slow = FakeHerald(delay_seconds=3600.0)
    judge = Judge(book, {"main": source}, MemoryStore(), herald=slow)

    async with asyncio.timeout(20):
        for now in range(60, 901, 30):
            verdict = await judge.answer(ASK, float(now))
        await judge.close()

    assert verdict.outcome is Outcome.FAIL
    assert slow.told == []


async def test_an_outage_is_no_turn(judge, herald, source):
    """While a source is down nothing new is known of the release."""
    source.requests = BUSY
    await watch(judge, 60, 1500)
    source.trouble = DOWN

    await watch(judge, 1530, 1800)

    assert herald.turns == [Turn.PASSED]
