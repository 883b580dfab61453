"""
A leak in a real Prometheus: found when the window ends, by the whole product but its HTTP face.

Memory of each pod wanders by a per cent or so; the canary of one service grows by a fifth in half an hour,
the canary of another only fills its caches.
"""

import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from firedamp.config.load import parse
from firedamp.model import Ask, Controller, Outcome, Question, Verdict
from firedamp.wiring import Living, living
from real import serving
from real.history import SCRAPE_SECONDS, Story, past
from real.prometheus import BINARIES, Given, RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
WINDOW = 1800.0
STORIES = [Story("leaky", seed=3), Story("filling", seed=4)]


def memory(story: Story, *, leak: float = 0.0, caches: float = 0.0) -> Iterator[Given]:
    """Resident memory around 200 MB; the canary's grows by a share per window, or lacks one at first."""
    rng = np.random.default_rng(story.seed)
    for arm, pods in (("stable", story.baseline_pods), ("canary", story.canary_pods)):
        for number in range(pods):
            begun = RELEASED + 4 if arm == "canary" else RELEASED - 600
            times = np.arange(begun + number, RELEASED + 2 * WINDOW, SCRAPE_SECONDS)
            level = wandering(rng, times.size)
            if arm == "canary":
                age = times - begun
                level += leak * age / WINDOW - caches * np.exp(-age / 120)
            labels = {
                "namespace": "shop",
                "pod": f"{story.service}-{arm}-{number:05d}",
                "rollouts_pod_template_hash": arm,
                "service": story.service,
            }
            yield "process_resident_memory_bytes", labels, times, np.round(2e8 * level)


def wandering(rng: np.random.Generator, points: int) -> np.ndarray:
    """AR(1) around 1, half of it forgotten in nine minutes."""
    steps, level = rng.normal(0, 0.01, points), np.empty(points)
    level[0] = steps[0]
    for at in range(1, points):
        level[at] = 0.98 * level[at - 1] + math.sqrt(1 - 0.98**2) * steps[at]
    return 1 + level


@pytest.fixture(scope="module", params=BINARIES)
def prometheus(request):
    series = [
        *past(STORIES, RELEASED),
        *memory(STORIES[0], leak=0.2),
        *memory(STORIES[1], caches=0.3),
    ]
    with RealPrometheus(series, request.param) as server:
        yield server.url


@asynccontextmanager
async def running(url: str, folder) -> AsyncIterator[Living]:
    settings = parse(
        {
            "store": {"url": f"sqlite:///{folder}/firedamp.db"},
            "sources": [{"name": "prometheus", "kind": "prometheus", "url": url}],
            "services": [
                serving.service(name, serving.memory(name)) for name in (story.service for story in STORIES)
            ],
        },
        "test",
    )
    async with living(settings) as parts:
        yield parts


async def watched(parts: Living, service: str, seconds: float) -> list[Verdict]:
    """What a promote question is answered every 30 s."""
    arms = {"canary": "canary", "main": "stable"}
    ask = Ask("shop", service, Question.PROMOTE, Controller.ARGO, revision="canary", arms=arms)
    return [await parts.judge.answer(ask, RELEASED + at) for at in np.arange(0.0, seconds + 1, 30.0)]


def of_memory(verdict: Verdict) -> list[Outcome]:
    return [finding.outcome for finding in verdict.findings if finding.check == "memory"]


async def test_a_leak_is_found_at_the_end_and_only_warns(prometheus, tmp_path):
    """20 % in half an hour: nothing is said of it before, then a person is told, none rolled back."""
    async with running(prometheus, tmp_path) as parts:
        verdicts = await watched(parts, "leaky", WINDOW + 300)
    found = [one for one in verdicts if of_memory(one) == [Outcome.FAIL]]
    sentence = next(finding.sentence for finding in found[-1].findings if finding.check == "memory")

    assert WINDOW <= found[0].at - RELEASED <= WINDOW + 60
    assert found == verdicts[-len(found) :]
    assert sentence.startswith("memory: grew by ")
    assert sentence.endswith("more than 10 % beyond main's is not allowed")
    assert not any(one.rollback for one in verdicts)
    assert found[-1].outcome is Outcome.PASS
    assert found[-1].sentence.endswith("; warning: memory failing")


async def test_filling_caches_are_no_leak(prometheus, tmp_path):
    """A canary that lacks 30 % at first and has it after some minutes is not told from the others."""
    async with running(prometheus, tmp_path) as parts:
        verdicts = await watched(parts, "filling", WINDOW + 300)

    assert [Outcome.FAIL] not in [of_memory(one) for one in verdicts]
    assert of_memory(verdicts[-1]) != []
