"""The API's room of tuning: what is in force, previews, saving, and who may."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.test_api import conforms
from fakes import MemoryStore
from firedamp.access import digest
from firedamp.ports import Override, Token
from pasts import COHORTS, errors, parameters, past
from rehearsal import Shop
from service import ASKER, GATEKEEPER, Service, running

PATH = "/api/v1/services/shop/checkout/tuning"
PREVIEW = f"{PATH}/preview"
TUNER = "fd_a-tuner-of-shop-only"
WIDER: dict[str, Any] = {"checks": {"errors": {"tolerance": "500%"}}}
WINDOW = {"promote_after": "10m", "decide_by": "20m"}
SERVICE = {
    "name": "checkout",
    "namespace": "shop",
    "cohorts": COHORTS,
    "window": WINDOW,
    "checks": [errors()],
}
PARAMETERS = parameters(errors())


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    store = MemoryStore()
    await store.add_token(Token("sue", digest(TUNER), "tuner", ("shop",)))
    async with running({"services": [SERVICE]}, store=store) as found:
        yield found


async def answer(service: Service, method: str, path: str, token: str = TUNER, **body: Any) -> Any:
    """The JSON of a good answer, which must be as the document says."""
    reply = await service.ask(method, path, token, **({"json": body} if body else {}))
    assert reply.status == 200, reply.text
    found = json.loads(reply.text)
    await conforms(service, method, path, found)
    return found


async def refusal(
    service: Service, method: str, path: str, token: str = TUNER, **body: Any
) -> tuple[int, str]:
    reply = await service.ask(method, path, token, **({"json": body} if body else {}))
    return reply.status, json.loads(reply.text)["error"]


async def test_a_service_tells_what_may_be_tuned(service):
    """Every check with its values, in fractions and seconds, and nothing that was tuned."""
    found = await answer(service, "GET", PATH, ASKER)

    assert found["version"] == 0
    assert found["versions"] == found["difference"] == []
    assert found["in_force"] == found["written"]
    assert found["in_force"]["window"] == {"warm_up": 120, "promote_after": 600, "decide_by": 1200}
    [check] = found["in_force"]["checks"]
    assert (check["name"], check["kind"]) == ("errors", "proportion")
    assert check["values"] == {
        "tolerance": 0.25,
        "min_excess": 0.001,
        "pass_ratio": 2.0,
        "pass_excess": 0.005,
        "tier": "critical",
        "weight": 1.0,
    }


async def test_a_preview_says_which_verdicts_differ(service):
    """Each release with how it stood and would have stood; nothing is saved."""
    bad = await past(service.store, "bad", PARAMETERS, Shop(requests=2000, canary_errors=0.03), 8)
    await past(service.store, "good", PARAMETERS, Shop(requests=2000), 25)
    await past(service.store, "old", parameters(errors("others")), Shop(), 3)

    found = await answer(service, "POST", PREVIEW, change=WIDER)

    assert found["summary"] == "1 of 2 verdicts differs; 1 release cannot be compared"
    assert found["difference"] == ["errors: tolerance 25 % → 500 %"]
    assert [one["differs"] for one in found["compared"]] == [False, True]
    differing = found["compared"][1]
    assert (differing["then"]["verdict"], differing["now"]["verdict"]) == ("fail", "inconclusive")
    assert differing["link"] == f"https://firedamp.example/releases/{bad.id}"
    assert [one["reason"] for one in found["aside"]] == ["it had no check 'errors' yet"]
    assert await service.store.overrides("shop", "checkout") == []


async def test_a_preview_takes_so_many_releases_as_asked(service):
    """The newest ones."""
    for number in range(3):
        await past(service.store, f"r{number}", PARAMETERS, Shop(), 2)

    found = await answer(service, "POST", PREVIEW, change={}, releases=2)

    assert [one["revision"] for one in found["compared"]] == ["r2", "r1"]


async def test_a_preview_of_going_back_is_against_what_is_in_force(service):
    """What was judged under the wider tolerance is judged again by the settings' own."""
    await answer(service, "PUT", PATH, change=WIDER, based_on=0)
    wide = parameters(errors(tolerance=5.0))
    await past(service.store, "bad", wide, Shop(requests=2000, canary_errors=0.03), 12)

    found = await answer(service, "POST", PREVIEW, change={})

    assert found["difference"] == ["errors: tolerance 500 % → 25 %"]
    assert found["compared"][0]["now"]["verdict"] == "fail"


async def test_a_saved_change_is_in_force(service):
    """The answer says what it is now, with its version, by whom and why."""
    found = await answer(service, "PUT", PATH, change=WIDER, based_on=0, note="bursts at noon")

    assert found["version"] == 1
    assert found["difference"] == ["errors: tolerance 25 % → 500 %"]
    assert found["change"]["checks"] == {"errors": {"tolerance": 5.0}}
    [version] = found["versions"]
    assert (version["by"], version["note"]) == ("sue", "errors: tolerance 25 % → 500 % (bursts at noon)")
    assert await answer(service, "GET", PATH) == found


