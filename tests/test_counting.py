"""Counting: what is booked where, and what is never invented or lost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firedamp.counting import Count, Memory, Samples, Series, count, levels, one_replica
from firedamp.model import Block, TroubleKind

STEP = 15.0


def series(values: Sequence[float], begin: float = 0.0, step: float = STEP, **labels: str) -> Series:
    times = begin + step * np.arange(len(values))
    return Series({"pod": "a", **labels}, times, np.array(values, dtype=float))


def at(times: Sequence[float], values: Sequence[float], **labels: str) -> Series:
    return Series({"pod": "a", **labels}, np.array(times, dtype=float), np.array(values, dtype=float))


def blocks(*edges: float) -> list[Block]:
    return [Block(index, begin, end) for index, (begin, end) in enumerate(pairwise(edges))]


def counted(
    *given_series: Series,
    edges: Sequence[float] = (30, 60),
    memory: Memory | None = None,
    starts: Mapping[str, float] | None = None,
    keep_le: bool = False,
    beside: Sequence[Series] = (),
    summed: bool = False,
) -> Count:
    samples = Samples(given_series, beside=tuple(beside), summed=summed)
    return count(samples, blocks(*edges), memory, pod_label="pod", keep_le=keep_le, starts=starts or {})


def kinds(result: Count, block: int = 0) -> list[TroubleKind]:
    return [trouble.kind for trouble in result.troubles[block]]


# What is booked where.


def test_an_increase_is_booked_whole_at_its_later_sample():
    """What was counted between the last sample before a block and the first in it is the block's."""
    result = counted(series([0, 1, 3, 7, 20]), edges=(29, 60))

    assert result.rows == ({"a": (20.0 - 1.0,)},)


def test_a_sample_at_the_left_edge_is_a_predecessor():
    """Blocks are (start, end]: a sample at the start belongs to the block before."""
    result = counted(series([0, 1, 3, 7, 20]), edges=(30, 60))

    assert result.rows == ({"a": (17.0,)},)


def test_series_of_one_pod_are_added_up():
    """Routes and codes are labels of the series, not of the pod."""
    result = counted(series([0, 1, 2, 3, 4], code="200"), series([0, 2, 4, 6, 8], code="500"))

    assert result.rows == ({"a": (2.0 + 4.0,)},)


def test_samples_after_the_last_block_are_left_alone():
    """No look may see a sample later than itself, whatever the source delivers."""
    result = counted(series([0, 1, 2, 3, 4, 500, 600]))

    assert result.rows == ({"a": (2.0,)},)


def test_a_pod_that_counted_nothing_has_a_row_of_zeros():
    """Silence is told apart from absence."""
    result = counted(series([5, 5, 5, 5, 5]))

    assert result.rows == ({"a": (0.0,)},)


def test_a_pod_that_was_not_scraped_has_no_row():
    """A pod that vanished before the block is absent, not silent."""
    result = counted(series([5, 6]), series([0, 0, 0, 0, 0], pod="b"))

    assert set(result.rows[0]) == {"b"}


def test_nothing_at_all_is_an_empty_block():
    """An empty answer makes empty rows, with and without buckets."""
    assert counted().rows == ({},)
    assert counted(keep_le=True).bounds == ()


def test_stale_and_nan_samples_are_dropped():
    """A staleness marker is NaN; the counter goes on behind it."""
    result = counted(series([0, 1, 2, np.nan, 4]))

    assert result.rows == ({"a": (2.0,)},)


# Beginnings.


def test_when_nothing_was_ever_scraped_counting_begins_with_the_first_sample():
    """A source that has just started shows old counters: their history is not ours."""
    result = counted(series([900, 901, 903], begin=31), edges=(30, 90))

    assert result.rows == ({"a": (3.0,)},)


def test_a_pod_whose_process_began_within_the_look_back_counts_from_zero():
    """What a new pod counted before its first scrape is its own."""
    result = counted(series([7, 8], begin=40), starts={"a": 33.0})

    assert result.rows == ({"a": (8.0,)},)


def test_a_pod_whose_process_is_old_counts_from_its_first_sample():
    """A pod new to this source, though old, brings no history."""
    old = series([700, 701], begin=40)
    others = series([0] * 21, begin=-255, pod="b")

    result = counted(old, others, starts={"a": -86400.0})

    assert result.rows[0]["a"] == (1.0,)


def test_a_pod_absent_while_others_were_scraped_counts_from_zero():
    """Without a process start time the others show that it was not there."""
    result = counted(series([7, 8], begin=40), series([0] * 21, begin=-255, pod="b"))

    assert result.rows[0]["a"] == (8.0,)


