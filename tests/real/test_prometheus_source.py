"""Our source against real Prometheus servers: what it counts, and where PromQL would count otherwise."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from firedamp.counting import Count, Memory, Samples, count
from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.model import Block, TroubleKind
from firedamp.ports import Span
from firedamp.queries import Counted, Expression, Level, Matcher, Op, Selector, literal, selector
from firedamp.sources.prometheus import PrometheusSettings, PrometheusSource
from firedamp.sources.sync import SyncPrometheus
from real.prometheus import BINARIES, Given, RealPrometheus

pytestmark = pytest.mark.real

BEGIN = time.time() // 3600 * 3600 - 4 * 3600
OPENS = BEGIN + 600  # first block of the releases below
STEP = 15.0

NASTY = [
    "plain-5d8f-x7k2p",
    'quote"',
    "apostrophe'",
    "back\\slash",
    "line\nbreak",
    "carriage\rreturn",
    "tab\t",
    'closing"} or vector(1) #',
    "a|b",
    "a.*",
    "a(b)[c]{d}^$+?",
    "`back`tick`",
    "grüße-中文-🐤",
    "$canary",
    "\\",
    '\\"',
]


def scraped(name: str, values: Sequence[float], begin: float, **labels: str) -> Given:
    """A series scraped each 15 s from `begin` on."""
    return name, {"pod": "a", **labels}, [begin + STEP * at for at in range(len(values))], values


def history() -> Iterator[Given]:
    """Small stories, one metric each."""
    # A pod begins at 603 s, has counted 7 when first scraped at 612 s, then 9, then 12.
    yield scraped("young_total", [7, 9, 12, 12, 12], OPENS + 12, pod="young")
    yield scraped("process_start_time_seconds", [OPENS + 3] * 5, OPENS + 12, pod="young")
    # One error between two scrapes, 5 s and 20 s into the block.
    yield scraped("single_total", [3] * 41 + [4] * 20, BEGIN + 5)
    # Scrapes exactly on the edges of blocks; each counts one more.
    yield scraped("edge_total", list(range(100)), BEGIN)
    yield scraped("memory_bytes", [100.0 + at for at in range(80)], BEGIN)
    for at, value in enumerate(NASTY):
        yield scraped("nasty_total", [at] * 4, OPENS, pod=value)


@pytest.fixture(scope="module", params=BINARIES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with RealPrometheus([*history(), *wide_history()], request.param) as prometheus:
        yield prometheus.url


def settings(url: str, **more: object) -> PrometheusSettings:
    return PrometheusSettings.model_validate({"name": "test", "url": url, **more})


def span(begin: float, *ends: float) -> Span:
    return Span(begin, ends, window_seconds=60, timeout_seconds=8)


async def counted(url: str, metric: str, *edges: float, pod: str = ".*", **more: object) -> Count:
    """Count a plain metric the way a release's first look does."""
    cohort = (Matcher("pod", Op.MATCH, pod),)
    async with PrometheusSource(settings(url, **more)) as source:
        samples = await source.samples(Counted(selector(metric)), cohort, span(edges[0] - 300, *edges[1:]))
    blocks = [Block(index, begin, end) for index, (begin, end) in enumerate(pairwise(edges))]
    return count(samples, blocks, None, pod_label="pod", keep_le=False, starts=samples.starts)


def asked(url: str, promql: str, at: float) -> list[float]:
    with SyncPrometheus(settings(url)) as prometheus:
        return [float(element["value"][1]) for element in prometheus.query(promql, at).result]


# Where PromQL's increase() counts otherwise.


async def test_increase_loses_what_a_new_pod_counted_before_its_first_scrape(url: str):
    """A pod counted 9 events in its first block; increase() sees 2 and stretches them to 4."""
    ours = await counted(url, "young_total", OPENS, OPENS + 30, pod="young")

    theirs = asked(url, "increase(young_total[30s])", OPENS + 30)

    assert ours.rows == ({"young": (9.0,)},)
    assert theirs == [pytest.approx(4.0)]


async def test_increase_stretches_one_event_to_two(url: str):
    """One error in a block is one; increase() extrapolates its 15 s between scrapes to the window's 30 s."""
    ours = await counted(url, "single_total", OPENS, OPENS + 30, pod="a")

    theirs = asked(url, "increase(single_total[30s])", OPENS + 30)

    assert ours.rows == ({"a": (1.0,)},)
    assert theirs == [pytest.approx(2.0)]


