"""
Metrics made of spans: a real collector counts them, a real Prometheus scrapes it, ordinary checks judge.

Set up as docs/traces.md says, but for addresses and intervals. Nothing here can be backfilled, so four
releases go on at once, in real time, for less than a minute: each is another version of the same service.
"""

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from firedamp.model import Ask, Controller, Finding, Outcome, Question, Verdict
from real import serving
from real.orders import Hop, Trip, resource_spans
from real.otelcol import Collector, collector_or_skip
from real.program import free_ports
from real.prometheus import BINARIES
from real.scraping import ScrapingPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

PAGE = (Path(__file__).parents[2] / "docs" / "traces.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
(CONNECTOR,) = [block for block in BLOCKS if "connectors" in block]
(SCRAPES,) = [block for block in BLOCKS if "scrape_configs" in block]
(CHECKS,) = [block["checks"] for block in BLOCKS if list(block) == ["checks"]]
(CALLS,) = [one for block in BLOCKS if list(block) == ["services"] for one in block["services"]]

#: What the page leaves to the reader, and what takes less of our time.
QUICK = {
    "receivers": {"otlp": {"protocols": {"http": {"endpoint": "${env:OTLP_LISTEN}"}}}},
    "connectors": {"span_metrics": {"metrics_flush_interval": "1s"}},
}
WINDOW = {
    "look": "4s",
    "warm_up": "0s",
    "promote_after": "28s",
    "decide_by": "36s",
    "advance_after": "8s",
    "advance_by": "16s",
}
#: Of each version's flows: share of failures, and median of seconds; the last one never answers.
VERSIONS = {"v1": (0.05, 0.05), "v2": (0.3, 0.05), "v3": (0.05, 0.1), "v4": (0.05, 0.05), "v5": (1, 0.05)}
WEIGHTS = (3, 1, 1, 1, 1)
RELEASES = {"failing": "v2", "slower": "v3", "healthy": "v4", CALLS["name"]: "v5"}
_CLUSTER = "outbound|80|{}|orders.shop.svc.cluster.local"
PER_SECOND, PODS = 600, 3


@pytest.fixture(scope="module")
def program() -> Path:
    return collector_or_skip()


@pytest.fixture(scope="module", params=BINARIES)
def verdicts(
    request: pytest.FixtureRequest, program: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Verdict]:
    """What was last said of each release."""
    return asyncio.run(judged(program, request.param, tmp_path_factory.mktemp("span-metrics")))


async def judged(program: Path, binary: Path | None, folder: Path) -> dict[str, Verdict]:
    """Four releases until the last one may pass, after some seconds of the old version alone."""
    (port,) = free_ports(1)
    listen = f"127.0.0.1:{port}"
    async with (
        Collector(program, configurations(folder), SPAN_METRICS_LISTEN=listen) as collector,
        ScrapingPrometheus(scraping(listen), binary) as prometheus,
        busy(collector.intake) as versions,
        serving.running(settings(prometheus.url), folder, time.time()) as shop,
    ):
        await asyncio.sleep(6)
        versions.extend(RELEASES.values())
        found = {}
        for _ in range(50):
            shop.now = time.time()
            found = {name: await shop.judge.answer(ask(name), shop.now) for name in RELEASES}
            if Outcome.INCONCLUSIVE not in {verdict.outcome for verdict in found.values()}:
                break
            await asyncio.sleep(1)
    for name, verdict in found.items():
        print(name, verdict.sentence)
    return found


def configurations(folder: Path) -> list[Path]:
    """For the collector: what the page shows, between what it does not."""
    written = []
    for name, part in (("page", CONNECTOR), ("quick", QUICK)):
        written.append(folder / f"{name}.yaml")
        written[-1].write_text(yaml.safe_dump(part))
    return written


def scraping(listen: str) -> dict[str, Any]:
    """For Prometheus: what the page shows, every second."""
    (job,) = SCRAPES["scrape_configs"]
    quick = {
        **job,
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "static_configs": [{"targets": [listen]}],
    }
    return {"scrape_configs": [quick]}


def settings(prometheus: str) -> dict[str, Any]:
    """For us: what the page shows, of services that have the same series."""
    one = {"namespace": "shop", "cohorts": {"preset": "argo"}, "window": WINDOW, "checks": CHECKS}
    return {
        "sources": [{"name": "prometheus", "kind": "prometheus", "url": prometheus}],
        "services": [{"name": name, **one, **(CALLS if name == CALLS["name"] else {})} for name in RELEASES],
    }


def ask(name: str) -> Ask:
    """May it be promoted?"""
    arms = {"canary": RELEASES[name], "main": "v1"}
    return Ask("shop", name, Question.PROMOTE, Controller.ARGO, revision=RELEASES[name], arms=arms)


@asynccontextmanager
async def busy(intake: str) -> AsyncIterator[list[str]]:
    """Traffic in real time; yields the versions that have some, to be added to."""
    versions = ["v1"]
    sending = asyncio.create_task(_sending(intake, versions))
    try:
        yield versions
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


async def _sending(intake: str, versions: list[str]) -> None:
    rng = random.Random(31)
    async with aiohttp.ClientSession() as session:
        last = time.time()
        while True:
            await asyncio.sleep(0.5)
            last, since = time.time(), last
            trips = [trip(rng, versions, last) for _ in range(round(PER_SECOND * (last - since)))]
            told = {"resourceSpans": [_labelled(one) for one in resource_spans(trips, ("gateway", "orders"))]}
            body, kind = BytesIO(json.dumps(told).encode()), {"Content-Type": "application/json"}
            async with session.post(f"{intake}/v1/traces", data=body, headers=kind) as answer:
                answer.raise_for_status()


def trip(rng: random.Random, versions: list[str], at: float) -> Trip:
    """One that met one of these versions and shows what is wrong with it."""
    (version,) = rng.choices(versions, WEIGHTS[: len(versions)])
    failing, median = VERSIONS[version]
    failed, seconds = rng.random() < failing, median * rng.lognormvariate(0, 0.5)
    code = 500 if failed else 200
    hop = Hop(version, rng.randint(1, PODS), seconds=seconds, code=code, failed=failed)
    hop = replace(hop, cluster=_CLUSTER.format(version), answered=version != "v5")
    return Trip(f"{rng.getrandbits(128):032x}", at, (hop,), seconds + 0.02, code, failed)


def _labelled(one: dict[str, Any]) -> dict[str, Any]:
    """With what the page wants to be there, of a pod of orders with its version for a hash."""
    told = {each["key"]: each["value"]["stringValue"] for each in one["resource"]["attributes"]}
    told["k8s.namespace.name"] = "shop"
    if told["service.name"] == "orders":
        told["k8s.pod.label.rollouts-pod-template-hash"] = told["service.version"]
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in told.items()]
    return {**one, "resource": {"attributes": attributes}}