def test_pods_found_in_one_round_of_scraping_are_no_beginners():
    """A source that starts scrapes its targets over one interval; the second is no younger than the first."""
    result = counted(series([100, 101], begin=32), series([500, 501], begin=45, pod="b"), edges=(30, 70))

    assert result.rows == ({"a": (1.0,), "b": (1.0,)},)


def test_others_may_be_known_from_another_cohort():
    """A source known to have been scraping shows that the first pod of a canary is new."""
    memory = Memory.watching(since=-270.0, last=28.0)

    result = counted(series([7, 8], begin=40), memory=memory)

    assert result.rows == ({"a": (8.0,)},)


def test_a_new_series_of_a_known_pod_counts_from_zero():
    """The first 500 of a pod that has been scraped for a while is one error, not none."""
    result = counted(series([0, 1, 2, 3, 4], code="200"), series([1], begin=45, code="500"))

    assert result.rows == ({"a": (2.0 + 1.0,)},)


def test_a_first_error_counts_where_totals_show_that_the_pod_was_scraped():
    """A selector of errors alone never saw the pod; the series beside it did."""
    first_error = series([1], begin=45, code="500")
    totals = series([0, 10, 20, 30, 40])

    result = counted(first_error, beside=[totals])

    assert result.rows == ({"a": (1.0,)},)


def test_pods_beside_are_silent_rather_than_absent():
    """A pod with totals and without errors has a row of zero errors."""
    result = counted(beside=[series([0, 10, 20, 30, 40])])

    assert result.rows == ({"a": (0.0,)},)


def test_a_pod_that_reappears_counts_from_its_first_sample():
    """Nothing is booked for a jump over a gap longer than the look-back."""
    memory = counted(series([0, 1, 2]), series([0] * 3, pod="b"), edges=(0, 30)).memory
    others = series([0] * 28, begin=45, pod="b")

    result = counted(series([5000, 5001], begin=430), others, edges=(30, 460), memory=memory)

    assert result.rows[0]["a"] == (1.0,)


def test_a_known_pod_behind_another_instance_brings_no_history():
    """kube-state-metrics on a new node shows old restarts under new labels: none is new."""
    before = series([5, 5, 5], instance="node1")
    after = series([5, 5], begin=45, instance="node2")

    result = counted(before, after)

    assert result.rows == ({"a": (0.0,)},)


def test_a_pod_seen_only_long_ago_is_not_new():
    """Pods are remembered for good, so a long outage of one is not taken for its birth."""
    memory = counted(series([0, 1, 2]), edges=(0, 30)).memory
    later = counted(series([0] * 60, begin=45, pod="b"), edges=(30, 930), memory=memory).memory

    result = counted(
        series([7000, 7001], begin=935),
        series([0, 0], begin=935, pod="b"),
        edges=(930, 960),
        memory=later,
    )

    assert result.rows[0]["a"] == (1.0,)


# Resets, gaps, doubles.


def test_a_reset_counts_from_zero_and_is_told():
    """A counter below its predecessor began again."""
    result = counted(series([10, 20, 30, 4, 6]))

    assert result.rows == ({"a": (6.0,)},)
    assert result.troubles[0][0].text == "counters of pod a began again at zero"
    assert kinds(result) == [TroubleKind.RESET]


def test_a_missed_scrape_is_told_and_loses_nothing():
    """The increase over a gap is booked when the next sample shows it."""
    result = counted(at([0, 15, 30, 75, 90], [0, 1, 2, 9, 10]), edges=(30, 60, 90))

    assert result.rows == ({}, {"a": (8.0,)})
    assert kinds(result, 0) == []
    assert kinds(result, 1) == [TroubleKind.GAP]
    assert result.troubles[1][0].text == "pod a was not scraped for 45 s, usually every 15 s"


def test_a_gap_between_two_looks_is_told():
    """The scrape interval is remembered, so one late sample is enough to see the gap."""
    memory = counted(series([0, 1, 2, 3, 4]), edges=(0, 60)).memory

    result = counted(at([90], [7]), edges=(60, 90), memory=memory)

    assert result.rows == ({"a": (3.0,)},)
    assert kinds(result) == [TroubleKind.GAP]


def test_a_second_replica_with_a_skewed_clock_resets_nothing():
    """Its sample 5 s after ours may be older than ours; it is too close to be a scrape of its own."""
    memory = counted(series([100, 110, 120]), edges=(0, 30)).memory

    result = counted(at([35, 50], [118, 128]), memory=memory)

    assert result.rows == ({"a": (8.0,)},)
    assert kinds(result) == []


