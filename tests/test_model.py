"""The values that travel."""

import dataclasses
import importlib
import pkgutil

import pytest

from firedamp import model
from firedamp.model import Arm, Finding, Mode, Outcome, Question, ReleaseKey, Tier


def _values() -> list[type]:
    modules = [
        importlib.import_module(f"firedamp.model.{found.name}")
        for found in pkgutil.iter_modules(model.__path__)
    ]
    found = [
        value for module in modules for value in vars(module).values() if dataclasses.is_dataclass(value)
    ]
    return [value for value in found if isinstance(value, type)]


@pytest.mark.parametrize("value", _values(), ids=lambda value: value.__name__)
def test_values_are_frozen_and_small(value):
    """Nobody changes a value on its way, and none carries a dictionary of its own."""
    assert value.__dataclass_params__.frozen
    assert "__slots__" in vars(value)


@pytest.mark.parametrize("name", model.__all__)
def test_every_name_is_there(name):
    """What the package promises can be imported from it."""
    assert getattr(model, name)


def test_a_key_reads_like_an_address():
    """Namespace, service, revision and attempt in one line."""
    assert str(ReleaseKey("shop", "checkout", "abc", 2)) == "shop/checkout@abc#2"


def test_terms_are_their_words():
    """On the wire, in the store and in settings a term is its plain word."""
    assert set(Outcome) == {"pass", "fail", "inconclusive"}
    assert set(Question) == {"guard", "advance", "promote"}
    assert set(Mode) == {"judge", "shadow", "hold", "off"}
    assert set(Tier) == {"critical", "warn", "debug"}


def test_baseline_stands_before_canary():
    """Arms are listed in the order in which they are compared."""
    assert [*Arm] == ["baseline", "main", "canary"]


def test_an_undecided_finding_claims_nothing():
    """What was not measured is None and not 0."""
    bare = Finding("errors", "proportion", Tier.CRITICAL, Outcome.INCONCLUSIVE, "errors: warming up")

    assert (bare.baseline, bare.canary, bare.effect, bare.p_value, bare.needs) == (None,) * 5


@pytest.mark.parametrize(
    ("modes", "holding"),
    [
        ({Mode.JUDGE}, Mode.JUDGE),
        ({Mode.JUDGE, Mode.HOLD}, Mode.HOLD),
        ({Mode.HOLD, Mode.SHADOW}, Mode.SHADOW),
        (set(Mode), Mode.OFF),
    ],
)
def test_the_mode_that_stops_more_of_us_holds(modes, holding):
    """Off beats shadow beats hold beats judge: whoever trusts firedamp least is heard."""
    assert Mode.holding(modes) is holding
