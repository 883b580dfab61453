"""A release ordered back by hand: the order given on the page, and what Argo Rollouts is told then."""

import json
import re
from collections.abc import AsyncIterator

import pytest_asyncio

from fakes import MemoryStore
from firedamp.judge import Judge
from judge.shop import PARAMETERS, ShopBook, ShopSource
from service import ASKER, Reply, Service, running
from visits import PEOPLE, RULER

ORDER = {
    "namespace": "shop",
    "service": "checkout",
    "hook": "rollback",
    "lasts": "30m",
    "note": "refunds fail",
}
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
GUARD = "/argo/v1/guard?service=checkout&namespace=shop&canary-hash={}&stable-hash=stable"


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    """The whole application with a judge of its own, over a real socket."""
    store = MemoryStore()
    judge = Judge(ShopBook(PARAMETERS), {"main": ShopSource()}, store)
    async with running(judge=judge, store=store, also=PEOPLE) as found:
        yield found


async def guarded(service: Service, revision: str = "canary") -> str:
    """What Argo keeps of its guard's answer."""
    reply = await service.ask("GET", GUARD.format(revision), ASKER)
    assert reply.status == 200
    return str(json.loads(reply.text)["summary"])


async def thrown(service: Service, **changes: str) -> Reply:
    """Read on the page what the order does, and give it."""
    asked = await service.ask("POST", "/gates", RULER, data=ORDER | changes)
    plan = asked.text.split('<section class="plan"')[1].split("</form>")[0]
    return await service.ask("POST", "/gates", RULER, data=dict(HIDDEN.findall(plan)))


async def test_an_order_given_on_the_page_fails_argo_s_next_measurement(service):
    """With who gave it and why; the page leads back to the release, which says the same."""
    before = await guarded(service)
    done = await service.ask("GET", (await thrown(service)).headers["Location"], RULER)
    [link] = re.findall(r'href="(/releases/\d+)">Go to', done.text)
    release = await service.ask("GET", link, RULER)

    assert before.startswith("inconclusive: go on: collecting evidence")
    assert (await guarded(service)).startswith(
        "fail: ruth ordered to roll back: refunds fail; the evidence alone says: go on: collecting evidence"
    )
    assert "ruth ordered to roll this release back, for" in release.text


async def test_the_next_revision_is_judged_by_itself(service):
    """The order stands, and was meant for what was under way when it was given."""
    await guarded(service)
    await thrown(service)

    assert (await guarded(service, "mended")).startswith("inconclusive: go on: collecting evidence")


async def test_an_order_withdrawn_on_the_page_is_over(service):
    """From the next question on, where the controller has not acted."""
    await guarded(service)
    await thrown(service)
    await thrown(service, open="no")

    assert (await guarded(service)).startswith("inconclusive: go on: collecting evidence")