def test_two_replicas_visible_as_two_series_are_one():
    """Of the same series from two replicas the one with more samples is kept, without its name."""
    whole = series([0, 1, 2, 3, 4], prometheus_replica="0")
    broken = series([0, 1], prometheus_replica="1")

    kept = one_replica([broken, whole], ["prometheus_replica"])

    assert [(one.labels, len(one.times)) for one in kept] == [({"pod": "a"}, 5)]


def test_a_missing_pod_label_is_told():
    """Without the label all series are one nameless pod."""
    bare = Series({}, np.array([15.0, 30, 45]), np.array([0.0, 1, 2]))

    result = counted(bare)

    assert result.rows == ({"": (1.0,)},)
    assert kinds(result) == [TroubleKind.NO_POD_LABEL]


# Buckets.


def test_buckets_are_told_apart_by_their_bounds():
    """A row has one column per bound, each without what lies below."""
    result = counted(
        series([0, 0, 0, 2, 4], le="0.1"),
        series([0, 0, 0, 5, 9], le="1.0"),
        series([0, 0, 0, 5, 10], le="+Inf"),
        keep_le=True,
    )

    assert result.bounds == (0.1, 1.0, float("inf"))
    assert result.rows == ({"a": (4.0, 5.0, 1.0)},)


def test_a_bucket_that_trails_the_one_below_is_clipped():
    """A scrape torn between two buckets makes no negative count and no count twice."""
    result = counted(
        series([0, 0, 0, 5, 10], le="0.1"),
        series([0, 0, 0, 5, 8], le="1"),
        series([0, 0, 0, 5, 12], le="+Inf"),
        keep_le=True,
    )

    assert result.rows == ({"a": (10.0, 0.0, 2.0)},)


def test_a_pod_without_a_bound_counts_in_the_next_one():
    """Pods with other bounds share one table of all bounds."""
    result = counted(
        series([0, 0, 0, 1, 2], le="0.5"),
        series([0, 0, 0, 1, 3], le="+Inf"),
        series([0, 0, 0, 4, 4], pod="b", le="+Inf"),
        keep_le=True,
    )

    assert result.bounds == (0.5, float("inf"))
    assert result.rows == ({"a": (2.0, 1.0), "b": (0.0, 4.0)},)


@pytest.mark.parametrize("bound", ["", "fast", "nan", "1_0"])
def test_a_series_without_a_readable_bound_is_no_bucket(bound):
    """What is no bucket counts nothing, instead of breaking the look."""
    result = counted(series([0, 0, 0, 1, 2], le=bound), series([0, 0, 0, 1, 3], le="+Inf"), keep_le=True)

    assert result.bounds == (float("inf"),)
    assert result.rows == ({"a": (3.0,)},)


# Sums made at the server.


def test_a_summed_answer_brings_its_own_predecessors():
    """Memory's last values are not mixed with sums, which may have been mended since."""
    memory = counted(series([0, 1000, 2000], begin=0), edges=(0, 30)).memory

    result = counted(at([30, 60], [40, 47]), memory=memory, summed=True)

    assert result.rows == ({"a": (7.0,)},)
    assert kinds(result) == []


def test_raw_series_after_sums_begin_anew():
    """Where an answer is raw again, each series only begins: no history is booked."""
    memory = counted(at([0, 30], [40, 47]), edges=(0, 30), summed=True).memory

    result = counted(series([500, 501], begin=45, code="200"), memory=memory, starts={"a": 40.0})

    assert result.rows == ({"a": (1.0,)},)


# Levels.


def test_a_level_is_the_last_value_in_the_block():
    """Blocks take values at their ends; a block without a value has no row."""
    memory_bytes = at([30, 60], [7, 9])

    result = levels(Samples((memory_bytes,)), blocks(0, 30, 60, 90), pod_label="pod")

    assert result.rows == ({"a": (7.0,)}, {"a": (9.0,)}, {})


def test_several_series_of_one_pod_are_averaged_and_told():
    """A sum would be wrong of every ratio."""
    samples = Samples((at([30], [2], container="app"), at([30], [4], container="proxy")))

    result = levels(samples, blocks(0, 30), pod_label="pod")

    assert result.rows == ({"a": (3.0,)},)
    assert "2 series of pod a are averaged" in result.troubles[0][0].text


def test_a_level_without_pods_is_one_value():
    """An expression may leave no pod label; NaN is no value."""
    total = Series({}, np.array([30.0]), np.array([0.5]))
    nothing = Series({}, np.array([60.0]), np.array([np.nan]))

    result = levels(Samples((total, nothing)), blocks(0, 30, 60), pod_label="pod")

    assert result.rows == ({"": (0.5,)}, {})
    assert result.troubles == ((), ())


# Properties.

