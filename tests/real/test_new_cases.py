"""
Cases that a comparison of error counts gets wrong, on a real Prometheus, asked by Argo's real client.

The past is backfilled and the service's clock moved from question to question, as for the five cases.
"""

import json
import re
import time

import aiohttp
import pytest

from real import serving
from real.goclients import clients_or_skip
from real.history import Story, past
from real.prometheus import BINARIES, RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
#: Seconds after the release, and the canary's percentage of the traffic from then on.
RAMP = ((0, 5), (600, 20), (1200, 50))
STORIES = [
    Story("ramp", ramp=tuple((since, percent / 100) for since, percent in RAMP), surge=(900, 3.0)),
    Story("one-bad-pod", canary_pods=3, bad_pod=0.2),
    Story("leaking", leak=0.2),
    Story("lopsided", share=0.5),
    Story("labelled"),
    Story("unlabelled", unlabelled=0.1),
    Story("both-failing", baseline_errors=0.3, canary_errors=0.3),
    Story(
        "both-worse", baseline_errors=0.005, canary_errors=0.005, surge=(-600, 12.0), before=6 * 3600 + 600
    ),
]


@pytest.fixture(scope="module")
def clients():
    with clients_or_skip() as found:
        yield found


@pytest.fixture(scope="module", params=BINARIES)
def prometheus(request):
    with RealPrometheus(past(STORIES, RELEASED), request.param) as server:
        yield server.url


@pytest.fixture
async def shop(prometheus, tmp_path):
    """The service, at the release's start."""
    settings = {
        "sources": [{"name": "prometheus", "kind": "prometheus", "url": prometheus}],
        "services": [
            serving.service(name, *([serving.memory(name)] if name == "leaking" else []))
            for name in (story.service for story in STORIES)
        ],
    }
    async with serving.running(settings, tmp_path, RELEASED) as state:
        yield state


async def asked(clients, shop, name: str, until: float, more=None):
    """Every answer to the last question of a release, asked each minute for so many seconds."""
    measured = []
    while shop.now <= RELEASED + until:
        measured.append(await serving.measure(clients, shop, name, "promote", more))
        shop.now += 60
    return measured


async def found(shop, check: str) -> dict:
    """What a check found at the last look of the only release."""
    async with aiohttp.ClientSession() as session, session.get(f"{shop.url}/api/v1/releases/1") as answer:
        return next(one for one in (await answer.json())["checks"] if one["check"] == check)


def weight_at(after: float) -> str:
    return str(max(percent for since, percent in RAMP if since <= after))


async def test_a_tripling_of_everybodys_errors_half_way_up_a_ramp_is_not_rolled_back(clients, shop):
    """The canary has far more errors at 50 % than it had at 5 %, and so has the version beside it."""
    measured = []
    for after in range(0, 1800, 30):
        shop.now, weight = RELEASED + after, weight_at(after)
        step = {"weight": weight, "step": weight}
        measured.append(await serving.measure(clients, shop, "ramp", "advance", step))
    measured += await asked(clients, shop, "ramp", 2400)

    assert {one.phase for one in measured} == {"Inconclusive", "Successful"}
    assert "harm is excluded" in measured[-1].value


async def test_one_bad_pod_among_three_is_named_and_not_rolled_back(clients, shop):
    """A pod with twenty times the errors of its two neighbours: a person must look at it."""
    measured = await asked(clients, shop, "one-bad-pod", 1800)

    assert {one.phase for one in measured} == {"Inconclusive"}
    assert "one bad pod: one-bad-pod-canary-00000 served" in measured[-1].value


async def test_a_leak_of_the_canary_warns_at_the_end(clients, shop):
    """Memory that grows by a fifth over the window: said with the pass, and nothing is rolled back."""
    measured = await asked(clients, shop, "leaking", 1860)
    memory = await found(shop, "memory")

    assert (memory["kind"], memory["tier"], memory["outcome"]) == ("trend", "warn", "fail")
    assert [one.phase for one in measured[:-1]] == ["Inconclusive"] * (len(measured) - 1)
    assert measured[-1].phase == "Successful"
    assert "warning: memory failing" in measured[-1].value


async def test_two_failing_versions_are_neither_passed_nor_rolled_back(clients, shop):
    """Three in ten requests fail in both: the sentence says so until the window is over."""
    measured = await asked(clients, shop, "both-failing", 3660)

    assert {one.phase for one in measured} == {"Inconclusive"}
    assert "both versions are failing (3" in measured[-1].value


async def test_versions_that_both_became_worse_are_told_by_their_past(clients, shop):
    """Six in a hundred fail in both since shortly before the release, where it was one in two hundred."""
    await serving.measure(clients, shop, "both-worse", "promote")
    await shop.judge.settled()
    measured = await asked(clients, shop, "both-worse", 2400)

    assert {one.phase for one in measured} == {"Inconclusive"}
    assert "both versions are failing (5.8 % against 6.0 % in main, usual" in measured[-1].value


async def test_a_canary_with_another_share_than_its_weight_is_never_passed(clients, shop):
    """Half of the requests at a weight of 20 %: however healthy it looks, see to the routing first."""
    measured = await asked(clients, shop, "lopsided", 2400, {"weight": "20", "step": "1"})

    assert {one.phase for one in measured} == {"Inconclusive"}
    assert "errors: cannot judge, the canary got 5" in measured[-1].value
    assert "where its weight is 20 % (14 % to 27 % are allowed)" in measured[-1].value


async def unlabelled(shop) -> list[float]:
    """Requests without a version label in each block of the only release."""
    address = f"{shop.url}/api/v1/releases/1/looks?limit=200"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        looks = (await answer.json())["looks"]
    return [look["evidence"][0]["unlabelled"] for look in looks]


async def test_a_release_with_requests_without_a_version_label_is_neither_passed_nor_rolled_back(
    clients, shop
):
    """A tenth of the requests, all of them failed: nobody can say by which version."""
    measured = await asked(clients, shop, "unlabelled", 3660)
    errors = await found(shop, "errors")
    share = r"9\.\d|1[01]"

    assert {one.phase for one in measured} == {"Inconclusive"}
    assert re.search(
        rf'errors: cannot judge, ({share}) % of the requests carry no label "rollouts_pod_template_hash" '
        r"\(at most 5\.0 % may\); add it to the scrape's relabelling",
        json.loads(measured[-1].value),
    )
    assert errors["situation"] == "no_data"
    assert sum(await unlabelled(shop)) == pytest.approx(20 / 9 * 3660, rel=0.05)


async def test_where_every_request_carries_a_version_label_nothing_changes(clients, shop):
    """The same service without the gateway passes when it may."""
    measured = await asked(clients, shop, "labelled", 1860)

    assert {one.phase for one in measured[:-1]} == {"Inconclusive"}
    assert measured[-1].phase == "Successful"
    assert set(await unlabelled(shop)) == {0.0}