async def test_increases_of_neighbouring_blocks_add_up(url: str):
    """Forty scrapes on the blocks' edges count forty, whatever the server holds of a range's left edge."""
    edges = [OPENS + 30 * at for at in range(21)]

    ours = await counted(url, "edge_total", *edges)

    assert [rows["a"][0] for rows in ours.rows] == [2.0] * 20


# What is fetched.


async def test_a_range_has_no_sample_of_its_left_edge_and_none_after_its_end(url: str):
    """(begin, end] is the same with 2.x and 3.x, to the millisecond."""
    async with PrometheusSource(settings(url)) as source:
        samples = await source.samples(Counted(selector("edge_total")), (), span(OPENS, OPENS + 29.999))

    assert [one.times.tolist() for one in samples.series] == [[OPENS + 15]]


async def test_levels_are_taken_at_the_ends_of_blocks(url: str):
    """One value at each end, though the expression is evaluated once for all."""
    need = Level(Expression("memory_bytes{$cohort} / 2"))
    cohort = (Matcher("pod", Op.EQUAL, "a"),)

    async with PrometheusSource(settings(url)) as source:
        samples = await source.samples(need, cohort, span(OPENS, OPENS + 30, OPENS + 60, OPENS + 90))
        single = await source.samples(need, cohort, span(OPENS, OPENS + 30))

    assert [one.values.tolist() for one in samples.series] == [[71.0, 72.0, 73.0]]
    assert [one.values.tolist() for one in single.series] == [[71.0]]


async def test_blocks_of_unequal_length_have_their_levels_too(url: str):
    """Ends that no common step reaches are asked one by one."""
    need = Level(Expression("memory_bytes"))

    async with PrometheusSource(settings(url)) as source:
        samples = await source.samples(need, (), span(OPENS, OPENS + 30, OPENS + 75, OPENS + 90))

    assert [one.times.tolist() for one in samples.series] == [[OPENS + 30], [OPENS + 75], [OPENS + 90]]
    assert [one.values.tolist() for one in samples.series] == [[142.0], [145.0], [146.0]]


async def test_process_start_times_come_with_the_samples(url: str):
    """They tell a pod that has begun from one that was found; without the metric there are none."""
    async with PrometheusSource(settings(url)) as source:
        young = await source.start_times((Matcher("pod", Op.EQUAL, "young"),), span(OPENS, OPENS + 30))
        unknown = await source.start_times((Matcher("pod", Op.EQUAL, "ghost"),), span(OPENS, OPENS + 30))

    assert young == {"young": OPENS + 3}
    assert unknown == {}


@pytest.mark.parametrize("value", NASTY)
async def test_a_value_matches_itself_and_nothing_else(url: str, value: str):
    """Whatever a pod is called, both kinds of matcher select exactly its series."""
    exact = Matcher("pod", Op.EQUAL, value)
    pattern = Matcher("pod", Op.MATCH, literal(value))

    async with PrometheusSource(settings(url)) as source:
        need, around = Counted(Selector("nasty_total")), span(OPENS - 1, OPENS + 60)
        by_value = await source.samples(need, (exact,), around)
        by_pattern = await source.samples(need, (pattern,), around)

    assert [one.labels["pod"] for one in by_value.series] == [value]
    assert [one.labels["pod"] for one in by_pattern.series] == [value]


# What is refused.


async def test_a_wrong_expression_is_refused_in_prometheus_words(url: str):
    """The position of the fault is what a person needs."""
    async with PrometheusSource(settings(url)) as source:
        with pytest.raises(SourceRefusedError, match=r"source test: HTTP 400: .*parse error"):
            await source.samples(Level(Expression("sum(")), (), span(OPENS, OPENS + 30))


async def test_a_range_is_no_level(url: str):
    """An expression must give one value at an instant."""
    async with PrometheusSource(settings(url)) as source:
        with pytest.raises(SourceRefusedError, match="range vector"):
            await source.samples(Level(Expression("edge_total[1m]")), (), span(OPENS, OPENS + 30))