JITTER = 1.0


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Series], dict[str, float]]:
    """
    Pods scraped each 15 s with jitter, missed scrapes, resets, births, deaths and late routes.

    Each pod's first twelve scrapes are whole, so that its scrape interval can be learnt.
    """
    found, starts = [], {}
    for pod in ("a", "b", "c")[: draw(st.integers(1, 3))]:
        begin = draw(st.integers(0, 40))
        life = draw(st.integers(12, 60))
        scrapes = [
            (begin + at) * STEP + draw(st.floats(0, JITTER))
            for at in range(life)
            if begin + at < 60 and (at < 12 or draw(st.integers(0, 9)) > 0)
        ]
        if draw(st.booleans()):
            starts[pod] = draw(st.sampled_from([begin * STEP - 5, -1e6]))
        for route in range(draw(st.integers(1, 2))):
            late = draw(st.integers(0, len(scrapes))) if route else 0
            times = scrapes[late:]
            steps = draw(st.lists(st.integers(-3, 9), min_size=len(times), max_size=len(times)))
            values = _walk(draw(st.integers(0, 1000)), steps)
            found.append(Series({"pod": pod, "route": str(route)}, np.array(times), np.array(values)))
    return found, starts


def _walk(value: int, steps: Sequence[int]) -> list[float]:
    values = []
    for step in steps:
        value = step + 3 if step < 0 else value + step  # a negative step is a restart
        values.append(float(value))
    return values


EDGES = [300 + 30 * at for at in range(21)]


def total(result: Count, pod: str) -> float:
    return sum(row[pod][0] for row in result.rows if pod in row)


@settings(max_examples=150, deadline=None)
@given(histories())
def test_cutting_into_blocks_loses_and_invents_nothing(history):
    """The blocks' increases add up to the increase of the whole span."""
    found, starts = history
    whole = counted(*found, edges=(EDGES[0], EDGES[-1]), starts=starts)

    fine = counted(*found, edges=EDGES, starts=starts)

    assert {pod: total(fine, pod) for pod in "abc"} == {pod: total(whole, pod) for pod in "abc"}


@settings(max_examples=150, deadline=None)
@given(histories(), st.lists(st.integers(1, 5), min_size=20, max_size=20))
def test_looking_often_is_looking_once(history, strides):
    """Samples fed look by look, each with what is new, give the rows and troubles of one feed."""
    found, starts = history
    once = counted(*found, edges=EDGES, starts=starts)

    rows, troubles, memory, begin = [], [], None, 0
    for stride in strides:
        edges = EDGES[begin : begin + stride + 1]
        if len(edges) < 2:
            break
        since = -np.inf if memory is None else edges[0]
        result = counted(*within(found, since, edges[-1]), edges=edges, memory=memory, starts=starts)
        rows += result.rows
        troubles += result.troubles
        memory, begin = result.memory, begin + stride

    assert rows == list(once.rows)
    assert [[one.kind for one in some] for some in troubles] == [
        [one.kind for one in some] for some in once.troubles
    ]


@settings(max_examples=150, deadline=None)
@given(histories(), st.floats(0.01, 3.0))
def test_a_second_delivery_changes_nothing(history, skew):
    """Samples delivered again, also by a replica with a skewed clock, count once."""
    found, starts = history
    once = counted(*found, edges=EDGES, starts=starts)
    echoes = [
        replace(one, times=np.sort([*one.times, *(one.times + skew)]), values=np.repeat(one.values, 2))
        for one in found
    ]

    again = counted(*found, *found, edges=EDGES, starts=starts)
    echoed = counted(*echoes, edges=EDGES, starts=starts)

    assert again.rows == once.rows
    assert echoed.rows == once.rows


@settings(max_examples=150, deadline=None)
@given(histories())
def test_what_was_counted_is_not_counted_again(history):
    """A look fed with all of the past again books nothing of it."""
    found, starts = history
    first = counted(*within(found, -np.inf, EDGES[10]), edges=EDGES[:11], starts=starts)

    new = counted(*within(found, EDGES[10], EDGES[-1]), edges=EDGES[10:], memory=first.memory, starts=starts)
    old_and_new = counted(*found, edges=EDGES[10:], memory=first.memory, starts=starts)

    assert old_and_new.rows == new.rows


@settings(max_examples=100, deadline=None)
@given(histories())
@example(([], {}))
def test_nothing_is_ever_negative(history):
    """Whatever resets, a count is a count."""
    found, starts = history

    result = counted(*found, edges=EDGES, starts=starts)

    assert all(value >= 0 for rows in result.rows for row in rows.values() for value in row)


def within(found: Sequence[Series], since: float, until: float) -> list[Series]:
    taken = []
    for one in found:
        inside = (one.times > since) & (one.times <= until)
        if inside.any():
            taken.append(replace(one, times=one.times[inside], values=one.values[inside]))
    return taken
