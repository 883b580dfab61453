"""docs/traces.md: what it tells people to write works, and what it says we say is what we say."""

import re
from pathlib import Path

import pytest
import yaml

from firedamp.cohorts import ArgoCohorts
from firedamp.config import Settings
from firedamp.config.load import parse
from firedamp.model import Arm
from firedamp.tracing.arms import Cohorts

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "traces.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
SETTINGS = [block for block in BLOCKS if "sources" in block]
#: Texts of our programs, with what was split over lines joined again.
OURS = "".join(
    re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "plugin" / "firedamp").rglob("*.py"))
)


def rows(section: str) -> list[list[str]]:
    """Cells of the first table of a section, without its head."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    table = re.search(r"(?m)(?:^\|.*\n)+", text)
    assert table
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[0].splitlines()[2:]]


def whole() -> Settings:
    return parse(SETTINGS[0], "traces.md")


@pytest.mark.parametrize("block", SETTINGS, ids=lambda block: block["sources"][-1]["kind"])
def test_the_settings_it_shows_are_settings(block):
    """Sources without services go with those of the first example."""
    settings = parse({"services": [], **block}, "traces.md")

    assert settings.tracers


@pytest.mark.parametrize("key", ["checks", "services"])
def test_the_checks_of_span_metrics_are_checks(key):
    """They need no source of traces, and go with the service of the first example."""
    (shown,) = [block[key] for block in BLOCKS if list(block) == [key]]
    first = {name: value for name, value in SETTINGS[0]["services"][0].items() if name != "traces"}
    services = shown if key == "services" else [{**first, "checks": shown}]
    settings = parse({"sources": SETTINGS[0]["sources"][:1], "services": services}, "traces.md")

    assert settings.services[0].parameters().checks
    assert not settings.tracers


def test_prometheus_gives_span_metrics_the_labels_that_cohorts_ask_for():
    """Of what the connector keeps, by what the scrape does to it."""
    (connector,) = [block["connectors"]["span_metrics"] for block in BLOCKS if "connectors" in block]
    (scrapes,) = [block["scrape_configs"] for block in BLOCKS if "scrape_configs" in block]
    kept = {re.sub(r"[.-]", "_", one["name"]) for one in connector["dimensions"]}
    rules = [rule["regex"] for rule in scrapes[0]["metric_relabel_configs"]]
    labels = {hit[1] for label in kept for rule in rules if (hit := re.fullmatch(rule, label))}

    asked = ArgoCohorts().select("shop", "orders", {"main": "a", "canary": "b"})[Arm.CANARY]
    assert labels >= {ArgoCohorts().pod_label, *(one.label for one in asked)}


def test_what_it_says_is_the_default_is():
    """Failures and names of the service, when nothing is said."""
    told = whole().services[0]
    plain = parse(
        {
            **SETTINGS[0],
            "services": [
                {
                    "name": "orders",
                    "traces": {
                        "flows": [{"name": "place-order", "root": told.traces.flows[0].root.model_dump()}]
                    },
                }
            ],
        },
        "traces.md",
    ).services[0]

    assert plain.traces.flows[0].failure == told.traces.flows[0].failure
    assert plain.traces.reported("orders") == told.traces.reported("orders")
    assert plain.traces.settle == told.traces.settle


def test_every_check_of_a_flow_is_explained():
    """By its name, in the order in which they are made."""
    explained = [re.match(r"`([^`]+)`", cells[0])[1] for cells in rows("What each check sees")]

    assert explained == [check.name for check in whole().services[0].traces.checks()]


SENTENCES = [
    said for cells in rows("When flows are not judged") for said in re.findall(r"`([^`]+)`", cells[0])
]


@pytest.mark.parametrize("said", SENTENCES)
def test_every_sentence_is_one_of_ours(said):
    """What people search the page for is what verdicts say."""
    assert said in OURS


def _told(resource: dict[str, str]) -> Arm | None:
    names = {"main": "5d8c7b6f44", "canary": "7d9c8b6f5"}
    own = ArgoCohorts().select("shop", "orders", names)
    by_pod = ArgoCohorts().select("shop", "orders", names, by_pod=True)
    return Cohorts(names, own, by_pod, "orders").arm(resource)


def test_what_a_pod_is_told_to_say_tells_its_version():
    """The environment that the page shows, with a pod's own values."""
    (env,) = [block["env"] for block in BLOCKS if "env" in block]
    values = {
        "POD_NAME": "orders-x",
        "POD_IP": "10.0.0.7",
        "POD_NAMESPACE": "shop",
        "POD_HASH": "7d9c8b6f5",
    }
    text = re.sub(r"\$\((\w+)\)", lambda hit: values[hit[1]], env[-1]["value"])
    resource = dict(pair.split("=") for pair in text.split(","))

    assert [one["name"] for one in env[:-1]] == list(values)
    assert _told(resource) is Arm.CANARY


def test_what_a_collector_adds_tells_a_pods_version():
    """The label under the name that it gets, and the names of pod and ReplicaSet by themselves."""
    (added,) = [block["processors"]["k8sattributes"]["extract"] for block in BLOCKS if "processors" in block]
    label = added["labels"][0]["tag_name"]

    assert _told({label: "5d8c7b6f44"}) is Arm.MAIN
    assert {"k8s.pod.name", "k8s.replicaset.name"} <= set(added["metadata"])
    assert _told({"k8s.pod.name": "orders-7d9c8b6f5-abcde"}) is Arm.CANARY
    assert _told({"k8s.replicaset.name": "orders-5d8c7b6f44"}) is Arm.MAIN


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https?://)([^)#]+)\)", PAGE))))
def test_every_link_leads_somewhere(link):
    """Files that the page links to are there."""
    assert (ROOT / "docs" / link).exists()
