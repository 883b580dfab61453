"""The arena by its command."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality.py"


def quality(*arguments):
    """The command's end; one that takes too long ends with all of its processes."""
    command = [sys.executable, QUALITY, *map(str, arguments)]
    calm = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=calm, start_new_session=True, **pipes) as process:
        try:
            out, said = process.communicate(timeout=115)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, said)


@pytest.mark.simulation
@pytest.mark.timeout(120)
def test_the_gates_of_the_fast_run_hold():
    """Alpha is kept, ×10 is found, and nothing harmful passes, in a run that CI can afford."""
    found = quality("--fast", "--releases", 8, "--json")

    assert found.returncode == 0, found.stderr
    rows = json.loads(found.stdout)["rows"]
    assert {row["method"] for row in rows} >= {"firedamp", "Kayenta", "naive Fisher"}


def test_a_finished_cell_is_not_played_again(tmp_path):
    """The second run takes it from the file, and says the same."""
    results = tmp_path / "q.jsonl"
    cell = ("--only", "^none, 1k, all failing$", "--releases", 20)
    arguments = (*cell, "--results", results, "--json")
    first, again = quality(*arguments), quality(*arguments)

    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["rows"] == json.loads(again.stdout)["rows"]
    assert len(results.read_text(encoding="utf-8").splitlines()) == 1
