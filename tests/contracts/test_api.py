"""The REST interface: what it asks, what it answers, who may, and that its document tells the truth."""

import json
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from fakes import FakeJudge, MemoryStore
from findings import ERRORS
from firedamp.model import Controller, Finding, Question, Release, ReleaseKey, Verdict
from firedamp.ports import Event
from service import ADMIN, ASKER, GATEKEEPER, Service, running
from store.examples import a_blind_look, a_look, a_release

SHOP = ReleaseKey("shop", "checkout", "7d9f8b6c5d", 1)
PAY = ReleaseKey("pay", "ledger", "aaaa", 1)
WHO = {"service": "checkout", "namespace": "shop"}


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as found:
        yield found


async def answer(service: Service, method: str, path: str, **more: Any) -> Any:
    """The JSON of a good answer, which must be as the document says."""
    reply = await service.ask(method, path, **more)
    assert reply.status == 200, reply.text
    found = json.loads(reply.text, parse_constant=_no_constant)
    await conforms(service, method, path, found)
    return found


def _no_constant(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")


async def conforms(service: Service, method: str, path: str, found: object) -> None:
    """Hold an answer to the schema of its address in the document."""
    document = json.loads((await service.ask("GET", "/api/v1/openapi.json", None)).text)
    bare = path.split("?")[0]
    known = next(one for one in document["paths"] if _same(one, bare))
    content = document["paths"][known][method.lower()]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema).validate(found)


