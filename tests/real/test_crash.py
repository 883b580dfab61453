"""Kill -9 during a look, at random moments: nothing is lost, nothing is torn, the verdict is the same."""

import asyncio
import json
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
async def test_two_hundred_kills(tmp_path):
    """Two hundred judges die in the middle of their work; the two hundred and first goes on."""
    driver = Path(__file__).with_name("crash_driver.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(driver),
        str(tmp_path),
        "200",
        "20261121",
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(driver.parent.parent), "OPENBLAS_NUM_THREADS": "1"},
    )
    output, _ = await process.communicate()
    found = json.loads(output)

    assert found["faults"] == []
    assert found["same_looks"]
    assert found["same_verdict"]
    assert found["kills_after_an_answer"] > 50
    assert found["looks"] > 50
    assert found["snapshots"] > [found["looks"] - 30]
