"""docs/tuning.md: what it says can be tuned can be, and nothing else."""

import re
from pathlib import Path
from typing import get_args

import yaml

from firedamp.checks import Check
from firedamp.config.load import parse
from firedamp.decision.tuning import Change, CheckChange, WindowChange
from firedamp.judge.previews import MOMENT, SECONDS, USUAL

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "tuning.md").read_text(encoding="utf-8")
TABLE = dict(
    re.findall(
        r"(?m)^\| ([^|]+?) \| ((?:`|[^|])*`[^|]*) \|$",
        PAGE.split("\n## What can be tuned")[1].split("\n## ")[0],
    )
)
_UNION, *_ = get_args(Check)
#: Fields of each kind of check that may be tuned.
KINDS = {
    get_args(kind.model_fields["kind"].annotation)[0]: set(kind.model_fields) & set(CheckChange.model_fields)
    for kind in get_args(_UNION)
}


def named(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_every_kind_has_the_fields_that_the_page_gives_it():
    """Beside tier and weight, which all have; operations have nothing else."""
    told = {
        kind: named(cell) | named(TABLE["any check"])
        for kinds, cell in TABLE.items()
        for kind in kinds.split(", ")
        if kind in KINDS
    }

    assert {"operations": {"tier", "weight"}, **told} == KINDS


def test_the_window_and_the_whole_are_told():
    """All that a change may say, and no more."""
    assert named(TABLE["the window"]) == set(WindowChange.model_fields)
    assert named(TABLE["the service"]) == set(Change.model_fields) - {"checks", "window"}


def test_the_limits_are_those_of_the_code():
    """So many releases, so many seconds."""
    assert f'"releases": {USUAL}' in PAGE
    assert f"for {SECONDS:g} s at most" in PAGE
    assert (USUAL, MOMENT) == (50, 2)
    assert "judges the last fifty releases again" in PAGE
    assert "asks for two seconds' worth at a time" in PAGE


def test_the_flow_it_shows_can_be_written_so():
    """By hand, as by export."""
    block = next(part for part in re.findall(r"(?m)(?:^    .*\n)+", PAGE) if "flows:" in part)
    [service] = parse({"services": [{"name": "a", **yaml.safe_load(block)}]}, "tuning.md").services

    tolerances = {check.name: getattr(check, "tolerance", None) for check in service.parameters().checks}
    assert (tolerances["place-order.latency"], tolerances["place-order.availability"]) == (0.4, 0.2)
