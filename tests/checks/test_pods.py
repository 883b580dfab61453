"""One bad pod is not a bad release."""

import pytest

from checkbench import GRANT, moment
from firedamp.checks._pods import Pods, Recent
from firedamp.checks.proportion import Proportion
from firedamp.model import Arm, Outcome, Slice

ERRORS = Proportion(name="errors", kind="proportion", events='r{code=~"5.."}', total="r")


def served(rows, blocks=1, baseline=(8.0, 800.0)):
    """The canary's pods (events, requests) in so many equal blocks."""
    found = Pods()
    for _ in range(blocks):
        found += Pods.of(baseline, rows)
    return found


@pytest.mark.parametrize(("pods", "left_out"), [(1, 0), (2, 1), (3, 1), (4, 2), (10, 3), (200, 22)])
def test_half_of_a_few_pods_and_a_tenth_of_many_are_left_out(pods, left_out):
    """At most half, and two more than a tenth."""
    rows = {f"canary-{number:03}": (float(number), 100.0) for number in range(pods)}

    assert len(served(rows).worst(fewer=False)) == left_out


UNEVEN = {"a": (9.0, 100.0), "b": (8.0, 100.0), "c": (2.0, 100.0), "d": (1.0, 100.0)}


def test_pods_that_are_well_in_the_other_checks_stay_but_for_the_worst():
    """Nothing is held against a or b elsewhere, so harm that both show counts for all but one of them."""
    elsewhere = [served(dict.fromkeys("abcd", (1.0, 100.0))) for _ in range(3)]

    assert served(UNEVEN).worst(fewer=False) == ("a", "b")
    assert served(UNEVEN).worst(fewer=False, others=elsewhere) == ("a",)
    assert not served(UNEVEN).spread_over(fewer=False)
    assert served(UNEVEN).spread_over(fewer=False, others=elsewhere)


@pytest.mark.parametrize("suspect", ["a", "b"])
def test_a_pod_that_is_sick_elsewhere_keeps_all_suspects_out(suspect):
    """One of the two fails in other checks as well: a bad pod, and who is bad with it is not known."""
    rows = dict.fromkeys("abcd", (1.0, 100.0)) | {suspect: (4.0, 100.0)}
    elsewhere = [served(rows) for _ in range(3)]

    assert served(UNEVEN).worst(fewer=False, others=elsewhere) == ("a", "b")


def test_checks_that_expect_no_errors_know_no_pod():
    """A quiet check without a single error expected says nothing for a pod."""
    quiet = served(dict.fromkeys("abcd", (0.0, 100.0)), baseline=(2.0, 1000.0))

    assert served(UNEVEN).worst(fewer=False, others=[quiet]) == ("a", "b")
    assert served(UNEVEN).worst(fewer=False, others=[quiet] * 5) == ("a",)


def test_the_worst_is_by_rate_and_first():
    """Fifteen of a hundred are worse than twenty of a thousand; silent pods are nobody."""
    rows = {"busy": (20.0, 1000.0), "sick": (15.0, 100.0), "well": (1.0, 100.0), "new": (0.0, 0.0)}

    assert served(rows).worst(fewer=False) == ("sick",)
    assert served(rows).worst(fewer=True) == ("well",)


def test_harm_of_one_pod_is_not_spread():
    """All forty errors are one pod's; the others are as good as main."""
    rows = {"a": (40.0, 100.0), "b": (1.0, 100.0), "c": (1.0, 100.0)}

    assert not served(rows).spread_over(fewer=False)


def test_harm_of_all_pods_is_spread():
    """Five times main's rate everywhere."""
    assert served(dict.fromkeys("abc", (5.0, 100.0))).spread_over(fewer=False)


def test_fewer_conversions_everywhere_are_spread():
    """Main has one in ten, the canary's pods one in fifty."""
    rows = dict.fromkeys("abc", (2.0, 100.0))

    assert served(rows, baseline=(80.0, 800.0)).spread_over(fewer=True)
    assert not served(rows, baseline=(80.0, 800.0)).spread_over(fewer=False)


def test_without_errors_in_main_requests_say_what_is_expected():
    """Nothing in 800 requests of main, twenty in two pods: spread over both."""
    assert served(dict.fromkeys("ab", (20.0, 100.0)), baseline=(0.0, 800.0)).spread_over(fewer=False)


