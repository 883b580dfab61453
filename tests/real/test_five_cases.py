"""
The five cases that matter, on a real Prometheus, asked by the real clients.

The past is backfilled; the running service's clock is set back to the release's start and moved on from
question to question, so that an hour of a release is judged in seconds, on the very samples it had.
"""

import asyncio
import time

import pytest

from real import serving
from real.goclients import GoClients, clients_or_skip
from real.history import Story, past
from real.prometheus import BINARIES, RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
STORIES = {
    "errors": Story("errors", canary_errors=0.05),
    "slower": Story("slower", canary_median=0.12),
    "slow": Story("slow", canary_median=0.104),
    "healthy": Story("healthy"),
    "thin": Story("thin", per_second=50 / 1800),
    "down": Story("down"),
}


def _service(
    name: str, source: str = "prometheus", preset: str = "argo", latency_tolerance: str = "20%"
) -> dict:
    by = (
        {"preset": preset}
        if preset == "argo"
        else {
            "preset": "labels",
            "canary": 'rollouts_pod_template_hash="canary"',
            "main": 'rollouts_pod_template_hash="stable"',
        }
    )
    latency = {
        "name": "latency",
        "kind": "distribution",
        "histogram": f'http_request_duration_seconds{{service="{name}"}}',
        "tolerance": latency_tolerance,
    }
    return serving.service(name, latency, source=source, cohorts=by)


def running(prometheus: str, preset: str, folder):
    services = [
        _service(name, "gone" if name == "down" else "prometheus", preset, "10%" if name == "slow" else "20%")
        for name in STORIES
    ]
    sources = [
        {"name": "prometheus", "kind": "prometheus", "url": prometheus},
        {"name": "gone", "kind": "prometheus", "url": "http://127.0.0.1:9"},
    ]
    return serving.running({"sources": sources, "services": services}, folder, RELEASED)


@pytest.fixture(scope="module")
def clients():
    with clients_or_skip() as found:
        yield found


@pytest.fixture(scope="module", params=BINARIES)
def prometheus(request):
    with RealPrometheus(past(list(STORIES.values()), RELEASED), request.param) as server:
        yield server.url


async def ask_argo(clients: GoClients, state: serving.Running, service: str, question: str, until: float):
    """What Argo's web metric makes of each answer, every 30 s, until it is no longer inconclusive."""
    measured = []
    while state.now <= RELEASED + until:
        measured.append(await serving.measure(clients, state, service, question))
        if measured[-1].phase != "Inconclusive":
            break
        state.now += 30
    return measured


@pytest.mark.parametrize(
    ("service", "phase", "until", "said"),
    [
        ("errors", "Failed", 1800, "errors: the canary served"),
        ("slower", "Failed", 1800, "latency: the canary takes 1."),
        ("slow", "Failed", 1800, "latency: the canary takes 1."),
        ("healthy", "Successful", 3600, "harm is excluded"),
        ("thin", "Inconclusive", 1800, "more canary requests are needed"),
        ("down", "Inconclusive", 600, "cannot judge now"),
    ],
)
async def test_argo(clients, prometheus, tmp_path, service, phase, until, said):
    """The real web metric provider reads the right phase and never Error."""
    async with running(prometheus, "argo", tmp_path) as state:
        measured = await ask_argo(clients, state, service, "promote", until)

    print(service, len(measured), measured[-1].value)
    assert {one.phase for one in measured} <= {"Inconclusive", phase}
    assert measured[-1].phase == phase
    assert said in measured[-1].value


async def test_healthy_release_passes_at_the_end_of_its_window_only(clients, prometheus, tmp_path):
    """Thirty minutes are waited for: the first pass comes at promote_after."""
    async with running(prometheus, "argo", tmp_path) as state:
        await ask_argo(clients, state, "healthy", "promote", 3600)
        passed = state.now - RELEASED

    assert 1800 <= passed <= 1860


async def test_background_guard_never_stops_a_healthy_release(clients, prometheus, tmp_path):
    """Argo's background conditions: anything but fail is a success."""
    body = {"service": "healthy", "namespace": "shop", "canary-hash": "canary", "stable-hash": "stable"}
    async with running(prometheus, "argo", tmp_path) as state:
        phases = set()
        for step in range(0, 3600, 120):
            state.now = RELEASED + step
            answer = await asyncio.to_thread(
                clients.argo_web,
                f"{state.url}/argo/v1/guard",
                "POST",
                json_body=body,
                json_path="{$.summary}",
                success='not (result startsWith "fail:")',
                failure='result startsWith "fail:"',
            )
            phases.add(answer.phase)

    assert phases == {"Successful"}


FLAGGER = {
    # service: hook -> whether Flagger takes the answer for yes, at the end of its story
    "errors": {
        "rollout": False,
        "rollback": True,
        "confirm-traffic-increase": False,
        "confirm-promotion": False,
    },
    "slower": {
        "rollout": False,
        "rollback": True,
        "confirm-traffic-increase": False,
        "confirm-promotion": False,
    },
    "healthy": {
        "rollout": True,
        "rollback": False,
        "confirm-traffic-increase": True,
        "confirm-promotion": True,
    },
    "thin": {
        "rollout": True,
        "rollback": False,
        "confirm-traffic-increase": True,
        "confirm-promotion": False,
    },
    "down": {
        "rollout": True,
        "rollback": False,
        "confirm-traffic-increase": False,
        "confirm-promotion": False,
    },
}


@pytest.mark.parametrize("service", FLAGGER)
async def test_flagger(clients, prometheus, tmp_path, service):
    """The real webhook call takes each hook's answer as the table says, with a reason where it is no."""

    async def call(hook: str):
        return await asyncio.to_thread(
            clients.flagger_hook,
            f"{state.url}/flagger/v1/{serving.SECRET}/{hook}",
            hook,
            name=service,
            namespace="shop",
            applied="v2",
        )

    async with running(prometheus, "labels", tmp_path) as state:
        first = {
            hook: await call(hook)
            for hook in ("confirm-rollout", "rollback", "pre-rollout", "confirm-traffic-increase")
        }
        for _ in range(0, 1860, 60):
            state.now += 60
            await call("rollout")
        last = {hook: await call(hook) for hook in FLAGGER[service]}
        ended = await call("post-rollout")

    assert {hook: answer.ok for hook, answer in first.items()} == {
        "confirm-rollout": True,
        "rollback": False,
        "pre-rollout": True,
        "confirm-traffic-increase": True,
    }
    assert {hook: answer.ok for hook, answer in last.items()} == FLAGGER[service]
    assert all(answer.error for hook, answer in last.items() if not answer.ok)
    assert ended.ok
