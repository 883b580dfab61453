"""`firedamp plan`: on the recorded shop, on a real Prometheus, and on what cannot be planned."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from cli.conftest import BEGAN, written
from firedamp.__main__ import exit_code
from firedamp.demo import story
from real.history import Story, past
from real.prometheus import BINARIES, RealPrometheus

STABLE = ["--main", story.STABLE]
#: The recording's hours: half an hour of them, before its first release ends.
AT = datetime.fromtimestamp(BEGAN + 1500, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plan(settings, *more, service="checkout", at=AT):
    return exit_code(["plan", service, "-n", "shop", "-c", str(settings), "--at", at, *more])


def report(capsys):
    return {one["check"]: one for one in json.loads(capsys.readouterr().out)["checks"]}


def test_the_shop_is_planned(shop, capsys):
    """Rates and times of each check, a summary, reasons and a chart."""
    assert plan(shop, *STABLE) == 0

    printed = capsys.readouterr().out
    assert "shop/checkout, canary with 20 % of the traffic" in printed
    assert "0.64 % errors, 59 requests/s" in printed
    assert "errors: by 15 min a canary with " in printed
    assert "restarts: an absolute limit" in printed
    assert "A errors" in printed
    assert "promote_after 15 min, decide_by 20 min" in printed


def test_json_has_the_same_for_programs(shop, capsys):
    """Seconds by ratio, reasons, and a curve that falls; memory is judged by pods and has times too."""
    assert plan(shop, *STABLE, "--json") == 0

    checks = report(capsys)
    ratios = [point["ratio"] for point in checks["errors"]["curve"]]
    assert [one["ratio"] for one in checks["errors"]["seen"]] == [2.0, 3.0, 5.0]
    assert ratios == sorted(ratios, reverse=True)
    assert checks["memory"]["seen"][0]["seconds"] > 0
    assert "plain selector" in checks["latency"]["blind"]


def test_a_larger_share_and_more_pods_are_sooner(shop, capsys):
    """What is planned follows the options."""
    plan(shop, *STABLE, "--json", "--share", "5%")
    few = report(capsys)["errors"]["seen"][2]
    plan(shop, *STABLE, "--json", "--share", "0.5", "--pods", "3")
    many = report(capsys)["errors"]["seen"][2]

    assert many["seconds"] < few["seconds"]


def test_another_window_can_be_planned(shop, capsys):
    """Its decide_by keeps the proportion of the settings, four thirds of promote_after."""
    assert plan(shop, *STABLE, "--json", "--window", "3h") == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["promote_after_seconds"], told["decide_by_seconds"]) == (10_800, 14_400)


def test_the_plot_is_a_picture_of_its_own(shop, tmp_path, capsys):
    """Valid SVG with a line per check, its name and the window."""
    target = tmp_path / "plan.svg"

    assert plan(shop, *STABLE, "--svg", str(target)) == 0

    root = ElementTree.fromstring(target.read_text())
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 1
    assert {"errors", "promote_after", "decide_by", "5.0×"} <= set(texts)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--share", "120%"], "--share is 120%, expected more than 0 and less than 100%"),
        (["--share", "0"], "--share is 0, expected"),
        (["--share", "1.5"], "--share: '1.5' is no share"),
        (["--share", "nan"], "--share: 'nan' is no share"),
        (["--share", "a lot"], "--share: 'a lot' is no share"),
        (["--pods", "-1"], "--pods is -1, expected 1 to 1000"),
        (["--window", "1s"], "--window is 1s, expected 1m to 30d"),
        (["--window", "60s"], "--window: "),
        (["--at", "yesterday"], "--at: "),
    ],
)
def test_options_out_of_range_are_named(shop, capsys, options, said):
    """With the value, the limit and the remedy, before anything is asked."""
    assert plan(shop, *STABLE, *options) == 3
    assert said in capsys.readouterr().err


def test_an_unknown_service_says_what_to_add(shop, capsys):
    """Nobody plans what nobody judges."""
    assert plan(shop, *STABLE, service="basket") == 3
    assert "service shop/basket is not in the settings; add: " in capsys.readouterr().err


def test_main_must_be_named(shop, capsys):
    """Pods of one version are told apart by its name."""
    assert plan(shop) == 3
    assert "name the version that runs now with --main" in capsys.readouterr().err


def test_no_history_sends_to_the_doctor(shop, capsys):
    """A version that nobody saw, or hours before there was anything."""
    assert plan(shop, "--main", "5f5f5f5f5f") == 3
    assert "has no history until" in (told := capsys.readouterr().err)
    assert "see `firedamp doctor checkout`" in told


def test_a_source_that_does_not_answer_is_four(tmp_path, capsys):
    """Nothing is planned where nobody answered."""
    source = {"name": "shop", "kind": "prometheus", "url": "http://127.0.0.1:9"}

    assert plan(written(tmp_path, sources=[source]), *STABLE) == 4
    assert capsys.readouterr().err.startswith("firedamp: ")


def test_settings_without_a_source_say_what_to_add(tmp_path, capsys):
    """A service without metrics cannot be planned for."""
    assert plan(written(tmp_path, sources=[]), *STABLE) == 3
    assert "add sources" in capsys.readouterr().err


RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
HOURS = 6 * 3600.0
STORIES = [
    Story("busy", per_second=50.0, baseline_errors=0.01, baseline_pods=8, leak=0.0, before=HOURS + 600),
    Story("calm", per_second=2.0, baseline_errors=0.0, canary_errors=0.0, before=HOURS + 600),
]


@pytest.fixture(scope="module", params=BINARIES)
def prometheus(request):
    with RealPrometheus(past(STORIES, RELEASED), request.param) as server:
        yield server.url


def _service(name):
    own = f'service="{name}"'
    total = f"http_requests_total{{{own}}}"
    memory = f"process_resident_memory_bytes{{$cohort,{own}}}"
    return {
        "name": name,
        "namespace": "shop",
        "cohorts": {"preset": "argo"},
        "checks": [
            {"name": "memory", "kind": "relative", "tier": "warn", "query": memory, "max_increase": "15%"},
            {"name": "errors", "kind": "proportion", "events": total[:-1] + ',code=~"5.."}', "total": total},
            {
                "name": "latency",
                "kind": "distribution",
                "histogram": f"http_request_duration_seconds{{{own}}}",
            },
        ],
    }


@pytest.fixture
def settings(prometheus, tmp_path):
    path = tmp_path / "firedamp.yaml"
    source = {"name": "prometheus", "kind": "prometheus", "url": prometheus}
    services = [_service(story.service) for story in STORIES]
    store = {"url": f"sqlite:///{tmp_path}/firedamp.db"}
    path.write_text(yaml.safe_dump({"store": store, "sources": [source], "services": services}))
    return path


def planned(settings, capsys, name):
    at = datetime.fromtimestamp(RELEASED, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert plan(settings, "--main", "stable", "--json", service=name, at=at) == 0
    return report(capsys)


@pytest.mark.real
@pytest.mark.timeout(300)
def test_a_real_service_is_planned_from_six_hours(settings, capsys):
    """Counts, buckets and levels come from Prometheus; larger harm is seen sooner in each check."""
    checks = planned(settings, capsys, "busy")

    assert list(checks) == ["errors", "latency", "memory"]
    assert checks["errors"]["usual"].endswith("errors, 40 requests/s")
    assert checks["latency"]["usual"].startswith("half take at most 100 ms, 40 ")
    for check in checks.values():
        seconds = [one["seconds"] for one in check["seen"]]
        assert all(seconds)
        assert seconds == sorted(seconds, reverse=True)


@pytest.mark.real
@pytest.mark.timeout(300)
def test_a_real_service_without_errors_has_no_multiples(settings, capsys):
    """The rate that would be seen is told; a check without data says so."""
    checks = planned(settings, capsys, "calm")

    assert "a multiple of nothing is nothing" in checks["errors"]["blind"]
    assert checks["errors"]["told"].startswith("by 30 min a canary with ")
    assert checks["memory"]["blind"].startswith("no level above 0")


def test_the_page_shows_only_options_that_there_are(capsys):
    """docs/plan.md and the command's help agree."""
    page = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
    assert exit_code(["plan", "--help"]) == 0

    described = capsys.readouterr().out
    assert [one for one in set(re.findall(r"`(--[a-z]+)", page)) if f"{one} " not in described] == []
