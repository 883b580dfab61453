"""What a query brought, in numbers, and what they mean."""

from dataclasses import replace

import pytest

from firedamp.cli import probes, symptoms
from firedamp.cli.probes import Probe
from firedamp.model import Arm


def element(values, every=15.0, until=1000.0, **labels):
    begin = until - every * (len(values) - 1)
    return {
        "metric": {"__name__": "requests_total", **labels},
        "values": [[begin + every * number, str(value)] for number, value in enumerate(values)],
    }


def probed(*elements, role="total", at=1010.0):
    blank = Probe("errors", role, Arm.CANARY, "requests_total")
    probe = probes.described(blank, elements, pod_label="pod", at=at)
    return replace(probe, per_minute=probes.per_minute(elements))


def told(probe, look_seconds=30.0):
    found = symptoms.of(probe, look_seconds=look_seconds, pod_label="pod")
    return " | ".join(f"{one.text} -> {one.remedy}" for one in found)


TWO_PODS = [element([0, 10, 20, 30], pod="a"), element([5, 10, 15, 20], pod="b")]


def test_a_probe_counts_what_came_back():
    """Series, pods, samples, age, scrape interval and requests per minute are what a dashboard shows."""
    probe = probed(*TWO_PODS)

    assert (probe.series, probe.pods, probe.samples) == (2, 2, 8)
    assert (probe.newest_age, probe.interval, probe.gap) == (10.0, 15.0, 15.0)
    assert probe.per_minute == pytest.approx(60 * (30 + 15) / 45)
    assert probe.labels == ("pod",)


def test_a_reset_counts_from_zero():
    """A restarted pod's counter is not a negative rate."""
    assert probes.increase([(0, 100), (15, 110), (30, 4), (45, 6)]) == 10 + 4 + 2


def test_histograms_are_counted_once():
    """Every request is in the +Inf bucket; the others are not counted again."""
    buckets = [element([0, 5], pod="a", le="0.1"), element([0, 20], pod="a", le="+Inf")]

    probe = probed(*buckets, role="buckets")

    assert probe.per_minute == pytest.approx(80)
    assert probe.bounds == ("0.1", "+Inf")


def test_nothing_is_wrong_with_two_busy_pods():
    """A healthy cohort has no symptoms."""
    assert told(probed(*TWO_PODS)) == ""


@pytest.mark.parametrize(
    ("probe", "look", "said"),
    [
        (probed(TWO_PODS[0]), 30, "one pod"),
        (probed(element([1, 2])), 30, "1 of 1 series carry no pod label"),
        (probed(*TWO_PODS, at=1300.0), 30, "newest sample is 5 min old"),
        (probed(*TWO_PODS), 20, "set window.look to 30s or more"),
        (probed(*TWO_PODS, element([1, 2, 3, 4], pod="c", every=40.0)), 30, "a gap of 40 s"),
        (probed(element([7, 7], pod="a"), element([7, 7], pod="b")), 30, "policy no_traffic"),
        (probed(element([1, 2], pod="a", le="0.1"), role="buckets"), 30, 'without le="+Inf"'),
        (
            probed(element([1, 2], pod="a", le="1"), element([1, 2], pod="a", le="+Inf"), role="buckets"),
            30,
            "only 2 buckets",
        ),
    ],
)
def test_what_is_suspicious_is_said_with_its_remedy(probe, look, said):
    """Each weakness of the data is named, and how to mend it."""
    assert said in told(probe, look)


def test_a_quiet_counter_of_errors_is_healthy():
    """No errors are no lack of traffic."""
    quiet = probed(element([7, 7], pod="a"), element([7, 7], pod="b"), role="events")

    assert told(quiet) == ""


def test_arms_with_different_labels_are_noticed():
    """Two versions that expose different labels cannot be compared series by series."""
    canary = probed(element([1, 2], pod="a"))
    main = replace(probed(element([1, 2], pod="b", route="/pay")), arm=Arm.MAIN)

    found = list(symptoms.unlike([main, canary]))

    assert [(one.arm, "route" in one.text) for one in found] == [(Arm.CANARY, True)]