def finding(verdict: Verdict, check: str) -> Finding:
    """What one check says."""
    return next(one for one in verdict.findings if one.check == check)


def test_a_version_whose_spans_fail_is_stopped(verdicts: dict[str, Verdict]):
    """By the proportion of its spans with an error."""
    verdict = verdicts["failing"]

    assert verdict.outcome is Outcome.FAIL
    assert finding(verdict, "span-errors").outcome is Outcome.FAIL
    assert finding(verdict, "span-latency").outcome is not Outcome.FAIL


def test_a_version_whose_spans_take_longer_is_stopped(verdicts: dict[str, Verdict]):
    """By the histogram of their durations."""
    verdict = verdicts["slower"]

    assert verdict.outcome is Outcome.FAIL
    assert finding(verdict, "span-latency").outcome is Outcome.FAIL
    assert finding(verdict, "span-errors").outcome is not Outcome.FAIL


def test_a_version_that_is_well_passes(verdicts: dict[str, Verdict]):
    """Of the same spans, counted by the same collector."""
    verdict = verdicts["healthy"]

    assert verdict.outcome is Outcome.PASS
    assert {one.check for one in verdict.findings} == {check["name"] for check in CHECKS}


def test_a_version_that_never_answers_is_stopped_by_what_its_callers_saw(verdicts: dict[str, Verdict]):
    """It has no spans of its own to be counted."""
    verdict = verdicts[CALLS["name"]]

    assert verdict.outcome is Outcome.FAIL
    assert finding(verdict, "call-errors").outcome is Outcome.FAIL
