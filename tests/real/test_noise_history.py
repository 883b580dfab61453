"""
Noise learnt from a real Prometheus: hours of bursts and of quiet, release after release.

The judge is the whole product but its HTTP face; the clock is moved from question to question.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from firedamp.cli import rerun
from firedamp.config.load import parse
from firedamp.decision import known
from firedamp.decision.parameters import from_json
from firedamp.model import Ask, Controller, Outcome, Question
from firedamp.ports import Lesson, Span
from firedamp.queries import Increase, selector
from firedamp.sources.prometheus import PrometheusSettings, PrometheusSource
from firedamp.stats.noise import Learnt
from firedamp.wiring import Living, living
from real import serving
from real.history import Story, past
from real.prometheus import BINARIES, RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
HOURS = 6 * 3600.0
STORIES = [
    Story("bursty", burst=20, before=HOURS + 600),
    Story("quiet", before=HOURS + 600),
]


@pytest.fixture(scope="module", params=BINARIES)
def prometheus(request):
    with RealPrometheus(past(STORIES, RELEASED), request.param) as server:
        yield server.url


@asynccontextmanager
async def running(url: str, folder) -> AsyncIterator[Living]:
    settings = parse(
        {
            "store": {"url": f"sqlite:///{folder}/firedamp.db"},
            "sources": [{"name": "prometheus", "kind": "prometheus", "url": url}],
            "services": [serving.service(story.service) for story in STORIES],
        },
        "test",
    )
    async with living(settings) as parts:
        yield parts


def asking(service: str, revision: str = "canary") -> Ask:
    arms = {"canary": "canary", "main": "stable"}
    return Ask("shop", service, Question.GUARD, Controller.ARGO, revision=revision, arms=arms)


async def watch(parts: Living, ask: Ask, start: float, end: float):
    """Ask every 30 s; the last answer."""
    verdict, now = await parts.judge.answer(ask, start), start
    while (now := now + 30) <= end:
        verdict = await parts.judge.answer(ask, now)
    return verdict


def learnt(lesson: Lesson) -> Learnt:
    clumps, pods = (lesson.phi_sum, lesson.phi_weight), (lesson.tau_sum, lesson.tau_weight)
    return Learnt(*clumps, *pods, lesson.events, lesson.requests)


async def test_bursts_and_quiet_are_learnt_from_hours_of_history(prometheus, tmp_path):
    """Errors that come twenty at a time are known to clump, those that come singly not to."""
    async with running(prometheus, tmp_path) as parts:
        for story in STORIES:
            await parts.judge.answer(asking(story.service), RELEASED)
        await parts.judge.settled()
        ((bursty,), (quiet,)) = [await parts.store.lessons("shop", story.service) for story in STORIES]

    assert learnt(bursty).dispersion.phi > 3
    assert learnt(quiet).dispersion.phi < 1.5
    assert min(bursty.phi_weight, quiet.phi_weight) > 20


async def test_the_second_release_knows_what_the_first_one_told(prometheus, tmp_path):
    """Its first look is pinned with history and lesson together, and its looks can be judged again."""
    async with running(prometheus, tmp_path) as parts:
        ask, again = asking("bursty"), asking("bursty", "retry")
        await watch(parts, ask, RELEASED, RELEASED + 600)
        await parts.judge.ended("shop", "bursty", "canary", outcome="promoted", by="ada", now=RELEASED + 610)
        await parts.judge.settled()
        lessons = await parts.store.lessons("shop", "bursty")
        await watch(parts, again, RELEASED + 700, RELEASED + 1000)
        release = await parts.store.latest("shop", "bursty", "retry")
        looks = await parts.store.looks(release.id)
        replayed = rerun.again(release, looks, from_json(release.parameters))

    assert [lesson.release_id for lesson in lessons] == [0, 1]
    assert known.from_json(release.noise) == {"errors": known.pooled(map(learnt, lessons))}
    assert len(looks) == 9
    assert replayed.differs_at is None


async def test_history_that_hangs_delays_no_look(prometheus, tmp_path):
    """A server that never ends a long query answers the short ones, and looks are taken from those."""
    async with hanging(prometheus) as url, running(url, tmp_path) as parts:
        await parts.judge.answer(asking("quiet"), RELEASED)
        await asyncio.sleep(0.1)
        began = time.monotonic()
        verdict = await parts.judge.answer(asking("quiet"), RELEASED + 65)
        took = time.monotonic() - began
        release = await parts.store.latest("shop", "quiet", "canary")

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.block == 1
    assert release.noise == known.NOTHING
    assert took < 2.0


@asynccontextmanager
async def hanging(upstream: str) -> AsyncIterator[str]:
    """A proxy before a Prometheus that hangs on increases over half an hour."""
    async with ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            form = await request.post()
            if "[1800000ms]" in str(form["query"]):
                await asyncio.sleep(60)
            async with session.post(f"{upstream}{request.path}", data=form) as answer:
                return web.Response(body=await answer.read(), status=answer.status)

        app = web.Application()
        app.router.add_post("/{path:.*}", forward)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def test_replicas_of_prometheus_are_not_added_up(prometheus):
    """Where the backend shows both of a pair, an increase is that of one of them."""
    with RealPrometheus(
        [
            given
            for replica in ("a", "b")
            for name, labels, times, values in past([STORIES[1]], RELEASED)
            if name == "http_requests_total"
            for given in [(name, {**labels, "prometheus_replica": replica}, times, values)]
        ]
    ) as pair:
        one, two = [await _increases(url) for url in (prometheus, pair.url)]

    assert two == one
    assert len(one) == 4


async def _increases(url: str) -> dict[str, list[float]]:

    settings = PrometheusSettings.model_validate({"name": "test", "url": url})
    need = Increase(selector('http_requests_total{service="quiet",rollouts_pod_template_hash="stable"}'))
    ends = (RELEASED - 900, RELEASED)
    async with PrometheusSource(settings) as source:
        found = await source.samples(need, (), Span(RELEASED - 1800, ends, 900, 5))
    return {one.labels["pod"]: one.values.tolist() for one in found.series}