def _same(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    alike = (a == b or a.startswith("{") for a, b in zip(parts, given, strict=False))
    return len(parts) == len(given) and all(alike)


async def opened(store: MemoryStore, key: ReleaseKey = SHOP, looks: int = 0, **changed: Any) -> Release:
    release = await store.open(a_release(key, **changed))
    await store.add_looks(release, [a_look(index) for index in range(looks)])
    return release


# ── judge ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_question_reaches_the_judge_as_it_was_asked(service):
    """Every field arrives; what is left out is unknown, not empty."""
    body = {
        **WHO,
        "question": "advance",
        "revision": "v2",
        "cohorts": {"canary": "v2", "main": "v1"},
        "weight": 0.2,
        "step": "3",
        "experiment": True,
    }
    await answer(service, "POST", "/api/v1/judge", json=body)

    [ask] = service.judge.asked
    assert (ask.namespace, ask.service, ask.revision) == ("shop", "checkout", "v2")
    assert ask.question is Question.ADVANCE
    assert ask.controller is Controller.API
    assert ask.arms == {"canary": "v2", "main": "v1"}
    assert (ask.weight, ask.step, ask.experiment) == (0.2, "3", True)


async def test_the_shortest_question_asks_for_a_promotion(service):
    """A pipeline names the service and gets the strictest question about its latest release."""
    await answer(service, "POST", "/api/v1/judge", json={"service": "checkout"})

    [ask] = service.judge.asked
    assert (ask.namespace, ask.question, ask.revision) == ("default", Question.PROMOTE, None)
    assert (ask.arms, ask.weight, ask.step) == ({}, None, None)


async def test_a_verdict_is_told_whole(service):
    """Findings, permalink and summary; what is infinite or unknown is left out of strict JSON."""
    service.judge.says("fail", findings=(replace(ERRORS, detectable=math.inf),), rollback=True, block=7)

    found = await answer(service, "POST", "/api/v1/judge", json={**WHO, "revision": "v2"})

    [check] = found["checks"]
    assert found["verdict"] == "fail"
    assert found["summary"].startswith("fail: ")
    assert found["summary"].endswith(found["link"])
    assert found["link"] == "https://firedamp.example/releases/1"
    assert found["rollback"] is True
    assert found["block"] == 7
    assert check["interval"] == [ERRORS.interval[0], None]
    assert "detectable" not in check


async def test_an_undecided_verdict_is_an_answer(service):
    """200 for every verdict: "cannot tell" is no error."""
    service.judge.says("inconclusive", sentence="210 more requests")

    found = await answer(service, "POST", "/api/v1/judge", json=WHO)

    assert found["verdict"] == "inconclusive"


# ── releases and looks ───────────────────────────────────────────────────────────────────────────────


async def test_releases_are_paged_by_key(service):
    """A page ends where the next one begins, also while new releases arrive."""
    for revision in ("a", "b", "c"):
        await opened(service.store, ReleaseKey("shop", "checkout", revision, 1))

    first = await answer(service, "GET", "/api/v1/releases?limit=2")
    await opened(service.store, ReleaseKey("shop", "checkout", "d", 1))
    second = await answer(service, "GET", f"/api/v1/releases?limit=2&before={first['next']}")

    assert [one["revision"] for one in first["releases"]] == ["c", "b"]
    assert [one["revision"] for one in second["releases"]] == ["a"]
    assert "next" not in second


async def test_sources_that_are_silent_are_told_with_the_list(service):
    """As above the list on the page: each once, of releases that run."""
    before = await answer(service, "GET", "/api/v1/releases")
    for revision in ("a", "b"):
        release = await opened(service.store, ReleaseKey("shop", "checkout", revision, 1))
        await service.store.add_looks(release, [a_blind_look(0, "source prometheus: no answer within 2 s")])
    ended = await opened(service.store, ended=1_790_000_900.0, outcome="aborted")
    await service.store.add_looks(ended, [a_blind_look(0, "source of yesterday: no answer")])

    found = await answer(service, "GET", "/api/v1/releases")

    assert (before["troubles"], found["troubles"]) == ([], ["source prometheus: no answer within 2 s"])


async def test_releases_are_filtered(service):
    """By namespace and by service."""
    await opened(service.store)
    await opened(service.store, PAY)

    found = await answer(service, "GET", "/api/v1/releases?namespace=pay&service=ledger")

    assert [one["namespace"] for one in found["releases"]] == ["pay"]


async def test_a_bound_token_sees_its_own_namespaces_only(service):
    """Lists are cut silently; one release of another namespace is as if there were none."""
    await opened(service.store)
    hidden = await opened(service.store, PAY)

    listed = await answer(service, "GET", "/api/v1/releases", token=ASKER)
    refused = await service.ask("GET", f"/api/v1/releases/{hidden.id}", ASKER)
    looked = await service.ask("GET", f"/api/v1/releases/{hidden.id}/looks", ASKER)

    assert [one["namespace"] for one in listed["releases"]] == ["shop"]
    assert (refused.status, looked.status) == (404, 404)


async def test_a_release_tells_its_last_findings_and_its_timeline(service):
    """What the page shows, for programs: findings of the last look, a verdict per look."""
    release = await opened(service.store, looks=3)

    found = await answer(service, "GET", f"/api/v1/releases/{release.id}")

    assert found["revision"] == "7d9f8b6c5d"
    assert found["link"] == f"https://firedamp.example/releases/{release.id}"
    assert [one["check"] for one in found["checks"]] == ["errors"]
    assert [(one["block"], one["verdict"]) for one in found["timeline"]] == [
        (0, "inconclusive"),
        (1, "inconclusive"),
        (2, "inconclusive"),
    ]
    assert found["timeline"][0]["p_values"] == {"errors": pytest.approx(1 / 3)}


async def test_a_release_without_a_look_has_no_checks_yet(service):
    """The first block is not over."""
    release = await opened(service.store)

    found = await answer(service, "GET", f"/api/v1/releases/{release.id}")

    assert (found["checks"], found["timeline"]) == ([], [])


async def test_looks_tell_sums_of_their_evidence(service):
    """Numbers per arm, added up over its pods, block by block."""
    release = await opened(service.store, looks=3)

    found = await answer(service, "GET", f"/api/v1/releases/{release.id}/looks")

    [evidence] = found["looks"][2]["evidence"]
    assert evidence["sums"] == {"main": [3.0, 1000.0], "canary": [2.0, 200.0]}
    assert evidence["pods"] == {"main": 1, "canary": 1}


async def test_looks_are_paged_by_block(service):
    """`after` is the last block seen."""
    release = await opened(service.store, looks=3)

    first = await answer(service, "GET", f"/api/v1/releases/{release.id}/looks?limit=2")
    second = await answer(
        service, "GET", f"/api/v1/releases/{release.id}/looks?limit=2&after={first['next']}"
    )

    assert [one["block"] for one in first["looks"]] == [0, 1]
    assert [one["block"] for one in second["looks"]] == [2]


async def test_blocks_far_beyond_any_release_are_an_empty_page(service):
    """A number that fits in JSON is no reason for an error in the database."""
    release = await opened(service.store, looks=1)

    found = await answer(service, "GET", f"/api/v1/releases/{release.id}/looks?after={2**53 - 1}")

    assert found["looks"] == []


# ── outcomes, gates and holds ────────────────────────────────────────────────────────────────────────


class Ending(FakeJudge):
    """A judge that knows one release."""

    def __init__(self) -> None:
        super().__init__()
        self.release = a_release(SHOP, id=4, outcome="promoted", ended=1_790_000_900.0)

    async def ended(self, *args: Any, **more: Any) -> Release | None:
        await super().ended(*args, **more)
        return self.release


async def test_an_outcome_is_reported_in_the_name_of_the_token():
    """The audit trail knows who said how it ended."""
    async with running(judge=Ending()) as service:
        body = {**WHO, "revision": "7d9f8b6c5d", "outcome": "promoted"}
        found = await answer(service, "POST", "/api/v1/outcomes", token=GATEKEEPER, json=body)

    assert found["release"]["outcome"] == "promoted"
    assert service.judge.endings == [("7d9f8b6c5d", "promoted", "gates")]


async def test_a_gate_is_opened_for_a_while(service):
    """The gate lasts as long as was said, in the name of who opened it, and stands in the trail."""
    body = {**WHO, "hook": "confirm-promotion", "open": True, "expires": "30m", "note": "looks fine"}

    opened_gate = await answer(service, "PUT", "/api/v1/gates", token=GATEKEEPER, json=body)
    listed = await answer(service, "GET", "/api/v1/gates?namespace=shop", token=ASKER)
    trail = await answer(service, "GET", "/api/v1/audit", token=ASKER)

    assert listed["gates"] == [opened_gate]
    assert opened_gate["expires"] - opened_gate["at"] == pytest.approx(1800)
    assert (opened_gate["by"], opened_gate["note"], opened_gate["open"]) == ("gates", "looks fine", True)
    assert [event["by"] for event in trail["events"]] == ["gates"]


@pytest.mark.parametrize("mode", ["hold", "off"])
async def test_a_hold_is_laid_and_lifted(service, mode):
    """The judge finds it as an open gate of that name, and closed afterwards."""
    await answer(service, "PUT", "/api/v1/holds", json={**WHO, "mode": mode, "expires": "2h"})
    laid = await service.store.gate("shop", "checkout", mode, "", 0.0)
    await answer(service, "DELETE", f"/api/v1/holds?service=checkout&namespace=shop&mode={mode}")
    lifted = await service.store.gate("shop", "checkout", mode, "", 0.0)

    assert laid is not None
    assert laid.hook == mode
    assert lifted is None


async def test_a_bound_token_lists_its_own_gates_and_events_only(service):
    """A team sees its own."""
    for namespace in ("shop", "pay"):
        body = {"service": "s", "namespace": namespace, "hook": "*", "open": True}
        await answer(service, "PUT", "/api/v1/gates", token=ADMIN, json=body)

    gates = await answer(service, "GET", "/api/v1/gates", token=ASKER)
    events = await answer(service, "GET", "/api/v1/audit", token=ASKER)

    assert {one["namespace"] for one in gates["gates"]} == {"shop"}
    assert {one["namespace"] for one in events["events"]} == {"shop"}


async def test_events_are_the_newest_first(service):
    """And no more than asked for."""
    for at in (1.0, 2.0, 3.0):
        await service.store.record(Event(at, "hook", "shop", "checkout", "v2", "flagger", f"at {at}"))

    found = await answer(service, "GET", "/api/v1/audit?service=checkout&revision=v2&limit=2")

    assert [one["at"] for one in found["events"]] == [3.0, 2.0]


# ── services ─────────────────────────────────────────────────────────────────────────────────────────


CHECK = {"name": "errors", "kind": "proportion", "events": 'r{code="500"}', "total": "r"}
SERVICES = {
    "services": [
        {"name": "checkout", "namespace": "shop", "checks": [CHECK], "window": {"promote_after": "10m"}},
        {"name": "ledger", "namespace": "pay", "mode": "shadow"},
    ]
}


async def test_services_are_told_as_configured():
    """How long a release of theirs is watched, by which checks, in which mode."""
    async with running(SERVICES) as service:
        found = await answer(service, "GET", "/api/v1/services")

    [checkout, ledger] = [one["settings"] for one in found["services"]]
    assert checkout["checks"] == [{"name": "errors", "kind": "proportion", "tier": "critical"}]
    assert (checkout["promote_after"], checkout["decide_by"]) == (600.0, 1200.0)
    assert ledger["mode"] == "shadow"
    assert found["by_default"] is False


async def test_services_of_other_namespaces_are_not_told_to_a_bound_token():
    """Names of others' services are theirs."""
    async with running(SERVICES) as service:
        mine = await answer(service, "GET", "/api/v1/services", token=ASKER)
        named = await answer(service, "GET", "/api/v1/services?namespace=pay")

    assert [one["service"] for one in mine["services"]] == ["checkout"]
    assert [one["service"] for one in named["services"]] == ["ledger"]


# ── the document ─────────────────────────────────────────────────────────────────────────────────────


@pytest_asyncio.fixture
async def document(service) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((await service.ask("GET", "/api/v1/openapi.json", None)).text)
    return found


async def test_the_document_has_every_address_of_the_api(document):
    """The addresses are a promise."""
    assert document["openapi"].startswith("3.1")
    assert {path: sorted(methods) for path, methods in document["paths"].items()} == {
        "/api/v1/judge": ["post"],
        "/api/v1/releases": ["get"],
        "/api/v1/releases/{id}": ["get"],
        "/api/v1/releases/{id}/looks": ["get"],
        "/api/v1/releases/{id}/rulings": ["delete", "get", "post"],
        "/api/v1/releases/{id}/label": ["delete", "put"],
        "/api/v1/releases/{id}/checks/{check}": ["get"],
        "/api/v1/outcomes": ["post"],
        "/api/v1/services": ["get"],
        "/api/v1/services/{namespace}/{service}": ["get"],
        "/api/v1/services/{namespace}/{service}/checks/{check}": ["get"],
        "/api/v1/services/{namespace}/{service}/tuning": ["get", "put"],
        "/api/v1/services/{namespace}/{service}/tuning/preview": ["post"],
        "/api/v1/gates": ["get", "put"],
        "/api/v1/holds": ["delete", "put"],
        "/api/v1/audit": ["get"],
        "/api/v1/tokens": ["delete", "get", "post"],
        "/api/v1/health": ["get"],
    }


async def test_every_schema_of_the_document_is_one(document):
    """JSON Schema 2020-12 throughout, and every reference leads somewhere."""
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)

    assert set(_references(document)) <= {f"#/components/schemas/{name}" for name in schemas}


