"""
The whole application over a real SQLite store and the real judge, asked by schemathesis from its document.

No 5xx, no answer that is not as the document says, no well-formed question refused, no bad one accepted.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from firedamp.config import Settings
from firedamp.wiring import living
from service import ADMIN, running

CHECK = {"name": "errors", "kind": "proportion", "events": 'r{code="500"}', "total": "r"}
SEED = 20261121


def shop(tmp_path: Path) -> dict[str, object]:
    """A shop whose Prometheus is down: every question is undecided, none is an error."""
    return {
        "store": {"url": f"sqlite:///{tmp_path}/store.db"},
        "sources": [{"name": "main", "kind": "prometheus", "url": "http://127.0.0.1:9"}],
        "services": [{"name": "checkout", "namespace": "shop", "checks": [CHECK]}],
        "limits": {"deadline": 2},
    }


async def schemathesis(url: str, folder: Path) -> tuple[int, str]:
    """Run it to its end, leaving its notes in the folder; its exit code and report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {ADMIN}", "--no-color"),
        *("--max-examples", "40", "--seed", str(SEED)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    report, _ = await process.communicate()
    return process.returncode or 0, report.decode()


@pytest.mark.real
@pytest.mark.timeout(150)
async def test_no_question_breaks_the_api(tmp_path):
    """Hundreds of questions made from the document, good and bad: none finds a fault."""
    settings = shop(tmp_path)
    async with (
        living(Settings.model_validate(settings)) as alive,
        running(settings, store=alive.store, judge=alive.judge) as service,
    ):
        for revision in ("v1", "v2"):
            question = {"service": "checkout", "namespace": "shop", "revision": revision}
            arms = {"canary": revision, "main": "v0"}
            asked = await service.ask("POST", "/api/v1/judge", json={**question, "cohorts": arms})
            assert asked.status == 200, asked.text
        code, report = await schemathesis(service.address.url, tmp_path)

    assert code == 0, report
    assert "Tested: 26" in report
