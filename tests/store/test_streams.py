"""Packed streams: what goes in comes out, small, and nothing else comes out."""

from collections.abc import Callable

import pytest

from firedamp.store.streams import Reader, Writer


def size(*numbers: float) -> int:
    writer = Writer()
    for number in numbers:
        writer.number(number)
    return len(writer.done())


@pytest.mark.parametrize(
    ("number", "expected"), [(0.0, 2), (127.0, 2), (128.0, 3), (16383.0, 3), (0.25, 2), (-1.0, 2), (1 / 3, 9)]
)
def test_plain_numbers_are_short(number: float, expected: int):
    """A count costs a byte per 7 bits and its kind, a short decimal no more, any other double 8 bytes."""
    assert size(number) - size() == expected


def test_a_word_is_written_once():
    """The second use of a word costs one byte."""
    once, twice = Writer(), Writer()
    once.word("checkout-7d9f8b6c5d-x2k4q")
    for _ in range(2):
        twice.word("checkout-7d9f8b6c5d-x2k4q")

    assert len(twice.done()) == len(once.done()) + 1


def reader_of(*values: float | None) -> Reader:
    writer = Writer()
    for value in values:
        writer.number(value)
    return Reader(writer.done())


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        (Reader.value, (None,)),
        (Reader.count, (None,)),
        (Reader.integer, (0.5,)),
        (Reader.integer, (1 / 3,)),
        (Reader.number, ()),
        (Reader.word, ()),
    ],
)
def test_asking_for_something_else_is_an_error(asked: Callable[[Reader], object], written: tuple):
    """A reader that is asked for what was not written says so and never makes a value up."""
    with pytest.raises(ValueError, match=r"missing|expected|too early"):
        asked(reader_of(*written))


def test_a_missing_word_is_no_text():
    """Where a text must stand, None is damage."""
    writer = Writer()
    writer.word(None)

    with pytest.raises(ValueError, match="missing"):
        Reader(writer.done()).text()


def test_a_cut_double_is_an_error():
    """Bytes that are no whole number of doubles are refused."""
    writer = Writer()
    writer.number(1 / 3)

    with pytest.raises(ValueError, match="cut off"):
        Reader(writer.done()[:-1])


def test_a_whole_number_comes_back_whole_however_large():
    """No double could hold it."""
    writer = Writer()
    writer.integer(2**70 + 1)
    writer.integer(-(2**70) - 1)
    reader = Reader(writer.done())

    assert (reader.integer(), reader.integer()) == (2**70 + 1, -(2**70) - 1)


@pytest.mark.parametrize(("written", "asked"), [((1.0, None), 2), ((1.0,), 2)])
def test_numbers_that_are_asked_for_at_once_are_all_there(written: tuple, asked: int):
    """None among them, or too few of them, is damage."""
    with pytest.raises(ValueError, match=r"missing|too early"):
        reader_of(*written).values(asked)