def _references(node: object) -> list[str]:
    match node:
        case {"$ref": str(where)}:
            return [where]
        case dict():
            return [one for below in node.values() for one in _references(below)]
        case list():
            return [one for below in node for one in _references(below)]
        case _:
            return []


async def test_every_operation_says_which_role_it_needs(document):
    """And every one answers refusals in the same shape."""
    operations = [one for methods in document["paths"].values() for one in methods.values()]

    assert all("role" in one["description"] for one in operations)
    assert all({"400", "401", "403", "413"} <= set(one["responses"]) for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)


def test_the_answer_of_a_verdict_knows_every_field_of_a_finding():
    """A new field of a finding cannot be forgotten on the wire."""
    from firedamp.contracts.api.answers import CheckAnswer

    assert set(CheckAnswer.model_fields) == set(Finding.__dataclass_fields__)
    assert set(Verdict.__dataclass_fields__) >= {"outcome", "sentence", "findings"}


async def test_the_trail_is_paged_by_key_and_narrowed(service):
    """A page goes on where the one before it ended; who and what narrow it."""
    for number in range(3):
        await service.store.record(
            Event(float(number), "gate", "shop", "checkout", "", "alex", f"did {number}")
        )
    await service.store.record(Event(9.0, "token", "", "", "", "root", "made a token"))

    first = await answer(service, "GET", "/api/v1/audit?kind=gate&by=alex&limit=2")
    second = await answer(service, "GET", f"/api/v1/audit?kind=gate&limit=2&before={first['next']}")

    assert [one["text"] for one in first["events"]] == ["did 2", "did 1"]
    assert [one["text"] for one in second["events"]] == ["did 0"]
    assert "next" not in second
