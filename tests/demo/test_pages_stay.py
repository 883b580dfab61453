"""After the verdicts the pages stay up, until a person has seen enough."""

import json
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

from firedamp.demo import days, story


def lines_until(process, text):
    found = []
    for line in process.stdout:
        found.append(line)
        if text in line:
            return found
    raise AssertionError(f"the demo ended without saying {text!r}: {found[-3:]}")


def page(url):
    with urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_the_pages_tell_the_story_until_ctrl_c():
    """All releases, those of the days before too, are on the list and in the API; Ctrl-C ends it in order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "firedamp", "demo", "--pace", "0", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that runs the tests in the background lets its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        url = re.search(r"http://[\d.:]+", lines_until(process, "See it all at")[-1])[0]
        overview, api = page(f"{url}/"), page(f"{url}/api/v1/releases")
        newest = json.loads(api)["releases"]
        bad, broken = (page(f"{url}/releases/{newest[place]['id']}") for place in (2, 0))
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=20)
        rest = process.stdout.read()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()

    assert all(f"/releases/{one['id']}" in overview for one in newest)
    assert len(newest) == len(days.EPISODES) + len(story.RELEASES)
    assert "errors: the canary served" in bad
    assert "place-order.below: the canary served" in broken
    assert re.search("for example trace [0-9a-f]{32}", broken)
    assert '"outcome":"promoted"' in api
    assert (code, rest.strip()) == (0, "")
