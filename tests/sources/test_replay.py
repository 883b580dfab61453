"""Recordings: written, read, and asked like a Prometheus."""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.errors import SourceRefusedError
from firedamp.ports import Span
from firedamp.queries import Counted, Expression, Increase, Level, Matcher, Op, selector
from firedamp.sources.replay import (
    Recorded,
    ReplaySettings,
    ReplaySource,
    begun_at,
    read_recording,
    write_recording,
)


def recorded(name: str = "up", begin: float = 100.0, number: int = 10, **labels: str) -> Recorded:
    return Recorded(name, labels, begin + 15.0 * np.arange(number), np.arange(number, dtype=float))


def span(begin: float, *ends: float) -> Span:
    return Span(begin, ends, 60.0, 5.0)


async def pods(source: ReplaySource, text: str) -> list[str]:
    samples = await source.samples(Counted(selector(text)), (), span(0, 1000))
    return [one.labels["pod"] for one in samples.series]


# Asking.


async def test_samples_are_those_of_the_span():
    """(begin, end]: nothing of the left edge, nothing later than the end."""
    source = ReplaySource([recorded(pod="a")])

    samples = await source.samples(Counted(selector("up")), (), span(115, 145))

    assert [one.times.tolist() for one in samples.series] == [[130.0, 145.0]]
    assert [one.values.tolist() for one in samples.series] == [[2.0, 3.0]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("up", ["a", "b", "ab"]),
        ('up{pod="a"}', ["a"]),
        ('up{pod!="a"}', ["b", "ab"]),
        ('up{pod=~"a.*"}', ["a", "ab"]),
        ('up{pod=~"a"}', ["a"]),
        ('up{pod!~"a.*"}', ["b"]),
        ('up{zone=""}', ["a", "b", "ab"]),
        ('up{zone!=""}', []),
        ('up{pod=~"a.*",pod!="a"}', ["ab"]),
        ("down", []),
    ],
)
async def test_matchers_match_as_in_promql(text, wanted):
    """Regular expressions match whole values, and a missing label is empty."""
    source = ReplaySource([recorded(pod=pod) for pod in ("a", "b", "ab")])

    assert await pods(source, text) == wanted


async def test_a_cohort_narrows_a_selector():
    """Cohort matchers are added to the check's own."""
    source = ReplaySource([recorded(pod="a", code="500"), recorded(pod="b", code="500")])

    samples = await source.samples(
        Counted(selector('up{code="500"}')), (Matcher("pod", Op.EQUAL, "b"),), span(0, 1000)
    )

    assert [one.labels["pod"] for one in samples.series] == ["b"]


async def test_a_level_is_the_last_sample_not_older_than_five_minutes():
    """As PromQL takes an instant value."""
    source = ReplaySource([recorded(pod="a")])  # last sample at 235
    need, cohort = Level(Expression("up{$cohort}")), (Matcher("pod", Op.EQUAL, "a"),)

    samples = await source.samples(need, cohort, span(0, 90, 120, 534, 535))

    assert [one.times.tolist() for one in samples.series] == [[120.0, 534.0]]
    assert [one.values.tolist() for one in samples.series] == [[1.0, 9.0]]


async def test_a_stale_level_has_no_value():
    """NaN ends a series."""
    ended = Recorded("up", {"pod": "a"}, np.array([100.0, 115.0]), np.array([1.0, math.nan]))

    samples = await ReplaySource([ended]).samples(Level(Expression("up")), (), span(0, 110, 120))

    assert [one.times.tolist() for one in samples.series] == [[110.0]]


async def test_increases_are_added_up_by_pod_and_block():
    """All series of a pod together; what a counter counted after it began again is not lost."""
    again = Recorded("up", {"pod": "a"}, np.array([100.0, 160.0, 220.0]), np.array([5.0, 7.0, 3.0]))
    source = ReplaySource([recorded(pod="a", code="200"), again, recorded(pod="b", begin=200.0, number=2)])
    samples = await source.samples(Increase(selector("up")), (), span(100, 160.0, 220.0))
    told = {one.labels["pod"]: dict(zip(one.times, one.values, strict=True)) for one in samples.series}

    assert told == {"a": {160.0: 4.0 + 2.0, 220.0: 4.0 + 3.0}, "b": {220.0: 1.0}}


