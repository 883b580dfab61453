"""Recordings: written, read, and asked like a Prometheus or a backend of traces."""

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
    Recording,
    ReplaySettings,
    ReplaySource,
    begun_at,
    read_recording,
    write_recording,
)
from firedamp.tracing import Call, Root, Sought, Trace, Visit

SOUGHT = Sought(("checkout",))


def recorded(name: str = "up", begin: float = 100.0, number: int = 10, **labels: str) -> Recorded:
    return Recorded(name, labels, begin + 15.0 * np.arange(number), np.arange(number, dtype=float))


def trace(number: int = 1, at: float = 100.0, service: str = "checkout") -> Trace:
    """A flow whose end is well and beneath which something failed."""
    pod = {"service.name": service, "k8s.pod.name": "checkout-1"}
    return Trace(
        f"{number:032x}",
        at,
        Root("gateway", "POST /orders", "POST", 0.25, failed=False, code="200"),
        (Visit(at + 0.01, 0.2, "POST /orders", pod, failed=False, code="200"),),
        (Call(at + 0.008, 0.21, True, ("checkout", "checkout.shop"), "10.0.0.1", failed=False, code="200"),),
        failed_below=True,
        links=(f"{7:032x}",),
        probability=0.5,
    )


def span(begin: float, *ends: float) -> Span:
    return Span(begin, ends, 60.0, 5.0)


async def pods(source: ReplaySource, text: str) -> list[str]:
    samples = await source.samples(Counted(selector(text)), (), span(0, 1000))
    return [one.labels["pod"] for one in samples.series]


# Asking.


async def test_samples_are_those_of_the_span():
    """(begin, end]: nothing of the left edge, nothing later than the end."""
    source = ReplaySource(Recording([recorded(pod="a")]))

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
    source = ReplaySource(Recording([recorded(pod=pod) for pod in ("a", "b", "ab")]))

    assert await pods(source, text) == wanted


async def test_a_cohort_narrows_a_selector():
    """Cohort matchers are added to the check's own."""
    source = ReplaySource(Recording([recorded(pod="a", code="500"), recorded(pod="b", code="500")]))

    samples = await source.samples(
        Counted(selector('up{code="500"}')), (Matcher("pod", Op.EQUAL, "b"),), span(0, 1000)
    )

    assert [one.labels["pod"] for one in samples.series] == ["b"]


async def test_a_level_is_the_last_sample_not_older_than_five_minutes():
    """As PromQL takes an instant value."""
    source = ReplaySource(Recording([recorded(pod="a")]))  # last sample at 235
    need, cohort = Level(Expression("up{$cohort}")), (Matcher("pod", Op.EQUAL, "a"),)

    samples = await source.samples(need, cohort, span(0, 90, 120, 534, 535))

    assert [one.times.tolist() for one in samples.series] == [[120.0, 534.0]]
    assert [one.values.tolist() for one in samples.series] == [[1.0, 9.0]]


async def test_a_stale_level_has_no_value():
    """NaN ends a series."""
    ended = Recorded("up", {"pod": "a"}, np.array([100.0, 115.0]), np.array([1.0, math.nan]))

    samples = await ReplaySource(Recording([ended])).samples(Level(Expression("up")), (), span(0, 110, 120))

    assert [one.times.tolist() for one in samples.series] == [[110.0]]


async def test_increases_are_added_up_by_pod_and_block():
    """All series of a pod together; what a counter counted after it began again is not lost."""
    again = Recorded("up", {"pod": "a"}, np.array([100.0, 160.0, 220.0]), np.array([5.0, 7.0, 3.0]))
    source = ReplaySource(
        Recording([recorded(pod="a", code="200"), again, recorded(pod="b", begin=200.0, number=2)])
    )
    samples = await source.samples(Increase(selector("up")), (), span(100, 160.0, 220.0))
    told = {one.labels["pod"]: dict(zip(one.times, one.values, strict=True)) for one in samples.series}

    assert told == {"a": {160.0: 4.0 + 2.0, 220.0: 4.0 + 3.0}, "b": {220.0: 1.0}}


async def test_increases_in_all_are_one_sum():
    """Whatever pod they are of, without a label."""
    source = ReplaySource(Recording([recorded(pod="a"), recorded(pod="b", begin=200.0, number=2)]))
    samples = await source.samples(Increase(selector("up"), per_pod=False), (), span(100, 160.0, 220.0))

    assert [(one.labels, one.values.tolist()) for one in samples.series] == [({}, [4.0, 4.0 + 1.0])]


@pytest.mark.parametrize("text", ["sum(up)", "rate(up[5m])", "up / 2", "up{pod"])
async def test_an_expression_is_refused(text):
    """A recording evaluates nothing; it says so instead of guessing."""
    with pytest.raises(SourceRefusedError, match="can only be asked for a plain selector"):
        await ReplaySource(Recording([recorded()])).samples(Level(Expression(text)), (), span(0, 100))


