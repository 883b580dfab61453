"""A check's evidence as JSON: what the page's charts are drawn from."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from firedamp.decision.parameters import to_json
from firedamp.model import Block, ReleaseKey
from lookbook import PARAMETERS, a_release_of
from rehearsal import Shop
from service import ASKER, Service, running
from store.examples import a_look, a_release

SHOP = ReleaseKey("shop", "checkout", "7d9f8b6c5d", 1)


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as found:
        yield found


async def judged(service: Service, count: int = 20) -> int:
    release = await service.store.open(a_release(SHOP, parameters=to_json(PARAMETERS), started=0.0))
    await service.store.add_looks(release, a_release_of(count, Shop(requests=2000), weights=(0.05, 0.2)))
    return release.id


async def asked(service: Service, path: str) -> dict:
    reply = await service.ask("GET", path)
    assert reply.status == 200, reply.text
    return json.loads(reply.text)


async def test_a_check_brings_its_lines_pods_and_queries(service):
    """Every line is as long as the others, the steps say when the weight changed."""
    number = await judged(service)

    found = await asked(service, f"/api/v1/releases/{number}/checks/errors")

    assert found["unit"] == "share"
    assert {len(line) for line in found["lines"].values()} == {20}
    assert [step["weight"] for step in found["steps"]] == [0.05, 0.2]
    assert found["pod_count"] == {"main": 4, "canary": 2}
    assert found["queries"][0]["text"].startswith('r{code=~"5.."')
    assert "durations" not in found


async def test_durations_bring_their_curves(service):
    """The bound without end is null."""
    number = await judged(service)

    found = await asked(service, f"/api/v1/releases/{number}/checks/latency")

    assert found["durations"]["bounds"][-1] is None
    assert len(found["durations"]["canary"]) == len(found["durations"]["bounds"])
    assert len(found["pods"][0]["box"]) == 5


async def test_a_release_tells_its_steps_doubts_and_what_is_ahead(service):
    """What stands above the checks on the page."""
    number = await judged(service)

    found = await asked(service, f"/api/v1/releases/{number}?look=9")

    assert found["look"] == 9
    assert [step["weight"] for step in found["steps"]] == [0.05]
    assert found["ahead"] == {"warm_from": 60.0, "judged_at": 600.0, "ends_at": 1200.0, "fraction": 0.25}
    assert [(doubt["kind"], doubt["grave"]) for doubt in found["doubts"]] == [("not judged", True)]
    assert found["doubts"][0]["checks"] == ["errors", "latency"]
    assert len(found["timeline"]) == 20


async def test_an_earlier_look_knows_no_later_ones(service):
    """What was known then."""
    number = await judged(service)

    found = await asked(service, f"/api/v1/releases/{number}/checks/errors?look=4")

    assert found["look"] == 4
    assert found["lines"]["blocks"] == [0, 1, 2, 3, 4]


async def test_a_long_release_is_bounded(service):
    """Of a thousand looks the newest hours are told."""
    release = await service.store.open(a_release(SHOP))
    looks = [
        replace(look, evidence=replace(look.evidence, block=Block(at, 30.0 * at, 30.0 * at + 30)))
        for at, look in ((at, a_look(at)) for at in range(1000))
    ]
    await service.store.add_looks(release, looks)

    reply = await service.ask("GET", f"/api/v1/releases/{release.id}/checks/errors")

    assert len(json.loads(reply.text)["lines"]["ends"]) == 120
    assert len(reply.text) < 50_000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("checks/none", 404),
        ("checks/errors?look=99", 404),
        ("checks/errors?look=x", 400),
        ("checks/%00", 404),
    ],
)
async def test_what_is_not_there_is_refused_in_words(service, path, status):
    """With a way to what there is."""
    number = await judged(service, 3)

    reply = await service.ask("GET", f"/api/v1/releases/{number}/{path}")

    assert reply.status == status
    assert json.loads(reply.text)["error"]


async def test_another_teams_check_is_not_shown(service):
    """A token is held to its namespaces."""
    release = await service.store.open(a_release(ReleaseKey("pay", "ledger", "a", 1)))
    await service.store.add_looks(release, [a_look(0)])

    reply = await service.ask("GET", f"/api/v1/releases/{release.id}/checks/errors", ASKER)

    assert reply.status == 404


async def test_the_document_describes_it(service):
    """Both parts of the path, and the look."""
    document = await asked(service, "/api/v1/openapi.json")

    found = document["paths"]["/api/v1/releases/{id}/checks/{check}"]["get"]

    assert found["operationId"] == "get_releases_one_checks_one"
    assert [(one["name"], one["in"], one["required"]) for one in found["parameters"]] == [
        ("id", "path", True),
        ("check", "path", True),
        ("look", "query", False),
    ]