async def test_a_level_too_large_is_refused(url: str):
    """The size is capped while the answer comes, not after."""
    many = Level(Expression("wide_total"))
    ends = [OPENS + 30 * at for at in range(1, 200)]

    async with PrometheusSource(settings(url, max_response_bytes=10_000)) as source:
        with pytest.raises(SourceRefusedError, match="more than 10000 bytes"):
            await source.samples(many, (), span(OPENS, *ends))


async def test_a_counter_too_large_is_summed_instead(url: str):
    """When raw series do not fit after all, sums are asked for in the same look."""
    async with PrometheusSource(settings(url, max_response_bytes=10_000)) as source:
        samples = await source.samples(
            Counted(selector('wide_seconds_bucket{pod="steady"}'), keep_le=True),
            (),
            span(OPENS - 300, OPENS + 30),
        )

    assert samples.summed
    assert {one.labels["pod"] for one in samples.series} == {"steady"}


async def test_a_server_that_is_gone_is_down():
    """Nobody listens: asking again may help."""
    async with PrometheusSource(settings("http://127.0.0.1:9")) as source:
        with pytest.raises(SourceDownError, match="source test: cannot be reached"):
            await source.samples(Counted(selector("edge_total")), (), span(OPENS, OPENS + 30))


# Wide services.

ROUTES = 12
SCRAPES = 100


@dataclass(frozen=True, slots=True)
class Life:
    """Scrapes of a pod: first and last, at which one it restarts, and which routes end or begin when."""

    first: int = 0
    last: int = SCRAPES
    restart: int | None = None
    ends: Mapping[int, int] | None = None
    begins: Mapping[int, int] | None = None
    hidden: int | None = None  # at this scrape the quietest route alone begins again


LIVES = {
    "steady": Life(),
    "loses-routes": Life(ends={9: 50, 10: 57, 11: 57}),
    "gains-routes": Life(begins={3: 45, 4: 46}),
    "restarts": Life(restart=52),
    "born": Life(first=49),
    "dies": Life(last=55),
    "hides-a-reset": Life(hidden=51),
}


def wide_history() -> Iterator[Given]:
    """Pods of many routes, in which routes and pods come, go and begin again; scrapes are 15 s apart."""
    for offset, (pod, life) in enumerate(LIVES.items()):
        labels = {"pod": pod, "instance": f"{pod}:80"}
        seen = range(life.first, life.last)
        times = {at: BEGIN + STEP * at + offset for at in seen}
        born = {at: BEGIN + STEP * _birth(life, at) + offset - 4 for at in seen}
        yield "process_start_time_seconds", labels, list(times.values()), list(born.values())
        for route in range(ROUTES):
            at_these = [at for at in seen if _exposed(life, route, at)]
            values = [float(_value(life, route, at)) for at in at_these]
            routed = {**labels, "route": f"/{route}"}
            yield "wide_total", routed, [times[at] for at in at_these], values
            for le, part in (("0.1", 1), ("1", 2), ("+Inf", 3)):
                yield (
                    "wide_seconds_bucket",
                    {**routed, "le": le},
                    [times[at] for at in at_these],
                    [part * value for value in values],
                )


def _birth(life: Life, at: int) -> int:
    if life.restart is not None and at >= life.restart:
        return life.restart
    return life.first if life.first else -4000


def _exposed(life: Life, route: int, at: int) -> bool:
    restarted = life.restart is not None and life.restart <= at < life.restart + 4
    if restarted and route > 5:
        return False  # routes show up again when they are first used
    return (life.begins or {}).get(route, 0) <= at < (life.ends or {}).get(route, SCRAPES)


def _value(life: Life, route: int, at: int) -> int:
    begin = max(
        life.first, (life.begins or {}).get(route, 0), life.restart or 0 if at >= (life.restart or 0) else 0
    )
    if route == 0 and life.hidden is not None and at >= life.hidden:
        begin = life.hidden
    old = 0 if begin else 40
    return old + (route + 1) ** 2 * (at - begin) + 3


async def looks(source: PrometheusSource, need: Counted, number: int, again: float = 0.0) -> list[Count]:
    """Count block by block, each look with what is new, and `again` seconds of what is old."""
    found: list[Count] = []
    memory: Memory | None = None
    for at in range(number):
        start = OPENS + 30 * at
        begin = start - again if at else start - 300
        samples = await source.samples(need, (), span(begin, start + 30))
        found.append(
            count(
                samples,
                [Block(at, start, start + 30)],
                memory,
                pod_label="pod",
                keep_le=need.keep_le,
                starts=samples.starts,
            )
        )
        memory = found[-1].memory
    return found


