"""The pages to the first verdict, read without a cluster: their files are what we ship, and fit together."""

import re
from copy import deepcopy

import pytest
import yaml

from e2e.following import Block, Reader, blocks
from firedamp.config.load import parse
from shipping.manifests import ROOT, TEMPLATES, faults, named, objects

PAGES = ("first-rollout-argo.md", "first-rollout-flagger.md")
EXAMPLE = named(objects(TEMPLATES / "argo" / "rollout-replicas.yaml"), "Rollout", "cart")
CANARY = named(objects(TEMPLATES / "flagger" / "canary.yaml"), "Canary", "podinfo")


async def written(folder, page):
    """Who has followed a page without typing a command; what the first file was at the beginning is kept."""
    reader = Reader(folder, {})
    for block in blocks(page):
        if block.kind in ("yaml", "diff"):
            await reader.follow(block)
    return reader.folder


def loaded(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


async def test_the_rollout_becomes_the_example_that_we_ship(tmp_path):
    """With all changes of the page in it, nothing but the image's tag is otherwise."""
    rollout = loaded(await written(tmp_path, PAGES[0]) / "rollout.yaml")

    assert tagged(rollout) == tagged(EXAMPLE)


def test_the_rollout_was_the_example_without_firedamp():
    """Pauses in place of questions, and no analysis."""
    before = deepcopy(EXAMPLE)
    canary = before["spec"]["strategy"]["canary"]
    del canary["analysis"]
    canary["steps"] = [
        {"pause": {"duration": "1m"}} if "analysis" in step else step for step in canary["steps"]
    ]

    assert tagged(yaml.safe_load(blocks(PAGES[0])[0].text)) == tagged(before)


def tagged(rollout):
    """A Rollout whose image has no tag."""
    found = deepcopy(rollout)
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["image"] = container["image"].split(":")[0]
    return found


async def test_the_canary_gets_the_hooks_that_we_ship(tmp_path):
    """All but the one that holds releases during a freeze, which is for later."""
    canary = loaded(await written(tmp_path, PAGES[1]) / "canary.yaml")
    shipped = [hook for hook in CANARY["spec"]["analysis"]["webhooks"] if hook["type"] != "confirm-rollout"]

    assert sorted(canary["spec"]["analysis"]["webhooks"], key=str) == sorted(shipped, key=str)
    assert faults(canary) == []


@pytest.mark.parametrize("page", PAGES)
async def test_the_settings_are_settings(tmp_path, page):
    """Before and after the last change: they load, and judge the service of the page."""
    settings = parse(loaded(await written(tmp_path, page) / "firedamp.yaml"), page)

    assert [check.name for check in settings.services[0].checks] == ["errors", "latency", "restarts"]
    assert settings.mode == "judge"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_the_page_leads_somewhere(page):
    """Files that it links to are there."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", text)

    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


async def test_commands_remember_variables_and_print(tmp_path):
    """A later block knows what an earlier one has set; `…` stands for anything in what is expected."""
    reader = Reader(tmp_path, {"PATH": "/usr/bin:/bin"})

    for block in (
        Block("sh", "who=anna\n"),
        Block("sh", 'echo "is it $who?"\n'),
        Block("text", "is … anna?\n"),
    ):
        await reader.follow(block)

    assert reader.printed == "is it anna?\n"


@pytest.mark.parametrize(
    "blocks_of_a_page",
    [
        (Block("sh", "false\necho later\n"),),
        (Block("sh", "echo one\n"), Block("text", "two\n")),
        (Block("yaml", "# a.yaml\na: 1\n"), Block("diff", "--- a.yaml\n-b: 1\n+b: 2\n")),
    ],
    ids=["command", "output", "change"],
)
async def test_what_does_not_work_stops_the_reader(tmp_path, blocks_of_a_page):
    """A command that fails, another output, a change that does not fit."""
    reader = Reader(tmp_path, {"PATH": "/usr/bin:/bin"})
    *before, wrong = blocks_of_a_page
    for block in before:
        await reader.follow(block)

    with pytest.raises(AssertionError):
        await reader.follow(wrong)
