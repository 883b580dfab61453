"""`firedamp serve` and a pipeline that asks it, as processes of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from cli.conftest import written
from firedamp.demo import backend, story


def command(*arguments):
    return [sys.executable, "-m", "firedamp", *arguments]


def run(*arguments, **environment):
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
        env=os.environ | environment,
    )


@contextmanager
def served(settings, log):
    """A running server, its process and its address."""
    port = backend.free_port()
    with log.open("w") as errors:
        process = subprocess.Popen(
            command("serve", "--config", str(settings), "--port", str(port)), stderr=errors
        )
    url = f"http://127.0.0.1:{port}"
    try:
        ready(url, process)
        yield process, url
    finally:
        process.kill()
        process.wait()


def ready(url, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{url}/readyz", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the server did not become ready")


def test_a_pipeline_asks_a_server(tmp_path):
    """The first token is printed, opens the door, and the answer's exit code is the verdict's."""
    settings = written(tmp_path, auth={"required": True}, log={"level": "error"})
    named = ["checkout", "-n", "shop", "--canary", story.GOOD.revision, "--main", story.STABLE]
    with served(settings, tmp_path / "log") as (process, url):
        secret = re.search(r"fd_[\w-]+", (tmp_path / "log").read_text())[0]
        stranger = run("judge", *named, "--server", url, FIREDAMP_TOKEN="")
        asked = run("judge", *named, "--server", url, FIREDAMP_TOKEN=secret)
        watched = run(
            *("judge", *named, "--server", url, "--watch", "--every", "1s", "--give-up-after", "1s"),
            FIREDAMP_TOKEN=secret,
        )
        ended = run("outcome", "checkout", "promoted", "-n", "shop", "--server", url, FIREDAMP_TOKEN=secret)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=20)

    assert (stranger.returncode, "FIREDAMP_TOKEN" in stranger.stderr) == (3, True)
    assert (asked.returncode, asked.stdout.split(":")[0]) == (2, "inconclusive")
    assert (watched.returncode, "inconclusive" in watched.stderr) == (2, True)
    assert (ended.returncode, ended.stdout) == (0, "shop/checkout: promoted\n")
    assert code == 0


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path):
    """No traceback for what a person can mend."""
    settings = written(tmp_path, log={"level": "error"})
    with served(settings, tmp_path / "log") as (_, url):
        second = run("serve", "--config", str(settings), "--port", url.rsplit(":", 1)[1])

    assert second.returncode == 4
    assert "Traceback" not in second.stderr


def test_a_server_that_is_gone_could_not_judge():
    """The pipeline stops with 4, which is no verdict."""
    done = run("judge", "checkout", "--canary", "a", "--main", "b", "--server", "http://127.0.0.1:9")

    assert done.returncode == 4
    assert done.stderr.startswith("firedamp: http://127.0.0.1:9")
