"""Services, one service, and a check over its releases: pages and twins."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from firedamp.model import Finding, Judged, Label, Outcome, ReleaseKey, Tier
from service import ASKER, Service, running
from store.examples import KEY, a_look, a_release
from visits import shown

CHECKS = [
    {"kind": "proportion", "name": "errors", "events": "e", "total": "t"},
    {"kind": "proportion", "name": "misses", "events": "m", "total": "t", "tier": "warn"},
]
SERVICES = [
    {"name": "checkout", "namespace": "shop", "checks": CHECKS},
    {"name": "quiet", "namespace": "shop", "checks": CHECKS},
    {"name": "vault", "namespace": "pay", "checks": CHECKS},
]
ERRORS = Finding(
    "errors",
    "proportion",
    Tier.CRITICAL,
    Outcome.FAIL,
    "errors: 5.1 % against 0.3 %",
    unit="share",
    baseline=0.003,
    canary=0.051,
    p_value=0.0003,
)


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    """Three configured services; checkout has two releases, cart (by nobody's settings) one."""
    async with running({"services": SERVICES}) as found:
        for revision, outcome in (("v1", Outcome.PASS), ("v2", Outcome.FAIL)):
            release = await found.store.open(a_release(replace(KEY, revision=revision), verdict=outcome))
            finding = replace(ERRORS, outcome=outcome)
            await found.store.add_looks(release, [replace(a_look(0), findings=(finding,))])
        await found.store.label(Label(release.id, Judged.TRUE_POSITIVE, "anna", 1.0))
        await found.store.open(a_release(ReleaseKey("shop", "cart", "c", 1)))
        yield found


async def test_services_are_those_configured_and_those_that_ask(service):
    """With tiers of their checks and their last releases as a strip that can be read."""
    text = (await shown(service, "/services")).text

    assert "checkout shop 1 critical, 1 warn ✓ v1: pass, running ✗ v2: fail, running" in text
    assert "quiet shop 1 critical, 1 warn none yet" in text
    assert "cart shop not configured" in text


async def test_a_bound_token_sees_services_of_its_namespaces_only(service):
    """On every one of the pages and in their twins."""
    page = await shown(service, "/services", token=ASKER)
    refused = [
        (await service.ask("GET", f"{base}/services/pay/vault{rest}", ASKER)).status
        for base in ("", "/api/v1")
        for rest in ("", "/checks/errors")
    ]

    assert "vault" not in page.text
    assert refused == [403] * 4


async def test_a_service_shows_its_checks_and_what_they_said_last(service):
    """One that has said nothing yet is there as well."""
    text = (await shown(service, "/services/shop/checkout")).text

    assert "errors proportion critical ✗ fail 5.1 % against 0.3 %" in text
    assert "misses proportion warn nothing said yet" in text
    assert "true positive" in text


async def test_a_service_without_releases_says_how_one_comes_about(service):
    """It is configured, so its page is there."""
    assert "None yet" in (await shown(service, "/services/shop/quiet")).text


async def test_a_checks_record_goes_over_the_releases(service):
    """Values, verdicts and labels, newest first, and a count in words."""
    text = (await shown(service, "/services/shop/checkout/checks/errors")).text

    assert "2 releases: 1 fail, 1 pass" in text
    assert text.index("v2") < text.index("v1")
    assert "0.3 % 5.1 %" in text
    assert "true positive" in text


async def test_a_check_that_never_spoke_has_an_empty_record(service):
    """It is configured, so it is no mistake to ask."""
    assert (
        "It has judged no release yet."
        in (await shown(service, "/services/shop/checkout/checks/misses")).text
    )


@pytest.mark.parametrize("path", ["/services/shop/nothing", "/services/shop/checkout/checks/nothing"])
async def test_what_is_not_there_is_not_found(service, path):
    """As a page and as JSON."""
    assert (await service.ask("GET", path)).status == 404
    assert (await service.ask("GET", f"/api/v1{path}")).status == 404


async def test_twins_say_the_same(service):
    """The same releases, the same findings, the same labels."""
    one = json.loads((await service.ask("GET", "/api/v1/services/shop/checkout")).text)
    record = json.loads((await service.ask("GET", "/api/v1/services/shop/checkout/checks/errors")).text)

    assert [release["revision"] for release in one["releases"]] == ["v2", "v1"]
    assert [check["name"] for check in one["settings"]["checks"]] == ["errors", "misses"]
    assert [(entry["revision"], entry["check"]["outcome"]) for entry in record["entries"]] == [
        ("v2", "fail"),
        ("v1", "pass"),
    ]
    assert record["entries"][0]["label"] == "true-positive"


async def test_labels_tell_how_right_a_service_and_its_checks_were(service):
    """In sentences on both pages, in counts with bounds in both twins."""
    page = (await shown(service, "/services/shop/checkout")).text
    record = (await shown(service, "/services/shop/checkout/checks/errors")).text
    one = json.loads((await service.ask("GET", "/api/v1/services/shop/checkout")).text)
    check = json.loads((await service.ask("GET", "/api/v1/services/shop/checkout/checks/errors")).text)

    assert "By 1 label, which is few; bounds hold 19 times in 20." in page
    assert "Of 1 release that firedamp failed, 1 (100 %" in page
    assert "right 1 of 1, found 1 of 1" in page
    assert "Of 1 release that it failed, 1 (100 %" in record
    assert one["worth"]["precision"] == {"part": 1, "whole": 1, "share": 1.0, "low": 0.025, "high": 1.0}
    assert one["worth_of_checks"]["errors"] == check["worth"]


async def test_without_labels_nobody_knows_how_right_it_was(service):
    """Words, and no number, on the page and in its twin."""
    page = (await shown(service, "/services/shop/quiet")).text
    one = json.loads((await service.ask("GET", "/api/v1/services/shop/quiet")).text)

    assert "Nobody has labelled a release of this service yet" in page
    assert one["worth"] == {"labels": 0, "caught": 0, "false_alarms": 0, "missed": 0, "spared": 0}
    assert one["worth_of_checks"] == {}


async def test_what_is_configured_can_be_tuned_from_its_pages(service):
    """A service that only its releases tell of cannot be."""
    links = (await shown(service, "/services/shop/checkout")).attributes("a", "href")
    check = (await shown(service, "/services/shop/checkout/checks/misses")).attributes("a", "href")
    unknown = (await shown(service, "/services/shop/cart")).attributes("a", "href")

    assert "/services/shop/checkout/tuning" in links
    assert "/services/shop/checkout/tuning?check=misses" in check
    assert not [link for link in unknown if "tuning" in link]


async def test_there_may_be_no_service_at_all():
    """The page says how one appears."""
    async with running() as service:
        assert "No service yet" in (await shown(service, "/services")).text
