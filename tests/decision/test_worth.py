"""What verdicts were worth by labels: counts, precision, recall, and nothing where nobody labelled."""

import pytest

from firedamp.decision.worth import Worth, of_check, of_verdicts
from firedamp.model import Judged

TRUE_POSITIVE, FALSE_POSITIVE = Judged.TRUE_POSITIVE, Judged.FALSE_POSITIVE
TRUE_NEGATIVE, FALSE_NEGATIVE = Judged.TRUE_NEGATIVE, Judged.FALSE_NEGATIVE


def test_verdicts_are_counted_by_what_was_said_and_what_was_true():
    """Each of the four labels is one of the four cells."""
    words = [TRUE_POSITIVE] * 4 + [FALSE_POSITIVE] + [FALSE_NEGATIVE] * 2 + [TRUE_NEGATIVE] * 3

    assert of_verdicts(words) == Worth(caught=4, false_alarms=1, missed=2, spared=3)


def test_a_check_is_held_to_whether_the_release_was_harmful():
    """It may fail where the verdict was right to pass, and stay silent where another check failed."""
    cases = [(True, TRUE_POSITIVE), (False, TRUE_POSITIVE), (True, TRUE_NEGATIVE), (False, FALSE_POSITIVE)]

    assert of_check(cases) == Worth(caught=1, false_alarms=1, missed=1, spared=1)


def test_precision_and_recall_have_their_bounds():
    """By Clopper and Pearson, with 95 %."""
    worth = Worth(caught=4, false_alarms=1, missed=2)

    assert (worth.precision.part, worth.precision.whole, worth.precision.share) == (4, 5, 0.8)
    assert worth.precision.interval == pytest.approx((0.2836, 0.9949), abs=5e-5)
    assert (worth.recall.part, worth.recall.whole) == (4, 6)


def test_there_is_no_number_of_nothing():
    """Without failures there is no precision, without harm no recall."""
    assert Worth(spared=7).precision is None
    assert Worth(spared=7).recall is None
    assert Worth().labels == 0
