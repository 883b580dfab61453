"""`firedamp doctor` on a real Prometheus, and on none."""

import json
import time

import pytest

from cli.conftest import written
from firedamp.__main__ import exit_code
from firedamp.demo import backend, recording, story
from real.prometheus import needs_prometheus


def doctor(settings, canary, *more):
    named = ["--canary", canary, "--main", story.STABLE]
    return exit_code(["doctor", "checkout", "-n", "shop", "-c", str(settings), *named, *more])


@pytest.fixture
def prometheus(tmp_path):
    """Settings of a real Prometheus in which the good release of the recorded shop is under way."""
    shop = recording.begun(time.time() - 2000).series
    with backend.prometheus(shop, tmp_path) as url:
        yield written(tmp_path, sources=[{"name": "shop", "kind": "prometheus", "url": url}])


@needs_prometheus
@pytest.mark.real
def test_a_healthy_shop_has_nothing_missing(prometheus, capsys):
    """Every query of both cohorts brings two or six pods, scraped every 15 s, a few seconds old."""
    assert doctor(prometheus, story.GOOD.revision, "--output", "json") == 0

    report = json.loads(capsys.readouterr().out)
    pods = {(one["arm"], one["pods"]) for one in report["queries"]}
    assert pods == {("main", story.MAIN_PODS), ("canary", story.GOOD.pods)}
    assert {one["interval"] for one in report["queries"] if one["role"] != "level"} == {story.SCRAPE_SECONDS}
    assert all(one["newest_age"] < 20 for one in report["queries"] if one["newest_age"] is not None)


@needs_prometheus
@pytest.mark.real
def test_a_misspelt_hash_is_found_out(prometheus, capsys):
    """The value that was probably meant is named; the exit code says that something is missing."""
    assert doctor(prometheus, "6f4c9d5b78") == 1

    printed = capsys.readouterr().out
    assert f"did you mean '{story.GOOD.revision}'" in printed
    assert "something is missing" in printed


@needs_prometheus
@pytest.mark.real
def test_a_release_that_is_over_is_noticed(prometheus, capsys):
    """Pods that are gone bring nothing any more; the revisions that do are listed."""
    doctor(prometheus, story.BAD.revision)

    assert f"seen: {story.ORDERS.stable}, {story.GOOD.revision}, {story.STABLE}" in capsys.readouterr().out


def test_a_source_that_does_not_answer_is_four(tmp_path, capsys):
    """Nothing is diagnosed where nobody answered."""
    source = {"name": "shop", "kind": "prometheus", "url": "http://127.0.0.1:9"}

    assert doctor(written(tmp_path, sources=[source]), "x") == 4
    assert capsys.readouterr().err.startswith("firedamp: ")


def test_a_recording_is_no_prometheus(shop, capsys):
    """The doctor asks live sources only."""
    assert doctor(shop, "x") == 3
    assert "is no Prometheus" in capsys.readouterr().err


def test_settings_without_a_source_say_what_to_add(tmp_path, capsys):
    """A service without metrics cannot be examined."""
    assert doctor(written(tmp_path, sources=[]), "x") == 3
    assert "add sources" in capsys.readouterr().err
