"""Frozen values as bytes: the very same come back, and nothing else is taken for them."""

import math
import pickle
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from exactly import same
from firedamp.decision.frozen import Kinds, UnfitError


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    LARGE = 1


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    value: object
    leaves: tuple[Leaf, ...] = ()
    colour: Colour | None = None
    above: "Tree | None" = None
    sizes: Mapping[Size, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    least: int

    def __post_init__(self) -> None:
        raise AssertionError("nothing is made anew")


@dataclass(frozen=True, slots=True)
class Empty:
    pass


KINDS = Kinds(Tree, Checked, Empty)
FLOATS = st.floats(allow_nan=True) | st.sampled_from([-0.0, math.inf, 5e-324])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | FLOATS | TEXTS
NUMBERS = st.sampled_from(["<f8", "<f4", "<i8", "u1", "?", ">f8"]).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
KEYS = TEXTS | st.sampled_from(Colour) | st.tuples(TEXTS, TEXTS)
ROWS = st.integers(0, 3).flatmap(
    lambda width: st.dictionaries(TEXTS, st.tuples(*[FLOATS] * width), max_size=4)
)


def laid(array: NDArray) -> st.SearchStrategy[NDArray]:
    """The same numbers, laid out in memory in one way or another."""
    gaps = np.zeros((*array.shape, 2), array.dtype)
    gaps[..., 0] = array
    return st.sampled_from([array, array.T, np.asfortranarray(array), gaps[..., 0]])


LEAVES = PLAIN | NUMBERS.flatmap(laid) | ROWS | st.sampled_from([*Colour, *Size, Empty(), np.float64(0.1)])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.frozensets(TEXTS | st.sampled_from(Colour), max_size=3)
        | st.builds(Tree, inner, st.tuples(st.builds(Leaf, TEXTS)), st.sampled_from(Colour))
    ),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_comes_back(value):
    """Types, bits, order and layout in memory."""
    assert same(KINDS.decode(KINDS.encode(value)), value)


def test_one_object_is_one_object_again():
    """What two fields share is written once."""
    leaf, array = Leaf("a"), np.zeros(1000)
    packed = KINDS.encode((leaf, array, (leaf, array), array))
    first, zeros, (second, others), _ = KINDS.decode(packed)

    assert first is second
    assert zeros is others
    assert len(packed) < 2 * array.nbytes


def test_names_of_pods_are_written_once():
    """Each mapping of the same pods costs its numbers alone."""
    pods = [f"checkout-{number:060}" for number in range(20)]
    one, ten = (KINDS.encode(tuple(dict.fromkeys(pods, (1.0, 2.0)) for _ in range(n))) for n in (1, 10))

    assert len(ten) - len(one) < 9 * (20 * 2 * 8 + 30)


def test_texts_that_equal_a_member_stay_texts():
    """Names found again by what they are are texts all of them."""
    value = ({"red": 1}, {Colour.RED: 1}, ("red",), (Colour.RED,))

    assert same(KINDS.decode(KINDS.encode(value)), value)


def test_shared_objects_are_referred_to():
    """They are not written, and the reader's own stand in their place."""
    there, here = object(), object()
    packed = KINDS.encode(Tree((there, there)), [Leaf(), there])
    tree = KINDS.decode(packed, [Leaf(), here])

    assert tree.value == (here, here)


def test_nothing_is_made_anew():
    """Fields are put back as they were, without the class's own making."""
    checked = object.__new__(Checked)
    object.__setattr__(checked, "least", 3)

    assert KINDS.decode(KINDS.encode(checked)).least == 3


@pytest.mark.parametrize(
    "value",
    [
        [1],
        {1, 2},
        object(),
        Kinds,
        st,
        lambda: None,
        2**70,
        "\ud800",
        np.array([object()]),
        np.arange(3)[::-1],
        np.datetime64("2026-11-21"),
        type("Leaf", (), {})(),
    ],
)
def test_what_is_of_no_kind_is_refused(value):
    """Lists, functions, classes, foreign objects, numbers beyond 64 bits, half characters."""
    with pytest.raises(UnfitError):
        KINDS.encode(Tree((value,)))


def test_an_array_of_gaps_takes_no_memory():
    """A few numbers of a large one would bring all of its memory back."""
    sparse = np.zeros((2, 1000))[:, :1]

    with pytest.raises(UnfitError, match="mostly gaps"):
        KINDS.encode(sparse)


def test_a_value_without_end_is_refused():
    """What is nested too deeply is an error, not the end of the process."""
    value: tuple[object, ...] = ()
    for _ in range(10_000):
        value = (value, 1)

    with pytest.raises(UnfitError):
        KINDS.encode(value)


@given(VALUES, st.data())
def test_damaged_bytes_are_refused_or_another_value(value, data):
    """No other error comes out, whatever the bytes say."""
    packed = bytearray(KINDS.encode(Tree(value)))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] = data.draw(st.integers(0, 255))

    end = data.draw(st.integers(place, len(packed)))

    with suppress(UnfitError):
        KINDS.decode(bytes(packed[:end]))


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_a_value(packed):
    """Nothing runs for them, and no other error comes out."""
    with suppress(UnfitError):
        KINDS.decode(packed)


def test_pickles_are_no_values():
    """What another codec would obey means nothing here."""
    with pytest.raises(UnfitError):
        KINDS.decode(pickle.dumps(Leaf("a")))


def test_the_shape_tells_classes_apart():
    """Another field, annotation, member or class makes another digest; the same ones the same."""

    def shape(**hints: object) -> str:
        made = type("Made", (), {"__annotations__": hints, "__module__": __name__})
        return Kinds(dataclass(frozen=True)(made)).shape

    shapes = [shape(), shape(a=int), shape(a=float), shape(b=int), shape(a=int, b=int), shape(a=Leaf)]

    assert len(set(shapes)) == len(shapes)
    assert shape(a=int) == shape(a=int)