async def test_an_earlier_version_can_be_saved_again(service):
    """Its change comes as the answer told it."""
    first = await answer(service, "PUT", PATH, change=WIDER, based_on=0)
    await answer(service, "PUT", PATH, change={}, based_on=1)

    found = await answer(service, "PUT", PATH, change=first["versions"][0]["change"], based_on=2)

    assert (found["version"], found["difference"]) == (3, first["difference"])
    assert [one["version"] for one in found["versions"]] == [3, 2, 1]


async def test_who_saves_second_is_told_what_the_first_one_did(service):
    """409, with the difference."""
    await answer(service, "PUT", PATH, change=WIDER, based_on=0)

    status, said = await refusal(service, "PUT", PATH, change={"alpha": "1%"}, based_on=0)

    assert status == 409
    assert "sue saved version 1 at " in said
    assert "would change of it: errors: tolerance 500 % → 25 %; alpha 2 % → 1 %" in said


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("token", [ASKER, GATEKEEPER])
async def test_only_who_may_tune_does(service, method, token):
    """Previews take the server's time, so they are the tuners' too."""
    path = PREVIEW if method == "POST" else PATH

    status, said = await refusal(service, method, path, token, change=WIDER)

    assert status == 403
    assert "'tuner'" in said


async def test_a_token_tunes_in_its_namespaces_only(service):
    """Another one's services are not even shown."""
    for method, path in (("GET", PATH), ("POST", PREVIEW), ("PUT", PATH)):
        status, said = await refusal(service, method, path.replace("shop", "pay"), change={})
        assert (status, "is not good for namespace" in said) == (403, True)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "change is missing"),
        (
            {"change": {"window": {"look": "10s"}}},
            '"look" is unknown: allowed are warm_up, promote_after, decide_by',
        ),
        ({"change": {"checks": {"errors": {"noun": "e"}}}}, '"noun" is unknown: allowed are tolerance, max_'),
        ({"change": {"checks": {"max": {"noun": "e"}}}}, '"noun" is unknown: allowed are tolerance, max_'),
        ({"change": {"alpha": "lots"}}, "write it like 20% or 0.2"),
        ({"change": {"checks": {"errors": {"tier": "fatal"}}}}, "change.checks.errors.tier"),
        ({"change": {}, "releases": 1000}, "releases is 1000"),
        ({"change": {}, "release": 10}, '"release" is unknown: allowed are change, releases'),
        ({"change": []}, "change is a list"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_with_the_reason(service, body, fault):
    """The value, what is allowed, and what to do."""
    reply = await service.ask("POST", PREVIEW, TUNER, json=body)

    assert reply.status == 400
    assert fault in json.loads(reply.text)["error"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"checks": {"eror": {"weight": 2}}}, "there is no check 'eror': known are errors"),
        ({"checks": {"errors": {"max": 2}}}, "max of check 'errors' is 2.0"),
        ({"window": {"warm_up": "15m"}}, "window does not allow this: needs warm_up < promote_after"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused_with_the_reason(service, change, fault):
    """Understood, but the service's settings do not allow it."""
    reply = await service.ask("POST", PREVIEW, TUNER, json={"change": change})

    assert reply.status == 409
    assert fault in json.loads(reply.text)["error"]


@pytest.mark.parametrize("name", ["cart", "%00", "%ED%A0%80", "a" * 254, "..%2F"])
async def test_a_service_that_is_not_there_cannot_be_tuned(service, name):
    """Neither can one that has no name."""
    reply = await service.ask("GET", f"/api/v1/services/shop/{name}/tuning", TUNER)

    assert reply.status in (400, 404)


async def test_a_change_that_fits_no_more_is_told(service):
    """It is listed with its version, and why it is not followed."""
    body = '{"checks":{"gone":{"weight":2.0}}}'
    await service.store.tune(Override("shop", "checkout", 1, "sue", 1.0, body=body))
    await service.store.tune(Override("shop", "checkout", 2, "sue", 2.0, body="of another version"))

    found = await answer(service, "GET", PATH)

    assert found["misfit"] == "another version of firedamp wrote it"
    assert [one.get("change") for one in found["versions"]] == [
        None,
        {"checks": {"gone": {"weight": 2.0}}, "window": {}},
    ]


async def test_what_is_saved_is_what_later_releases_are_judged_by(service):
    """The body in the store is read by the judge."""
    await answer(service, "PUT", PATH, change={"window": {"warm_up": "1m"}}, based_on=0)

    override = await service.store.override("shop", "checkout")
    assert override.body == '{"window":{"warm_up":60.0}}'