async def test_a_broken_regular_expression_is_refused():
    """As a server would."""
    with pytest.raises(SourceRefusedError, match="no regular expression"):
        await pods(ReplaySource(Recording([recorded(pod="a")])), 'up{pod=~"("}')


async def test_process_start_times_come_with_the_samples():
    """Recorded start times tell when pods began and were scraped."""
    start = Recorded("process_start_time_seconds", {"pod": "a"}, np.array([100.0]), np.array([42.0]))
    source = ReplaySource(Recording([recorded(pod="a"), start]))

    samples = await source.samples(Counted(selector("up")), (), span(0, 1000))

    assert samples.starts == {"a": 42.0}
    assert [one.times.tolist() for one in samples.beside] == [[100.0]]
    assert await source.start_times((), span(0, 1000)) == {"a": 42.0}


# Asking for traces.


async def test_traces_are_those_that_began_in_the_time_asked_for():
    """[begin, end), in the order of their starts, whatever the order in which they were recorded."""
    source = ReplaySource(Recording(traces=[trace(number, at) for number, at in enumerate((30, 10, 20, 9))]))

    told = await source.traces(SOUGHT, 10, 30, 5.0)

    assert [one.start for one in told.found] == [10, 20]
    assert told.doubt == ""


async def test_traces_of_another_service_are_not_served():
    """They were recorded as one service saw them; those that nobody answered may be anybody's."""
    silent = Trace(f"{9:032x}", 11.0)
    source = ReplaySource(Recording(traces=[trace(at=10.0, service="search"), silent]))

    assert (await source.traces(SOUGHT, 0, 100, 5.0)).found == [silent]


async def test_a_recording_without_traces_says_so():
    """Nothing recorded is not the same as no traffic."""
    with pytest.raises(
        SourceRefusedError, match=r"holds no traces; name another source under traces\.source"
    ):
        await ReplaySource(Recording([recorded()])).traces(SOUGHT, 0, 100, 5.0)


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

    write_recording(path, Recording(series))

    found = read_recording(path).series
    assert [(one.name, one.labels) for one in found] == [("up", one.labels) for one in series]
    for one, other in zip(series, found, strict=True):
        np.testing.assert_array_equal(one.times, other.times)
        np.testing.assert_array_equal(one.values, other.values)


def test_the_same_series_give_the_same_file(tmp_path: Path):
    """A recording can be kept under version control."""
    recording = Recording([recorded(pod="a")], [trace()])

    write_recording(tmp_path / "one.gz", recording)
    write_recording(tmp_path / "other.gz", recording)

    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "other.gz").read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"firedamp_recording": 3}',
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


SECONDS = st.integers(0, 10**12).map(lambda us: us / 10**6)
TEXTS = st.text(max_size=8)
PODS = st.dictionaries(TEXTS, TEXTS, max_size=3)
IDS = st.integers(0, 2**128 - 1).map("{:032x}".format)
TRACES = st.builds(
    Trace,
    IDS,
    SECONDS,
    st.none() | st.builds(Root, TEXTS, TEXTS, TEXTS, SECONDS, st.booleans(), TEXTS),
    st.lists(st.builds(Visit, SECONDS, SECONDS, TEXTS, PODS, st.booleans(), TEXTS), max_size=2).map(tuple),
    st.lists(
        st.builds(
            Call,
            *(SECONDS, SECONDS, st.booleans()),
            *(st.lists(TEXTS, max_size=2).map(tuple), TEXTS, st.booleans(), TEXTS),
        ),
        max_size=2,
    ).map(tuple),
    st.booleans(),
    st.lists(IDS, max_size=2).map(tuple),
    st.none() | st.floats(0.001, 1),
)


@given(st.lists(TRACES, max_size=3), st.sampled_from(["r.jsonl", "r.jsonl.gz"]))
def test_traces_that_are_written_are_read_back(tmp_path_factory, traces, name):
    """Whole, with times to the microsecond, beside the series."""
    path = tmp_path_factory.mktemp("recordings") / name

    write_recording(path, Recording([recorded()], traces))

    found = read_recording(path)
    assert len(found.series) == 1
    assert found.traces == traces


def test_a_recording_without_traces_of_an_older_version_is_read(tmp_path: Path):
    """Its first line counts nothing."""
    path = tmp_path / "old.jsonl"
    path.write_bytes(
        b'{"firedamp_recording":1}\n'
        b'{"name":"up","labels":{"pod":"a"},"times":[1000,500],"values":[1.0,null]}\n'
    )

    found = read_recording(path)

    assert [(one.name, one.labels, one.times.tolist()) for one in found.series] == [
        ("up", {"pod": "a"}, [1.0, 1.5])
    ]
    assert found.traces == []


