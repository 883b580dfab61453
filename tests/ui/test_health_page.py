"""The page of health and its twin: what is wrong first, with what to do about it."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fakes import MemoryStore
from firedamp import telemetry
from firedamp.errors import SourceDownError, StoreError
from firedamp.ports import Override
from service import ASKER, Service, running
from store.examples import a_release
from visits import shown

SOURCES = [
    {"name": "health-metrics", "kind": "prometheus", "url": "http://127.0.0.1:9/"},
    {"name": "health-idle", "kind": "prometheus", "url": "http://127.0.0.1:9/"},
]
SERVICES = [{"name": "checkout", "namespace": "shop"}, {"name": "checkout", "namespace": "pay"}]


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running({"sources": SOURCES, "services": SERVICES}) as found:
        yield found


@pytest.fixture(autouse=True)
def unseen():
    """No source has been asked yet, and nothing was done beside the answers."""
    telemetry.SEEN.clear()
    telemetry.WORKED.clear()
    yield
    telemetry.SEEN.clear()
    telemetry.WORKED.clear()


async def test_a_source_tells_when_it_last_answered(service):
    """As this replica has seen it; one that was never asked is neither well nor ill."""
    telemetry.answered("health-metrics", 100)

    text = (await service.ask("GET", "/health", ASKER)).text
    told = json.loads((await service.ask("GET", "/api/v1/health", ASKER)).text)

    assert "✓</span> answers" in text
    assert "not asked yet" in text
    assert [one.get("good") for one in told["sources"]] == [True, None]
    assert 0 <= told["sources"][0]["answered"] < 60


@pytest.mark.parametrize(
    ("kind", "says"), [("source_down", "can be reached from here"), ("refused", "firedamp doctor")]
)
async def test_a_source_that_fails_is_the_first_thing_said(service, kind, says):
    """With its name, and what to look at."""
    telemetry.answered("health-metrics", 100)
    telemetry.unanswered("health-metrics", kind)

    text = (await service.ask("GET", "/health")).text
    told = json.loads((await service.ask("GET", "/api/v1/health")).text)

    assert text.index("Source health-metrics gave no answer") < text.index("<h2>Sources</h2>")
    assert says in text
    assert "in trouble" in text
    assert [one["grave"] for one in told["wrong"] if "health-metrics" in one["what"]] == [True]


async def test_a_source_that_answers_again_is_well(service):
    """The last word counts."""
    telemetry.unanswered("health-metrics", "source_down")
    telemetry.answered("health-metrics", 100)

    assert "gave no answer" not in (await service.ask("GET", "/health")).text


def failing(work: telemetry.Work, error: Exception) -> None:
    with pytest.raises(type(error)), telemetry.working(work):
        raise error


async def test_work_beside_the_answers_tells_when_it_was_last_done(service):
    """And when it last failed; what there was nothing to do for is neither well nor ill."""
    failing(telemetry.Work.LEARNING, SourceDownError("no answer"))
    with telemetry.working(telemetry.Work.LEARNING):
        pass

    text = (await shown(service, "/health")).text
    told = json.loads((await service.ask("GET", "/api/v1/health")).text)
    [learning] = [one for one in told["work"] if one["name"] == "learning"]

    assert "Learning noise from the past ✓ done" in text
    assert "(a source gave no answer)" in text
    assert text.count("… nothing to do yet never never") == len(telemetry.Work) - 1
    assert learning["good"] is True
    assert 0 <= learning["done"] <= learning["failed"] < 60


@pytest.mark.parametrize("work", telemetry.Work)
async def test_work_that_failed_the_last_time_is_something_to_look_at(service, work):
    """With what it costs; nothing of it makes the whole ill, as answers go on."""
    failing(work, StoreError("gone"))

    text = (await shown(service, "/health")).text

    assert "failed the last time (the store did not answer)" in text
    assert f"for {work.value}." in text
    assert "in trouble" not in text


async def test_a_bound_token_is_told_of_no_other_namespaces(service):
    """Neither how many releases there are elsewhere, nor whose tuned settings fit no more."""
    await service.store.open(a_release())
    for namespace in ("shop", "pay"):
        await service.store.tune(Override(namespace, "checkout", 1, "anna", 1.0, body="{"))

    all_of_it = json.loads((await service.ask("GET", "/api/v1/health")).text)
    mine = json.loads((await service.ask("GET", "/api/v1/health", ASKER)).text)
    page = (await shown(service, "/health", token=ASKER)).text

    assert [("pay/checkout" in str(one), "shop/checkout" in str(one)) for one in (all_of_it, mine, page)] == [
        (True, True),
        (False, True),
        (False, True),
    ]
    assert "running" not in mine
    assert "under judgement" not in page


class Ailing(MemoryStore):
    """A store that is not as it should be, and says so."""

    async def ready(self) -> str | None:
        return "the store's schema is v0001, behind v0007: run `firedamp db upgrade`"


async def test_a_store_that_is_down_is_said_with_its_trouble():
    """The page answers although the store does not."""
    async with running({"sources": SOURCES}, store=Ailing()) as service:
        reply = await service.ask("GET", "/health")

    assert reply.status == 200
    assert "run `firedamp db upgrade`" in reply.text
    assert "mend the database" in reply.text


async def test_what_is_under_way_is_counted(service):
    """Releases under judgement, questions, and the version that does all this."""
    await service.store.open(a_release())

    told = json.loads((await service.ask("GET", "/api/v1/health")).text)
    text = (await service.ask("GET", "/health")).text

    assert (told["running"], told["snapshots"]) == (1, 0)
    assert told["up_seconds"] > 0
    assert told["store"] == "sqlite:///firedamp.db"
    assert f"firedamp {told['version']}" in text


async def test_the_intakes_losses_are_named(service):
    """Spans that were lost are a reason to give it room, or to send it fewer."""
    figures = telemetry.Intake(10, 100, 1000, 0, 3, 5, 0)
    with telemetry.INTAKE.of(lambda: figures):
        text = (await service.ask("GET", "/health")).text
        told = json.loads((await service.ask("GET", "/api/v1/health")).text)

    assert "no room for all of them" in text
    assert "clocks that are wrong" in text
    assert told["intake"]["taken"] == 1000
    assert "1,000" in text


async def test_open_doors_are_said():
    """What was left open on purpose is still said, to whoever did not know."""
    async with running({"auth": {"required": False}, "public_url": None}) as service:
        text = (await service.ask("GET", "/health", None)).text

    assert "No token is asked for" in text
    assert "Set public_url" in text
    assert "There is no source" in text


async def test_questions_about_health_are_strict(service):
    """The twin takes no parameters."""
    reply = await service.ask("GET", "/api/v1/health?verbose=1")

    assert reply.status == 400