@pytest.mark.parametrize(
    "need",
    [Counted(Selector("wide_total")), Counted(Selector("wide_seconds_bucket"), keep_le=True)],
    ids=["counter", "buckets"],
)
@pytest.mark.parametrize("again", [0.0, 30.0], ids=["what-is-new", "one-block-more"])
async def test_sums_count_exactly_what_raw_series_count(url: str, need: Counted, again: float):
    """Routes vanish and appear, pods are born, die and restart: each pod counts the same in each block."""
    async with (
        PrometheusSource(settings(url)) as raw,
        PrometheusSource(settings(url, max_series=50)) as wide,
    ):
        one_by_one, summed = await asyncio.gather(looks(raw, need, 24), looks(wide, need, 24, again))

    assert [found.rows for found in summed] == [found.rows for found in one_by_one]
    assert [resets(found) for found in summed] == [resets(found) for found in one_by_one]
    assert any(found.memory.summed for found in summed)
    assert not any(found.memory.summed for found in one_by_one)


def resets(found: Count) -> list[str]:
    return [one.text for one in found.troubles[0] if one.kind is TroubleKind.RESET]


async def test_sums_of_many_blocks_at_once_are_the_same_too(url: str):
    """A look that catches up on many blocks counts as many looks would."""
    edges = [OPENS + 30 * at for at in range(25)]

    raw = await counted(url, "wide_total", *edges)
    wide = await counted(url, "wide_total", *edges, max_series=100)

    assert wide.rows == raw.rows


async def test_plain_sums_would_be_mistaken(url: str):
    """A vanished route looks like a reset of its pod's sum, and a reset route like growth."""
    losing, hiding = 'sum(wide_total{pod="loses-routes"})', 'sum(wide_total{pod="hides-a-reset"})'
    gone = BEGIN + STEP * 49 + 1 + 300  # route 9 was last scraped five minutes before

    vanished = [asked(url, losing, gone + at)[0] for at in (-5, 5)]
    hidden = [asked(url, hiding, BEGIN + STEP * at + 6)[0] for at in (50, 51)]

    assert vanished[1] < vanished[0]
    assert hidden[1] > hidden[0]


async def test_a_wide_look_sends_a_fraction_of_the_bytes(url: str):
    """Sums of 12 routes take far less than the routes."""
    raw = await fetched(url, max_series=10_000)
    wide = await fetched(url, max_series=100)

    assert wide.summed
    assert not raw.summed
    assert wide.bytes_read < raw.bytes_read / 2


async def fetched(url: str, **more: object) -> Samples:
    async with PrometheusSource(settings(url, **more)) as source:
        samples = await source.samples(
            Counted(Selector("wide_seconds_bucket"), keep_le=True), (), span(OPENS - 300, OPENS + 30)
        )
        born = await source.samples(Counted(Selector("none_total")), (), span(OPENS - 300, OPENS + 30))
    return replace(samples, bytes_read=samples.bytes_read - born.bytes_read)


async def test_resets_of_too_many_series_are_told(url: str):
    """Where a restarted pod is too wide to be counted one by one, its sums are used and a warning says so."""
    need, start = Counted(Selector("wide_seconds_bucket"), keep_le=True), OPENS + 180  # scrape 52 follows

    async with PrometheusSource(settings(url, max_series=50, max_response_bytes=12_000)) as source:
        samples = await source.samples(need, (), span(start, start + 30))

    assert samples.summed
    assert samples.warnings == ("counters of restarts began again and are too many to count one by one",)


async def test_a_selector_stays_summed(url: str):
    """Raw series cannot go on where sums ended, so a narrower answer changes nothing."""
    need = Counted(Selector("wide_total", (Matcher("pod", Op.EQUAL, "steady"),)))
    async with PrometheusSource(settings(url, max_series=5)) as source:
        first = await source.samples(need, (), span(OPENS - 300, OPENS + 30))
        second = await source.samples(need, (), span(OPENS + 30, OPENS + 60))

    assert [first.summed, second.summed] == [True, True]
