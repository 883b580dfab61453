"""
Frozen values as bytes and back, exactly: what a snapshot of a session is made of.

Numbers come back with the bits they had, arrays with their type and their layout in memory besides, since a
sum's last digit depends on it; mappings in their order. What occurs twice is written once, and is one object
again afterwards. What the reader has anyway, such as the parameters, is referred to.

Bytes name no class and nothing is imported or called for them: classes are numbered within a closed set,
which follows from annotations, and values are put back into their fields as they were.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import chain
from operator import attrgetter
from typing import Any, cast, get_args, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

# Raised with every change to how nodes are written.
_FORMAT = 1
# A node is a plain value or a list: one of these, or a class's number beyond them, and then what is in it.
_SHARED, _AGAIN, _TUPLE, _SET, _MAPPING, _ROWS, _MEMBER, _ARRAY, _NUMBER = range(9)
_FIRST_CLASS = 9
_PLAIN = frozenset({type(None), bool, int, float, str})
# Booleans, whole numbers, floats: nothing that refers to objects.
_NUMBERS = frozenset("biuf")
_FLOAT = "<f8"
# An array's memory is at most so many times its numbers.
_SPARSEST = 64
_UNREADABLE = (
    msgspec.MsgspecError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)

Node = Any
Keys = tuple[object, ...]


class UnfitError(ValueError):
    """The bytes are none of this kind of value, or the value cannot be put into bytes."""


class Kinds:
    """
    The classes that a value of some class may be made of: all that its annotations lead to.

    Attributes:
        shape: digest of their names, fields and annotations; other classes, other bytes.
    """

    def __init__(self, *roots: object) -> None:
        found = sorted(_reached(roots), key=lambda kind: (kind.__module__, kind.__qualname__))
        self.classes = [_Class(kind) for kind in found if is_dataclass(kind)]
        self.members = [one for kind in found if issubclass(kind, Enum) for one in kind]
        self.numbers = {one.kind: number for number, one in enumerate(self.classes, _FIRST_CLASS)}
        told = repr((_FORMAT, [(kind.__module__, kind.__qualname__, _told(kind)) for kind in found]))
        self.shape = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def encode(self, value: object, shared: Iterable[object] = ()) -> bytes:
        """
        The value as bytes.

        Args:
            value: made of these classes, tuples, sets, mappings, arrays and plain values.
            shared: objects that are referred to by their place among these.

        Raises:
            UnfitError: something in it is nothing of the kind.
        """
        try:
            return msgspec.msgpack.encode(_Writer(self, shared).node(value))
        except (OverflowError, RecursionError, UnicodeError) as error:
            raise UnfitError(f"the value cannot be written: {error}") from error

    def decode(self, packed: bytes, shared: Iterable[object] = ()) -> object:
        """
        The value that was written, made of these shared objects where it referred to them.

        Raises:
            UnfitError: the bytes are damaged.
        """
        try:
            return _Reader(self, shared).value(msgspec.msgpack.decode(packed))
        except _UNREADABLE as error:
            raise UnfitError(f"the value cannot be read: {error}") from error


class _Class:
    """A dataclass, taken apart field by field, and put together as it was."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self._names = tuple(field.name for field in fields(kind))
        self._get = attrgetter(*self._names) if self._names else None

    def values(self, value: object) -> Sequence[object]:
        if self._get is None:
            return ()
        return self._get(value) if len(self._names) > 1 else (self._get(value),)

    def made(self, values: Sequence[object]) -> object:
        """Whatever its making checks or derives was done the first time."""
        made: object = object.__new__(self.kind)
        for name, value in zip(self._names, values, strict=True):
            object.__setattr__(made, name, value)
        return made


class _Writer:
    """Takes values apart into nodes; identical objects, and equal names of pods, once."""

    def __init__(self, kinds: Kinds, shared: Iterable[object]) -> None:
        self._kinds = kinds
        self._seen: dict[int, Node] = {id(one): [_MEMBER, place] for place, one in enumerate(kinds.members)}
        self._seen |= {id(one): [_SHARED, place] for place, one in enumerate(shared)}
        self._written = 0
        self._names: dict[Keys, Keys] = {}
        self._alive: list[Keys] = []
        self._takes: dict[type, Callable[[Any], Node]] = {
            tuple: lambda value: [_TUPLE, *map(self.node, value)],
            frozenset: lambda value: [_SET, *map(self.node, value)],
            dict: self._mapping,
            np.ndarray: _array,
        }

    def node(self, value: object) -> Node:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if (seen := self._seen.get(id(value))) is not None:
            return seen
        if kind is tuple and (known := self._known(cast(Keys, value))) is not value:
            return self.node(known)
        node = self._taken(value, kind)
        self._seen[id(value)] = [_AGAIN, self._written]
        self._written += 1
        return node

    def _taken(self, value: object, kind: type) -> Node:
        if (take := self._takes.get(kind)) is not None:
            return take(value)
        if (number := self._kinds.numbers.get(kind)) is not None:
            return [number, *map(self.node, self._kinds.classes[number - _FIRST_CLASS].values(value))]
        if isinstance(value, np.generic):
            return [_NUMBER, _kept(value.dtype), value.tobytes()]
        raise UnfitError(f"{kind.__qualname__} is nothing that can be written")

    def _mapping(self, value: Mapping[object, object]) -> Node:
        keys, values = tuple(value), tuple(value.values())
        self._alive.append(keys)  # or another tuple could get its id
        if (width := _width(values)) is None:
            return [_MAPPING, self.node(keys), *map(self.node, values)]
        return [_ROWS, self.node(keys), width, np.array(values, _FLOAT).T.tobytes()]

    def _known(self, names: Keys) -> Keys:
        # A member of an enumeration may equal a text, so only texts are looked up by what they are.
        return self._names.setdefault(names, names) if {*map(type, names)} <= {str} else names