def test_a_drift_over_weights_is_no_harm():
    """The pods serve more just when everybody fails more: they are held to main's rate of each block."""
    calm = Pods.of((10.0, 950.0), {"a": (0.0, 25.0), "b": (0.0, 25.0)})
    rough = calm + Pods.of((50.0, 500.0), {"a": (25.0, 250.0), "b": (25.0, 250.0)})

    assert not rough.spread_over(fewer=False)
    assert rough.excess(fewer=False) < 0.002


def test_only_the_last_minutes_are_recent():
    """Ten to twenty blocks are remembered."""
    found = Recent()
    for _ in range(95):
        found = found.add(Pods.of((8.0, 800.0), {"a": (1.0, 100.0)}))

    assert found.pods.blocks == 15
    assert found.pods.canary == (15.0, 1500.0)


def test_one_bad_pod_among_three_is_named_and_not_rolled_back():
    """It serves every error of the canary; the release waits for a person."""
    sick = {"canary-a": (12.0, 60.0), "canary-b": (1.0, 70.0), "canary-c": (0.0, 70.0)}
    rows = {Arm.MAIN: {f"main-{n}": (1.0, 100.0) for n in range(8)}, Arm.CANARY: sick}
    run = ERRORS.begin(GRANT)
    for index in range(30):
        run = run.take(Slice(rows), moment(index))
        finding = run.finding(moment(index))
        assert finding.outcome is not Outcome.FAIL

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "one bad pod: canary-a served 312 of the canary's 338 errors" in finding.sentence
    assert finding.sentence.endswith("Look at that pod: a person must decide")


def test_one_pod_that_goes_bad_late_is_named_with_its_minutes():
    """After an hour of health one of three pods fails: the last minutes say so, not the hour."""
    main = {f"main-{n}": (1.0, 100.0) for n in range(8)}
    well = dict.fromkeys(("canary-a", "canary-b", "canary-c"), (0.7, 70.0))
    run = ERRORS.begin(GRANT)
    for index in range(126):
        canary = well if index < 120 else well | {"canary-a": (20.0, 70.0)}
        run = run.take(Slice({Arm.MAIN: main, Arm.CANARY: canary}), moment(index))
    finding = run.finding(moment(125))

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "one bad pod: in the last 6 min canary-a served 124 of the canary's 141 errors" in finding.sentence
    assert "without the worst 1 pod of 3" in finding.sentence


def test_harm_of_two_pods_of_four_is_heard_of_once_the_other_checks_have_told():
    """By itself the check waits for the other pods; other checks know nothing against these two."""
    pods = {
        "canary-a": (5.0, 50.0),
        "canary-b": (5.0, 50.0),
        "canary-c": (0.5, 50.0),
        "canary-d": (0.5, 50.0),
    }
    well = dict.fromkeys(pods, (0.5, 50.0))
    main = {f"main-{n}": (1.0, 100.0) for n in range(8)}
    harmed, other = ERRORS.begin(GRANT), ERRORS.begin(GRANT)
    for index in range(30):
        harmed = harmed.take(Slice({Arm.MAIN: main, Arm.CANARY: pods}), moment(index))
        other = other.take(Slice({Arm.MAIN: main, Arm.CANARY: well}), moment(index))
    heard = harmed.heard([harmed.witness, other.witness])

    assert harmed.finding(moment(29)).outcome is Outcome.INCONCLUSIVE
    assert heard.finding(moment(29)).outcome is Outcome.FAIL


def test_a_canary_of_one_pod_says_what_it_cannot_tell():
    """A bad pod and a bad release look the same."""
    rows = {Arm.MAIN: {f"main-{n}": (1.0, 100.0) for n in range(8)}, Arm.CANARY: {"canary-a": (12.0, 200.0)}}
    run = ERRORS.begin(GRANT)
    for index in range(30):
        run = run.take(Slice(rows), moment(index))

    finding = run.finding(moment(29))

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence.endswith("; it has one pod, and a bad pod looks the same")


def test_a_single_pod_is_never_left_out():
    """However few its errors: nothing is known of other pods."""
    assert served({"a": (0.0, 100.0)}).spread_over(fewer=False)


def test_proven_harm_stays_proven_when_pods_get_better():
    """Ten bad minutes of all pods, then health: the check goes on failing."""
    main = {f"main-{n}": (1.0, 100.0) for n in range(8)}
    run = ERRORS.begin(GRANT)
    for index in range(300):
        canary = dict.fromkeys(("a", "b", "c"), (12.0 if index < 20 else 1.0, 100.0))
        run = run.take(Slice({Arm.MAIN: main, Arm.CANARY: canary}), moment(index))

    assert run.finding(moment(299)).outcome is Outcome.FAIL
