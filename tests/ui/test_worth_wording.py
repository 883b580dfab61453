"""What verdicts were worth, in sentences and in a cell."""

from firedamp.decision.worth import Worth
from firedamp.ui.wording import worth


def test_without_labels_there_is_no_number():
    """The page says what is missing, and how it comes about."""
    [said] = worth.of_verdicts(Worth())

    assert said.startswith("Nobody has labelled a release of this service yet")
    assert not any(letter.isdigit() for letter in said)


def test_few_labels_are_called_few():
    """With counts and how far the truth may be from them."""
    said = worth.of_verdicts(Worth(caught=4, false_alarms=1, missed=2, spared=3))

    assert said == (
        "By 10 labels, which is few; bounds hold 19 times in 20.",
        "Of 5 releases that firedamp failed, 4 (80 %; the true share lies between 28 and 99 %) were harmful.",
        "Of 6 releases that were harmful, firedamp failed 4 (67 %; the true share lies between 22 and 96 %).",
    )


def test_none_is_said_in_a_word():
    """With how many there might be all the same."""
    _, failed, harmful = worth.of_verdicts(Worth(false_alarms=1, missed=1))

    assert (
        failed
        == "Of 1 release that firedamp failed, none (the true share lies between 0 and 98 %) was harmful."
    )
    assert harmful.startswith("Of 1 release that was harmful, firedamp failed none (the true share lies")


def test_many_labels_are_just_counted():
    """Nobody is warned of a hundred."""
    assert worth.of_verdicts(Worth(caught=60, spared=40))[0] == "By 100 labels; bounds hold 19 times in 20."


def test_what_never_happened_is_said_in_words():
    """No failures, no harm: no share of nothing."""
    _, failed, harmful = worth.of_check(Worth(spared=3))

    assert failed == "None of the labelled releases was failed by it."
    assert harmful == "No labelled release was harmful."


def test_a_cell_is_short():
    """Right of so many, found of so many; empty where nobody labelled."""
    assert worth.short(Worth(caught=4, false_alarms=1, missed=2)) == "right 4 of 5, found 4 of 6"
    assert worth.short(Worth(missed=2)) == "found 0 of 2"
    assert worth.short(Worth(spared=2)) == "quiet in 2 that were well"
    assert worth.short(Worth()) == worth.short(None) == ""