async def test_increases_in_all_are_one_sum():
    """Whatever pod they are of, without a label."""
    source = ReplaySource([recorded(pod="a"), recorded(pod="b", begin=200.0, number=2)])
    samples = await source.samples(Increase(selector("up"), per_pod=False), (), span(100, 160.0, 220.0))

    assert [(one.labels, one.values.tolist()) for one in samples.series] == [({}, [4.0, 4.0 + 1.0])]


@pytest.mark.parametrize("text", ["sum(up)", "rate(up[5m])", "up / 2", "up{pod"])
async def test_an_expression_is_refused(text):
    """A recording evaluates nothing; it says so instead of guessing."""
    with pytest.raises(SourceRefusedError, match="can only be asked for a plain selector"):
        await ReplaySource([recorded()]).samples(Level(Expression(text)), (), span(0, 100))


async def test_a_broken_regular_expression_is_refused():
    """As a server would."""
    with pytest.raises(SourceRefusedError, match="no regular expression"):
        await pods(ReplaySource([recorded(pod="a")]), 'up{pod=~"("}')


async def test_process_start_times_come_with_the_samples():
    """Recorded start times tell when pods began and were scraped."""
    start = Recorded("process_start_time_seconds", {"pod": "a"}, np.array([100.0]), np.array([42.0]))
    source = ReplaySource([recorded(pod="a"), start])

    samples = await source.samples(Counted(selector("up")), (), span(0, 1000))

    assert samples.starts == {"a": 42.0}
    assert [one.times.tolist() for one in samples.beside] == [[100.0]]
    assert await source.start_times((), span(0, 1000)) == {"a": 42.0}


# Files.


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
            st.lists(st.integers(0, 10**12), unique=True, max_size=8).map(sorted),
            st.lists(st.floats(allow_infinity=False), min_size=8, max_size=8),
        ),
        max_size=4,
    ),
    st.sampled_from(["r.jsonl", "r.jsonl.gz"]),
)
def test_what_is_written_is_read_back(tmp_path_factory, given_series, name):
    """Labels, values and times to the millisecond, NaN included."""
    path = tmp_path_factory.mktemp("recordings") / name
    series = [
        Recorded("up", labels, np.array(ms, dtype=float) / 1000, np.array(values[: len(ms)]))
        for labels, ms, values in given_series
    ]

    write_recording(path, series)

    found = read_recording(path)
    assert [(one.name, one.labels) for one in found] == [("up", one.labels) for one in series]
    for one, other in zip(series, found, strict=True):
        np.testing.assert_array_equal(one.times, other.times)
        np.testing.assert_array_equal(one.values, other.values)


def test_the_same_series_give_the_same_file(tmp_path: Path):
    """A recording can be kept under version control."""
    write_recording(tmp_path / "one.gz", [recorded(pod="a")])
    write_recording(tmp_path / "other.gz", [recorded(pod="a")])

    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "other.gz").read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"firedamp_recording": 2}',
        b'{"other": 1}',
        b'{"firedamp_recording": 1}\n{"name": "up"}',
        b'{"firedamp_recording": 1}\n{"name": "up", "labels": {}, "times": [1, 2], "values": [1]}',
    ],
)
def test_anything_else_is_refused(tmp_path: Path, body):
    """With the path, so that a person knows which file."""
    path = tmp_path / "broken.jsonl"
    path.write_bytes(body)

    with pytest.raises(SourceRefusedError, match=r"broken\.jsonl is"):
        read_recording(path)


def test_a_cut_file_is_refused(tmp_path: Path):
    """A download that broke off is not half a recording."""
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"firedamp_recording": 1}).encode())[:-10])

    with pytest.raises(SourceRefusedError, match=r"cut\.jsonl\.gz is no recording"):
        read_recording(path)


async def test_a_recording_can_be_played_at_another_time(tmp_path: Path):
    """Its first sample lies where the settings say; process start times move along."""
    path = tmp_path / "shop.jsonl.gz"
    start = Recorded("process_start_time_seconds", {"pod": "a"}, np.array([100.0]), np.array([42.0]))
    write_recording(path, [recorded(pod="a"), start])

    source = ReplaySource.of(ReplaySettings(name="past", path=path, begin=1000.0, lag=1.0))

    async with source:
        samples = await source.samples(Counted(selector("up")), (), span(0, 1015))
    assert [one.times.tolist() for one in samples.series] == [[1000.0, 1015.0]]
    assert samples.starts == {"a": 942.0}
    assert source.lag_seconds == 1.0


def test_an_empty_recording_stays_empty():
    """There is nothing to move."""
    assert begun_at([], 1000.0) == []
