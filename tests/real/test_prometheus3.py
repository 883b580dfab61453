"""What a Prometheus 3 answers otherwise than a 2.x, so that our sources can be judged by both."""

import asyncio
import subprocess
import time
from pathlib import Path

import aiohttp
import pytest

from real import prometheus3
from real.gobuild import Missing
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def programs() -> Path:
    built = prometheus3.build()
    if isinstance(built, Missing):
        pytest.skip(built.reason)
    return built


async def ask(url: str, path: str, **query: str) -> dict:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/{path}", params=query) as answer,
    ):
        return await answer.json()


async def test_the_server_says_that_it_is_a_three(programs: Path):
    """The build carries the release's number, which a 3.x is told by."""
    async with RealPrometheus([], programs / "prometheus") as prometheus:
        told = await ask(prometheus.url, "status/buildinfo")

    assert told["data"]["version"] == prometheus3.VERSION


async def test_a_range_leaves_out_the_sample_at_its_left_edge(programs: Path):
    """Of samples each 10 s, a range of 30 s holds three in 3.x; 2.x counts four."""
    end = int(time.time()) // 3600 * 3600 - 7200
    times = [end - 10 * back for back in range(6, -1, -1)]
    series = [("orders_total", {"pod": "a"}, times, list(range(7)))]

    async with RealPrometheus(series, programs / "prometheus") as prometheus:
        told = await ask(prometheus.url, "query", query="count_over_time(orders_total[30s])", time=str(end))

    assert [element["value"][1] for element in told["data"]["result"]] == ["3"]


async def test_a_rate_of_a_gauge_is_remarked_upon(programs: Path):
    """What 3.x doubts in a query comes as `infos` beside the answer."""
    end = int(time.time()) // 3600 * 3600 - 7200
    series = [("queue_length", {}, [end - 20, end - 10, end], [1, 2, 3])]

    async with RealPrometheus(series, programs / "prometheus") as prometheus:
        told = await ask(prometheus.url, "query", query="rate(queue_length[1m])", time=str(end))

    assert any("metric might not be a counter" in info for info in told["infos"])


async def test_kubernetes_discovery_is_built_in(programs: Path, tmp_path: Path):
    """A configuration that discovers pods is valid, which not every distribution's build allows."""
    config = tmp_path / "prometheus.yml"
    config.write_text("scrape_configs: [{job_name: pods, kubernetes_sd_configs: [{role: pod}]}]")

    checked = await asyncio.to_thread(
        subprocess.run,
        [programs / "promtool", "check", "config", config],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