def lines(*traces: str, head: str = '{"firedamp_recording":2,"series":0,"traces":1}') -> bytes:
    return "\n".join([head, *traces, ""]).encode()


WHOLE = f'["{1:032x}",1.5,null,[],[],false,[],null]'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lines(), "its 0 lines are not the 0 series and 1 traces"),
        (lines(WHOLE, WHOLE), "its 2 lines are not"),
        (lines(WHOLE, head='{"firedamp_recording":2,"series":1,"traces":0}'), "Expected `object`"),
        (lines(WHOLE, head='{"firedamp_recording":2,"series":-1,"traces":2}'), ">= 0"),
        (lines(WHOLE, head='{"firedamp_recording":2,"traces":1}'), "missing required field `series`"),
        (
            lines(WHOLE, head='{"firedamp_recording":2,"series":0,"traces":1,"more":1}'),
            "unknown field `more`",
        ),
        (lines(WHOLE.replace("1.5", '"soon"')), "Expected `float`"),
        (lines(WHOLE.replace("1.5", "1e999")), "out of range"),
        (lines(WHOLE.replace("01", "0x")), "matching regex"),
        (lines(WHOLE.replace("null]", "0]")), "> 0.0"),
        (lines(WHOLE.replace("null]", "null,1]")), "at most length 8"),
        (lines(WHOLE.replace(",null]", "]")), "at least length 8"),
        (lines(WHOLE.replace("null,[]", '["gateway","a","a",-1,false,""],[]')), ">= 0.0"),
        (lines(WHOLE.replace("[],[]", '[[0,1,"a",{"pod":1},false,""]],[]')), "Expected `str`"),
    ],
)
def test_a_trace_that_is_none_is_refused(tmp_path: Path, body, said):
    """What is there and what is missing, by its place."""
    path = tmp_path / "broken.jsonl"
    path.write_bytes(body)

    with pytest.raises(SourceRefusedError, match=rf"broken\.jsonl is no recording of firedamp: .*{said}"):
        read_recording(path)


@pytest.mark.parametrize("name", ["large.jsonl", "large.jsonl.gz"])
def test_a_recording_that_is_too_large_is_refused(tmp_path: Path, name):
    """Unpacked: a few bytes can be made into many."""
    write_recording(tmp_path / name, Recording([recorded()]))

    with pytest.raises(SourceRefusedError, match="it has more than 100 bytes; cut it into shorter ones"):
        read_recording(tmp_path / name, largest=100)


def test_a_broken_archive_is_refused(tmp_path: Path):
    """As it comes from a download that was mixed up."""
    path = tmp_path / "mixed.jsonl.gz"
    whole = gzip.compress(b"[" * 100)
    path.write_bytes(whole[:12] + b"\xff" * 8 + whole[20:])

    with pytest.raises(SourceRefusedError, match=r"mixed\.jsonl\.gz is no recording"):
        read_recording(path)


def test_a_cut_file_is_refused(tmp_path: Path):
    """A download that broke off is not half a recording."""
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"firedamp_recording": 1}).encode())[:-10])

    with pytest.raises(SourceRefusedError, match=r"cut\.jsonl\.gz is no recording"):
        read_recording(path)


async def test_a_recording_can_be_played_at_another_time(tmp_path: Path):
    """Its first sample lies where the settings say; process start times and traces move along."""
    path = tmp_path / "shop.jsonl.gz"
    start = Recorded("process_start_time_seconds", {"pod": "a"}, np.array([100.0]), np.array([42.0]))
    write_recording(path, Recording([recorded(pod="a"), start], [trace(at=160.0)]))

    source = ReplaySource.of(ReplaySettings(name="past", path=path, begin=1000.0, lag=1.0))

    async with source:
        samples = await source.samples(Counted(selector("up")), (), span(0, 1015))
        traces = await source.traces(SOUGHT, 1060, 1061, 5.0)
    assert [one.times.tolist() for one in samples.series] == [[1000.0, 1015.0]]
    assert samples.starts == {"a": 942.0}
    assert traces.found == [trace(at=1060.0)]
    assert source.lag_seconds == 1.0


def test_an_empty_recording_stays_empty():
    """There is nothing to move."""
    assert begun_at(Recording(), 1000.0) == Recording([], [])


def test_traces_alone_are_moved_by_the_first_of_them():
    """A recording may hold no metrics."""
    moved = begun_at(Recording(traces=[trace(at=7.5), trace(at=5.5)]), 1000.0)

    assert moved.traces == [trace(at=1002.0), trace(at=1000.0)]
