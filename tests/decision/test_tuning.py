"""A change of parameters: what it may say, what it makes of them, and how it reads."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firedamp.decision import tuning
from firedamp.decision.parameters import Parameters
from firedamp.decision.tuning import Change, between, difference
from firedamp.errors import AskError
from firedamp.model import Tier

PARAMETERS = Parameters.model_validate(
    {
        "checks": [
            {"name": "errors", "kind": "proportion", "events": "e", "total": "t"},
            {"name": "latency", "kind": "distribution", "histogram": "h"},
            {
                "name": "memory",
                "kind": "relative",
                "query": "m{$cohort}",
                "max_increase": 0.15,
                "tier": "warn",
            },
            {"name": "queue", "kind": "threshold", "query": "q{$cohort}", "max": 10.0},
        ]
    }
)


def change(**said: object) -> Change:
    """A change as a person writes it."""
    return Change.model_validate(said)


def shares(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_nan=False, exclude_min=True, exclude_max=True)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "checks": st.fixed_dictionaries(
            {},
            optional={
                "errors": st.fixed_dictionaries(
                    {},
                    optional={
                        "tolerance": shares(0, 100),
                        "min_excess": shares(0, 1),
                        "pass_ratio": shares(1, 100),
                        "weight": shares(0, 100),
                        "tier": st.sampled_from(["critical", "warn", "debug"]),
                    },
                ),
                "memory": st.fixed_dictionaries({}, optional={"max_increase": shares(0, 100)}),
            },
        ),
        "window": st.fixed_dictionaries({}, optional={"warm_up": shares(0, 1700)}),
        "alpha": shares(0, 0.2),
    },
)


def test_a_change_is_written_as_the_settings_are():
    """Shares and durations have the units that people write in the YAML."""
    found = change(checks={"errors": {"tolerance": "50%", "tier": "warn"}}, window={"warm_up": "10m"})

    assert found.checks["errors"].tolerance == 0.5
    assert found.checks["errors"].tier is Tier.WARN
    assert found.window.warm_up == 600


def test_a_change_changes_what_it_says():
    """The rest of the parameters stays as it was."""
    new = change(checks={"errors": {"tolerance": "50%"}}, window={"warm_up": "1m"}, alpha="1%").applied(
        PARAMETERS
    )

    assert new.checks[0] == PARAMETERS.checks[0].model_copy(update={"tolerance": 0.5})
    assert new.checks[1:] == PARAMETERS.checks[1:]
    assert (new.window.warm_up, new.window.promote_after, new.alpha) == (60, 1800, 0.01)


def test_an_empty_change_changes_nothing():
    """Neither does one that names a check and says nothing of it."""
    assert change(checks={"errors": {}}, window={}).applied(PARAMETERS) is PARAMETERS


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"checks": {"eror": {"tolerance": 0.1}}},
            "there is no check 'eror': known are errors, latency, memory, queue; name one of them",
        ),
        (
            {"checks": {"latency": {"pass_ratio": 3}}},
            "pass_ratio of check 'latency' is 3.0: this check, of kind distribution, has tolerance, "
            "tier, weight to tune; leave pass_ratio out",
        ),
        (
            {"checks": {"memory": {"max_decrease": 0.1}}},
            "max_decrease of check 'memory' is 0.1: this check, of kind relative, has max_increase, "
            "tier, weight to tune; leave max_decrease out",
        ),
        (
            {"window": {"promote_after": "3h", "decide_by": "1h"}},
            "window does not allow this: needs warm_up < promote_after <= decide_by",
        ),
        (
            {"window": {"warm_up": "31m"}},
            "window does not allow this: needs warm_up < promote_after <= decide_by",
        ),
    ],
)
def test_what_does_not_fit_is_named(said, sentence):
    """The value, what is allowed, and the remedy."""
    with pytest.raises(AskError) as caught:
        change(**said).applied(PARAMETERS)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "said",
    [
        {"checks": {"errors": {"events": "other"}}},
        {"checks": {"errors": {"tolerance": "much"}}},
        {"checks": {"errors": {"tolerance": True}}},
        {"checks": {"errors": {"tier": "fatal"}}},
        {"checks": {"errors": {"weight": 0}}},
        {"checks": {"errors": {"weight": "2"}}},
        {"window": {"look": "10s"}},
        {"window": {"warm_up": "2d"}},
        {"alpha": 0.5},
        {"alpha_warn": float("nan")},
        {"policy": {}},
    ],
)
def test_only_what_can_be_tuned_is_taken(said):
    """Queries, blocks and policies are the settings'; values keep to the settings' bounds."""
    with pytest.raises(ValidationError):
        change(**said)


def test_a_difference_reads_as_people_speak():
    """One line for each value, checks first, with units and to the last digit."""
    new = change(
        checks={
            "errors": {"tolerance": "12.5%", "pass_ratio": 3, "weight": 2, "min_excess": "0.2%"},
            "memory": {"tier": "critical", "max_increase": "30%"},
            "queue": {"max": 12},
        },
        window={"warm_up": "90s", "promote_after": "1h", "decide_by": "1h40m"},
        alpha="1%",
        alpha_warn="10%",
    ).applied(PARAMETERS)

    assert difference(PARAMETERS, new) == (
        "errors: tolerance 25 % → 12.5 %",
        "errors: smallest rise that can be harm 0.1 % → 0.2 %",
        "errors: passes when a rise is excluded to 2× → 3×",
        "errors: weight 1 → 2",
        "memory: largest increase 15 % → 30 %",
        "memory: tier warn → critical",
        "queue: at most 10 → 12",
        "window: warm-up 2 min → 1 min 30 s",
        "window: promote after 30 min → 1 h",
        "window: decide by twice promote after → 1 h 40 min",
        "alpha 2 % → 1 %",
        "alpha of warnings 5 % → 10 %",
    )


def test_checks_that_come_and_go_are_named():
    """Between settings of different times a check may be new, or gone."""
    fewer = PARAMETERS.model_copy(update={"checks": PARAMETERS.checks[:2]})

    assert difference(PARAMETERS, fewer) == ("memory: no check any more", "queue: no check any more")
    assert difference(fewer, PARAMETERS) == ("memory: a new check", "queue: a new check")


@given(CHANGES)
def test_a_change_comes_back_from_json(said):
    """Canonical JSON: read back it is the same change, and written again the same bytes."""
    one = change(**said)
    text = tuning.to_json(one)

    assert tuning.from_json(text) == one
    assert tuning.to_json(tuning.from_json(text)) == text


@given(CHANGES)
def test_the_change_between_two_is_what_was_changed(said):
    """What a change made of the parameters can be told from them, and is nothing where it made nothing."""
    new = change(**said).applied(PARAMETERS)
    found = between(PARAMETERS, new)

    assert found.applied(PARAMETERS) == new
    assert found.is_empty == (new == PARAMETERS)
    assert bool(difference(PARAMETERS, new)) == (new != PARAMETERS)


def test_json_says_only_what_is_other():
    """Defaults that a later version may change are not written down."""
    one = change(checks={"errors": {"tolerance": 0.5}, "latency": {}})

    assert json.loads(tuning.to_json(one)) == {"checks": {"errors": {"tolerance": 0.5}}}
    assert tuning.to_json(Change()) == "{}"


def test_the_order_of_checks_in_a_change_is_no_matter():
    """Two people who write the same write the same bytes."""
    one = change(checks={"latency": {"weight": 2}, "errors": {"weight": 3}})
    other = change(checks={"errors": {"weight": 3}, "latency": {"weight": 2}})

    assert tuning.to_json(one) == tuning.to_json(other)


def test_a_way_back_to_no_deadline_of_its_own_is_told_in_seconds():
    """The settings have none, so twice promote_after is what a release would be judged by."""
    tuned = change(window={"decide_by": "45m"}).applied(PARAMETERS)

    step = between(tuned, PARAMETERS)

    assert step.window.decide_by == 3600
    assert between(PARAMETERS, tuned).window.decide_by == 2700
