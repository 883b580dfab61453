"""What is known of noise before a release: pooled, pinned as text, and told apart by what is counted."""

import pytest

from firedamp.checks import Proportion, Threshold
from firedamp.decision import known
from firedamp.stats.noise import Learnt

ERRORS = Proportion(name="errors", kind="proportion", events="e", total="t")


def test_a_check_is_learnt_about_under_what_it_counts():
    """Another name, tolerance or weight counts the same; other selectors, or what is harm, do not."""
    same = ERRORS.model_copy(update={"name": "5xx", "tolerance": 1.0, "weight": 3.0})
    others = [ERRORS.model_copy(update=one) for one in ({"events": "x"}, {"total": "x"}, {"harm": "fewer"})]

    assert known.counts(same) == known.counts(ERRORS)
    assert len({known.counts(one) for one in (ERRORS, *others)}) == 4


def test_a_limit_has_no_noise_to_learn():
    """Only what is counted out of a total clumps."""
    assert known.counts(Threshold(name="restarts", kind="threshold", counter="c", max=0)) is None


def test_what_several_told_is_added():
    """History and releases are evidence of the same noise."""
    told = known.pooled([Learnt(30.0, 10.0, 0.5, 4.0), Learnt(60.0, 20.0, -0.25, 2.0)])

    assert told == Learnt(90.0, 30.0, 0.25, 6.0)
    assert known.pooled([]) == Learnt()


def test_much_that_is_known_of_clumps_weighs_no_more_than_the_most():
    """The estimate stays, its weight is cut; how much pods differ keeps all of it."""
    told = known.pooled([Learnt(1500.0, 500.0, 9.0, 40.0)] * 2)

    assert told.phi_weight == known.MOST_KNOWN
    assert told.phi_sum / told.phi_weight == pytest.approx(3.0)
    assert (told.tau_sum, told.tau_weight) == (18.0, 80.0)


def test_a_service_that_became_bursty_is_believed_within_some_hundred_errors():
    """However calm it was known to be, its own pods outweigh that."""
    calm = known.pooled([Learnt(1e5, 1e5)])

    assert calm.dispersion.phi < 1.1
    assert (calm + Learnt(6 * 300.0, 300.0)).dispersion.phi > 4


def test_noise_comes_back_from_text_to_the_last_digit():
    """What is pinned is what the looks stood on."""
    noise = {"refusals": Learnt(0.1 + 0.2, 1 / 3, -1e-17, 5e300), "errors": Learnt(1.0)}
    text = known.to_json(noise)

    assert known.from_json(text) == noise
    assert known.to_json(dict(reversed(noise.items()))) == text
    assert text.startswith('{"errors":[1.0,0.0,0.0,0.0,0.0,0.0],"refusals":[0.30000000000000004,')


def test_noise_pinned_before_rates_were_learnt_is_read():
    """Four sums, and nothing of what is usual."""
    assert known.from_json('{"errors":[1,2,3,4]}') == {"errors": Learnt(1.0, 2.0, 3.0, 4.0)}


def test_nothing_is_known_before_the_first_look_or_where_nothing_was_learnt():
    """Both texts say that there is nothing."""
    assert known.from_json("") == known.from_json(known.NOTHING) == {}
    assert known.to_json({}) == known.NOTHING


@pytest.mark.parametrize(
    "text", ["[]", '{"errors": 1}', '{"errors": [1, 2, 3, 4, 5]}', '{"errors": ["x"]}', "{"]
)
def test_text_of_an_incompatible_version_is_refused(text):
    """It is not misread."""
    with pytest.raises(ValueError):  # noqa: PT011 - JSON says what is wrong in its own words
        known.from_json(text)


def test_noise_that_is_no_number_is_not_pinned():
    """NaN would make every look NaN."""
    with pytest.raises(ValueError, match="Out of range"):
        known.to_json({"errors": Learnt(float("nan"))})
