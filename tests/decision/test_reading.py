"""Reading findings: order, what fails beside, what is still open."""

import itertools

import pytest

from firedamp.decision.reading import beside, failing, open_question, ordered, warnings
from firedamp.model import Finding, Outcome, Tier

PASS, FAIL, WAIT = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


def finding(outcome: Outcome = WAIT, check: str = "errors", tier: Tier = Tier.CRITICAL, **more) -> Finding:
    return Finding(check, "proportion", tier, outcome, f"{check}: said", **more)


def test_findings_are_ordered_for_reading():
    """Failing before waiting before passing; critical before warn before debug."""
    mixed = [
        finding(outcome, f"{outcome}-{tier}", tier)
        for tier, outcome in itertools.product(reversed(list(Tier)), Outcome)
    ]

    assert [found.check for found in ordered(mixed)] == [
        "fail-critical",
        "fail-warn",
        "fail-debug",
        "inconclusive-critical",
        "inconclusive-warn",
        "inconclusive-debug",
        "pass-critical",
        "pass-warn",
        "pass-debug",
    ]


def test_among_equals_the_least_likely_comes_first():
    """A list of debug checks is read from the top."""
    found = [
        finding(check=name, tier=Tier.DEBUG, p_value=p) for name, p in (("a", 0.4), ("b", 0.01), ("c", None))
    ]

    assert [one.check for one in ordered(found)] == ["b", "a", "c"]


def test_once_one_fails_the_next_needs_less():
    """Of three checks with 1 % each one fails: for the second Holm asks 1.5 %, for the third 3 %."""
    found = [finding(FAIL, "a", p_value=0.001, alpha=0.01)]
    found += [finding(WAIT, "b", p_value=0.014, alpha=0.01), finding(WAIT, "c", p_value=0.04, alpha=0.01)]

    assert failing(found, Tier.CRITICAL) == ("a", "b")
    assert beside(found, Tier.CRITICAL) == " (and 1 more check)"


def test_where_none_fails_none_is_accused():
    """A small chance alone is no failure: harm may be too small to matter, or of one pod."""
    found = [finding(WAIT, "a", p_value=1e-9, alpha=0.01)]

    assert failing(found, Tier.CRITICAL) == ()
    assert beside(found, Tier.CRITICAL) == ""


def test_a_failure_without_a_chance_is_named_alone():
    """Limits have no p-value."""
    assert failing([finding(FAIL, "restarts")], Tier.CRITICAL) == ("restarts",)


def test_warnings_name_the_failing_warn_checks():
    """At the end of a sentence."""
    found = [finding(FAIL, "slow", Tier.WARN), finding(WAIT, "leak", Tier.WARN)]

    assert warnings(found) == "; warning: slow failing"
    assert warnings([]) == ""


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_harm_of_a_few_pods_is_said_before_what_is_missing(order):
    """A person must look; requests that are missing come by themselves."""
    found = [
        finding(check="errors", needs=900, p_value=0.6, alpha=0.001),
        finding(check="one-pod", p_value=1e-6, alpha=0.001),
        finding(PASS, check="calm", p_value=0.9, alpha=0.001),
    ]

    assert open_question([found[place] for place in order]) == "one-pod: said (1 more check waiting)"


def test_where_all_agree_nothing_is_open():
    """Nor where nothing is critical."""
    assert open_question([finding(PASS), finding(WAIT, tier=Tier.WARN)]) is None