class _Reader:
    """Puts nodes together again; they are counted as the writer counted them."""

    def __init__(self, kinds: Kinds, shared: Iterable[object]) -> None:
        self._classes, self._read = kinds.classes, list[object]()
        there: dict[int, Sequence[object]] = {
            _MEMBER: kinds.members,
            _SHARED: list(shared),
            _AGAIN: self._read,
        }
        self._there = there
        self._makes: dict[int, Callable[[list[Node]], object]] = {
            _TUPLE: lambda node: tuple(self._values(node)),
            _SET: lambda node: frozenset(self._values(node)),
            _MAPPING: self._mapping,
            _ROWS: self._rows,
            _ARRAY: lambda node: _laid_out(*node[1:]),
            _NUMBER: lambda node: _numbers(*node[1:])[0],
        }

    def value(self, node: Node) -> object:
        if type(node) is not list:
            return node
        kind = node[0]
        if (there := self._there.get(kind)) is not None:
            return there[node[1]]
        if (make := self._makes.get(kind)) is not None:
            made = make(node)
        else:
            made = self._classes[kind - _FIRST_CLASS].made(self._values(node))
        self._read.append(made)
        return made

    def _values(self, node: list[Node]) -> list[object]:
        value = self.value
        return [value(each) if type(each) is list else each for each in node[1:]]

    def _mapping(self, node: list[Node]) -> object:
        keys, *values = self._values(node)
        return dict(zip(cast(Keys, keys), values, strict=True))

    def _rows(self, node: list[Node]) -> object:
        keys, (width, data) = self.value(node[1]), node[2:]
        columns = _numbers(_FLOAT, data).reshape(width, -1).tolist()
        return dict(zip(cast(Keys, keys), zip(*columns, strict=True), strict=True))


def _width(values: tuple[object, ...]) -> int | None:
    """Numbers in each row of a table of floats; None where it is no such table."""
    if {*map(type, values)} != {tuple}:
        return None
    rows = cast(tuple[tuple[object, ...], ...], values)
    widths = {*map(len, rows)}
    return widths.pop() if len(widths) == 1 and {*map(type, chain(*rows))} == {float} else None


def _array(value: NDArray[Any]) -> Node:
    _reach(value, value.strides)
    return [_ARRAY, _kept(value.dtype), value.tobytes(), value.shape, value.strides]


def _kept(kind: np.dtype[Any]) -> str:
    if kind.kind not in _NUMBERS:
        raise UnfitError(f"{kind} is no type of numbers")
    return kind.str


def _numbers(kind: str, data: bytes) -> NDArray[Any]:
    return np.frombuffer(data, _kept(np.dtype(kind)))


def _laid_out(kind: str, data: bytes, shape: list[int], strides: list[int]) -> NDArray[Any]:
    """An array of its own memory, with gaps and order as they were."""
    values = _numbers(kind, data).reshape(shape)
    if values.strides == (*strides,) or not values.size:
        return values.copy()
    made = np.ndarray(shape, values.dtype, bytearray(_reach(values, strides)), strides=strides)
    made[...] = values
    return made


def _reach(values: NDArray[Any], strides: Sequence[int]) -> int:
    """Bytes that the values take when laid out so."""
    if any(stride < 0 for stride in strides):
        raise UnfitError("an array that runs backwards cannot be laid out again")
    steps = ((size - 1) * stride for size, stride in zip(values.shape, strides, strict=True))
    reach = values.itemsize + sum(steps) if values.size else 0
    if reach > _SPARSEST * values.nbytes:
        raise UnfitError("the array is mostly gaps")
    return reach


def _reached(hints: Iterable[object]) -> set[type]:
    """Dataclasses and enumerations that annotations lead to, with their own."""
    found, left = set[type](), [*hints]
    while left:
        hint = left.pop()
        left += get_args(hint)
        if isinstance(hint, type) and hint not in found and (is_dataclass(hint) or issubclass(hint, Enum)):
            found.add(hint)
            left += _annotations(hint).values() if is_dataclass(hint) else ()
    return found


def _annotations(kind: type) -> Mapping[str, object]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _told(kind: type) -> object:
    if is_dataclass(kind):
        return [(name, str(hint)) for name, hint in _annotations(kind).items()]
    return [one.name for one in cast(type[Enum], kind)]
