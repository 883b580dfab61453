"""Which blocks sums are asked for: the wanted ones, wherever a span may begin."""

from firedamp.ports import Span
from firedamp.sources.prometheus.sums import Run, runs
from firedamp.sources.prometheus.wide import blocks


def span(begin: float, *ends: float) -> Span:
    return Span(begin, ends, 60.0, 5.0)


def test_a_first_look_begins_one_look_back_after_its_span():
    """The middle of the span might be a start too, and shows who had been scraped before."""
    start, edges = blocks(span(1000, 1330))

    assert start == 1_165_000
    assert edges == [1_165_000, 1_300_000, 1_330_000]


def test_a_later_look_begins_at_its_span_or_half_way():
    """Either the span is the block, or it brings the block before again."""
    start, edges = blocks(span(1000, 1060))

    assert start == 1_000_000
    assert edges == [1_000_000, 1_030_000, 1_060_000]


def test_several_blocks_tell_their_length():
    """The first one is as long as the others."""
    start, edges = blocks(span(1000, 1330, 1360))

    assert start == 1_300_000
    assert edges == [1_270_000, 1_300_000, 1_330_000, 1_360_000]


def test_blocks_of_one_length_are_asked_at_once():
    """A range query has one step; where the length changes another begins."""
    assert runs([0, 30, 60, 105, 150]) == [Run((0, 30, 60)), Run((60, 105, 150))]


def test_no_block_begins_before_the_span():
    """A later look at several blocks may have no room for an earlier one."""
    assert blocks(span(1000, 1030, 1060)) == (1_000_000, [1_000_000, 1_030_000, 1_060_000])
    assert blocks(span(1000, 1900)) == (1_300_000, [1_300_000, 1_450_000, 1_900_000])
