"""Native histograms: Prometheus' own test cases, values put into buckets one by one, properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.native import (
    NativeHistogram,
    bucket_bound,
    common_buckets,
    from_api,
    native_histogram,
)
from firedamp.stats.ranks import compare_histograms, mann_whitney

SCHEMAS = st.integers(-4, 8)
VALUES = st.lists(st.floats(-1e3, 1e3).filter(lambda value: value == 0 or abs(value) > 1e-9), max_size=40)


def observed(values, schema: int, threshold: float = 1e-6) -> NativeHistogram:
    """Values put into buckets by the definition: above base^(i-1), up to base^i."""
    sides: tuple[dict, dict] = ({}, {})
    zero = 0
    for value in values:
        if abs(value) <= threshold:
            zero += 1
            continue
        index = math.ceil(math.log2(abs(value)) * 2.0**schema)
        index += bucket_bound(index, schema) < abs(value)
        index -= bucket_bound(index - 1, schema) >= abs(value)
        side = sides[int(value < 0)]
        side[index] = side.get(index, 0) + 1
    return NativeHistogram(schema, threshold, zero, *sides)


def as_api(histogram: NativeHistogram) -> list[tuple[int, float, float, float]]:
    """What the HTTP API says of it."""
    bound = histogram.schema
    rows = [
        (1, -bucket_bound(i, bound), -bucket_bound(i - 1, bound), n) for i, n in histogram.negative.items()
    ]
    if histogram.zero_count:
        rows.append((3, -histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count))
    return rows + [
        (0, bucket_bound(i - 1, bound), bucket_bound(i, bound), n) for i, n in histogram.positive.items()
    ]


@pytest.mark.parametrize(
    ("schema", "spans", "deltas", "cumulative"),
    [
        (0, [(0, 2), (1, 2)], [1, 1, -1, 0], {1: 1, 2: 3, 4: 3, 8: 4, 16: 5}),
        (0, [(0, 5), (1, 1)], [1, 2, -2, 1, -1, 0], {1: 1, 2: 4, 4: 5, 8: 7, 16: 8, 32: 8, 64: 9}),
        (
            3,
            [(-5, 2), (2, 3), (2, 2)],
            [1, 2, -2, 1, -1, 0, 3],
            {
                0.6484197773255048: 1,
                0.7071067811865475: 4,
                0.8408964152537144: 4,
                0.9170040432046711: 5,
                1: 7,
                1.0905077326652577: 8,
                1.2968395546510096: 8,
                1.414213562373095: 9,
                1.5422108254079407: 13,
            },
        ),
        (-2, [(-2, 4), (2, 2)], [1, 2, -2, 1, -1, 0], {0.00390625: 1, 0.0625: 4, 1: 5, 16: 7, 1048576: 9}),
        (-1, [(-2, 5)], [1, 2, -2, 1, -1], {0.0625: 1, 0.25: 4, 1: 5, 4: 7, 16: 8}),
    ],
)
def test_prometheus_own_cases(schema, spans, deltas, cumulative):
    """Of model/histogram/histogram_test.go, TestCumulativeBucketIterator: count at or below each bound."""
    bounds, counts = common_buckets([native_histogram(schema, (spans, deltas), deltas=True)])
    below = np.cumsum(counts[0])

    for bound, count in cumulative.items():
        place = int(np.argmin(abs(bounds - bound)))
        assert bounds[place] == pytest.approx(bound, rel=1e-15)
        assert below[place] == count


def test_prometheus_own_case_below_zero():
    """Of TestHistogramString: [-64,-32):1 to [-1,-0.5):1 and [-0.001,0.001]:12."""
    histogram = native_histogram(
        0, negative=([(0, 5), (1, 1)], [1, 2, -2, 1, -1, 0]), zero=(0.001, 12), deltas=True
    )
    bounds, counts = common_buckets([histogram])
    found = {bound: count for bound, count in zip(bounds, counts[0], strict=True) if count}

    assert found == {-32: 1, -8: 1, -4: 2, -2: 1, -1: 3, -0.5: 1, 0.001: 12}
    assert histogram.count == 21


def test_counts_may_be_absolute():
    """Float histograms say what is in each bucket."""
    histogram = native_histogram(0, ([(0, 2), (1, 1)], [1.5, 0.0, 2.0]))

    assert histogram.positive == {0: 1.5, 3: 2.0}


def test_a_bucket_is_made_of_whole_finer_ones():
    """Schema 1 to 0: (1, 1.41] and (1.41, 2] are (1, 2], below one likewise."""
    fine = native_histogram(1, ([(-2, 6)], [1, 2, 4, 8, 16, 32]))

    assert fine.coarsened(0).positive == {-1: 1, 0: 6, 1: 24, 2: 32}


def test_finer_is_impossible():
    """Counts cannot be split."""
    with pytest.raises(ValueError, match="finer"):
        NativeHistogram(2).coarsened(3)


def test_the_zero_bucket_takes_whole_buckets_in():
    """One histogram's zero bucket up to 0.6 takes in the other's (0.5, 1] and all below it."""
    one, two = NativeHistogram(0, 0.6, 5.0), NativeHistogram(0, 0.0, 0.0, {-1: 2.0, 0: 3.0, 1: 4.0})
    bounds, counts = common_buckets([one, two])

    assert bounds.tolist() == [-1, 1, 2, math.inf]
    assert counts.tolist() == [[0, 5, 0, 0], [0, 5, 4, 0]]


def test_buckets_reach_to_infinity():
    """The bucket beyond the largest float ends at inf, where the last bound is anyway."""
    bounds, counts = common_buckets([NativeHistogram(0, positive={1024: 2.0, 1025: 1.0})])

    assert bounds[-1] == math.inf
    assert counts[0, -1] == 3.0


def test_nothing_observed_is_one_empty_bucket():
    """An empty histogram has no bounds but the last."""
    bounds, counts = common_buckets([NativeHistogram(3), NativeHistogram(0)])

    assert (bounds.tolist(), counts.tolist()) == ([math.inf], [[0.0], [0.0]])
    assert from_api([]).count == 0


@pytest.mark.parametrize(
    ("schema", "positive", "zero", "message"),
    [
        (-53, ([(0, 1)], [1]), (0, 0), "schema -53"),
        (9, ([(0, 1)], [1]), (0, 0), "schema 9"),
        (0, ([(0, 2)], [1]), (0, 0), "hold 2 buckets"),
        (0, ([(0, 2)], [1, -1]), (0, 0), "counts"),
        (0, ([(0, 1)], [math.nan]), (0, 0), "counts"),
        (0, ([(0, 1)], [1]), (-1, 0), "zero bucket"),
        (0, ([(0, 1)], [1]), (1, math.inf), "zero bucket"),
    ],
)
def test_broken_histograms_are_refused(schema, positive, zero, message):
    """Unknown schemas, spans that do not fit, counts that are none."""
    with pytest.raises(ValueError, match=message):
        native_histogram(schema, positive, zero=zero)


@pytest.mark.parametrize(
    ("buckets", "message"),
    [
        ([(0, 0.1, 0.25, 3)], "no standard schema"),
        ([(0, 1.0, math.inf, 3)], "no standard schema"),
        ([(0, 1.0, 2.0, 3), (0, 2.0, 2**1.5, 3)], "of schemas \\[0, 1\\]"),
        ([(3, -1, 1, 3), (3, -2, 2, 3)], "one zero bucket"),
    ],
)
def test_bounds_of_no_schema_are_refused(buckets, message):
    """Custom buckets, and those of several histograms at once."""
    with pytest.raises(ValueError, match=message):
        from_api(buckets)


def test_one_histogram_at_least():
    """Of none there are no buckets."""
    with pytest.raises(ValueError, match="at least one"):
        common_buckets([])


@given(VALUES, SCHEMAS)
@settings(deadline=None)
def test_the_api_form_says_the_same(values, schema):
    """Bounds give back schema and indexes, to the last bucket."""
    histogram = observed(values, schema)
    again = from_api(as_api(histogram))

    assert again.positive == histogram.positive
    assert again.negative == histogram.negative
    assert (again.count, again.zero_count) == (histogram.count, histogram.zero_count)


@given(st.lists(st.tuples(VALUES, SCHEMAS, st.sampled_from([0.0, 1e-6, 0.3])), min_size=1, max_size=4))
@settings(deadline=None)
def test_common_buckets_hold_what_was_observed(pods):
    """Whatever schemas and zero buckets: the values at or below each bound are counted there, none lost."""
    bounds, counts = common_buckets([observed(*pod) for pod in pods])

    assert (np.diff(bounds[:-1]) > 0).all()
    for (values, _, _), row in zip(pods, np.cumsum(counts, axis=1), strict=True):
        # Bounds below zero belong to the bucket above them.
        expected = [sum(v < b if b < 0 else v <= b for v in values) for b in bounds]
        assert row.tolist() == expected


@given(VALUES, st.integers(-3, 8))
@settings(deadline=None)
def test_coarsening_is_observing_coarsely(values, schema):
    """Half the resolution afterwards, or from the start."""
    assert observed(values, schema).coarsened(schema - 1) == observed(values, schema - 1)


def test_native_histograms_are_ranked_like_their_values():
    """Fine buckets give θ, its error and the scale of the raw latencies."""
    rng = np.random.default_rng(1)
    baseline, canary = 0.08 * np.exp(0.6 * rng.normal(size=3000)), 0.11 * np.exp(0.6 * rng.normal(size=800))
    bounds, counts = common_buckets([observed(baseline, 8), observed(canary, 5)])
    found = compare_histograms(*counts, bounds, tolerance=0.2)
    raw = mann_whitney(baseline, canary, tolerance=0.2)

    assert found.theta == pytest.approx(raw.theta, abs=0.002)
    assert found.standard_error == pytest.approx(raw.standard_error, rel=0.01)
    assert found.scale == pytest.approx(np.median(np.divide.outer(canary, baseline)), rel=0.01)


@pytest.mark.simulation
def test_a_native_canary_just_as_slow_as_allowed_fails_as_often_as_promised():
    """Slower by the tolerance, at schemas 3 and 2: about 5 % at a nominal 5 %."""
    rng, runs, failed = np.random.default_rng(2), 400, 0
    for _ in range(runs):
        baseline, canary = np.exp(0.6 * rng.normal(size=800)), 1.2 * np.exp(0.6 * rng.normal(size=200))
        bounds, counts = common_buckets([observed(baseline, 3), observed(canary, 2)])
        failed += compare_histograms(*counts, bounds, tolerance=0.2).p_value <= 0.05

    assert 0.02 < failed / runs < 0.085
