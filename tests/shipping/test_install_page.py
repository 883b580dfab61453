"""docs/install.md: what it tells people to write and to type works."""

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from urllib.parse import parse_qs, urlsplit

import helm_python
import pytest
import yaml

from firedamp.config.links import PLACES, filled
from firedamp.config.load import parse
from shipping.manifests import CHART, ROOT, of_kind, rendered

PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?m)(?:^ {4}.*\n(?:^\n(?= {4}))?)+", PAGE)]
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]


def test_the_settings_it_shows_are_settings():
    """The example file loads and has a service with checks."""
    (text,) = [block for block in BLOCKS if block.startswith("public_url:")]

    settings = parse(yaml.safe_load(text), "install.md")

    assert [check.name for check in settings.services[0].checks] == ["errors", "latency"]


def test_the_links_it_shows_open_the_query_at_the_time_of_the_look():
    """Prometheus and Grafana get the very query, quotes and all, and when it was asked."""
    (text,) = [block for block in BLOCKS if block.startswith("links:")]
    links = parse({"links": yaml.safe_load(text)["links"]}, "install.md").links
    when = {"from": "2026-11-22T03:00:00Z", "to": "2026-11-22T04:00:00Z", "from_ms": "1", "to_ms": "2"}
    query = 'sum by (pod) (rate(r{code=~"5..",pod=~"a|b"}[120s]))'

    opened = {name: urlsplit(filled(template, {"query": query, **when})) for name, template in links.named()}
    graph, explore = parse_qs(opened["Prometheus"].query), parse_qs(opened["Grafana"].query)

    assert (graph["g0.expr"], graph["g0.end_input"]) == ([query], ["2026-11-22T04:00:00Z"])
    assert json.loads(explore["panes"][0])["firedamp"] == {
        "datasource": "UID",
        "queries": [{"refId": "A", "expr": query}],
        "range": {"from": "1", "to": "2"},
    }
    assert set(re.findall(r"`{(\w+)}`", PAGE)) == set(PLACES)


def test_the_values_it_names_are_values():
    """Every value in the table is one of the chart's, by its whole path."""
    with helm_python.Chart.load(CHART) as chart:
        values = chart.values
    table = "".join(line for line in PAGE.splitlines() if line.startswith("| ") and "`" in line)
    named = {
        name for name in re.findall(r"`([a-zA-Z.]+)(?:: [^`]+)?`", table) if name.split(".")[0] in values
    }

    assert len(named) > 10
    assert [name for name in named if not has(values, name.split("."))] == []


def has(values, path):
    return not path or (path[0] in values and has(values[path[0]], path[1:]))


def test_the_installation_renders():
    """`helm install` as shown renders a Deployment with the image that was pushed."""
    (install,) = [shlex.split(line) for line in LINES if line.startswith("helm install")]
    given = install[install.index("--set") + 1].split("=")
    values = {"image": {given[0].removeprefix("image."): given[1]}, "configText": "mode: judge"}

    with helm_python.Chart.load(CHART) as chart:
        objects = rendered(chart, values)

    image = of_kind(objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert f"docker push {image}" in LINES
    assert [
        key for key in ("token", "flagger-path", "admin") if key not in of_kind(objects, "Secret")[0]["data"]
    ] == []


@pytest.mark.parametrize("action", ["add", "list", "revoke"])
def test_the_commands_for_tokens_work(action, tmp_path):
    """What is typed behind `kubectl exec ... --` is understood by the command line."""
    typed = {words[2]: words for line in LINES if (words := behind(line))[:2] == ["firedamp", "token"]}
    known = {**os.environ, "FIREDAMP_STORE__URL": f"sqlite:///{tmp_path}/firedamp.db"}
    before = [typed["add"]] if action == "revoke" else []

    done = [
        subprocess.run([sys.executable, "-m", *words], env=known, capture_output=True, text=True)
        for words in [*before, typed[action]]
    ]

    assert [one.returncode for one in done] == [0] * len(done), done[-1].stderr


def behind(line):
    """The words after ` -- `."""
    return shlex.split(line.partition(" -- ")[2]) if " -- " in line and line.startswith("kubectl") else []
