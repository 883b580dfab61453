"""What a service usually does, from what a source answers."""

import numpy as np

from firedamp.counting import Samples, Series
from firedamp.judge.usual import buckets, histogram
from firedamp.queries import Counted, Matcher, Op, selector


def bucket(pod, le, value):
    return Series({"pod": pod, "le": le}, np.array([60.0]), np.array([value]))


def test_buckets_are_asked_for_as_one_increase_per_pod():
    """The check's own matchers and the cohort's stand inside the selector."""
    need = buckets(Counted(selector('s_bucket{route="/"}'), keep_le=True), "pod")

    assert need.expression.promql((Matcher("v", Op.EQUAL, "a"),), 600) == (
        'sum by (pod, le) (increase(s_bucket{route="/",v="a"}[600s]))'
    )


def test_cumulative_buckets_become_counts():
    """Per pod, in the order of the bounds; what falls by rounding counts as nothing."""
    samples = Samples(
        (bucket("a", "+Inf", 9.0), bucket("a", "0.1", 4.0), bucket("a", "0.5", 3.9), bucket("a", "1", 8.0))
    )

    found = histogram(samples, "pod", 21600.0)

    assert found.bounds == (0.1, 0.5, 1.0, float("inf"))
    assert found.rows == [{"a": (4.0, 0.0, 4.0, 1.0)}]


def test_a_pod_without_all_buckets_is_left_out():
    """Half a histogram would bend everybody's."""
    samples = Samples((bucket("a", "+Inf", 9.0), bucket("a", "1", 4.0), bucket("b", "+Inf", 5.0)))

    assert list(histogram(samples, "pod", 21600.0).rows[0]) == ["a"]


def test_silence_is_no_history():
    """Without series, and with values that are none, there are no rows."""
    assert histogram(Samples(()), "pod", 21600.0).rows == []
    assert histogram(Samples((bucket("a", "1", float("nan")),)), "pod", 21600.0).rows == []
