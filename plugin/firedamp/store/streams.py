"""
Numbers and words as tightly packed streams: what a look is made of on disk.

Values of one kind go into one stream, because deflate packs like with like:

- words: every text once, referred to by its number (0 stands for None);
- kinds: one byte per number, saying how it is written; long runs cost next to nothing;
- digits: whole numbers and short decimals as variable-length integers, 7 bits a byte;
- doubles: all others bit for bit, first all highest bytes, then the next, since sign and exponent
  repeat where fractions do not.

Every float comes back with the bits it had, -0.0, infinities and NaN included.
"""

import math
import struct
from collections.abc import Iterator
from typing import TypeVar

_NONE = 0
_NATURAL = 1  # 0 ≤ n < 2**53, written as it is
_DECIMAL = 2  # _DECIMAL + k stands for m / 10**k with a signed m
_PLACES = 6
_DOUBLE = _DECIMAL + _PLACES + 1
_LARGEST = 2.0**53  # whole doubles beyond it are sparse: eight bytes serve them better
_WORTHWHILE = 2**34  # a decimal with more digits is no shorter than a double

Item = TypeVar("Item")


class Writer:
    """Takes values in the order in which a Reader will ask for them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._references = bytearray()
        self._kinds = bytearray()
        self._digits = bytearray()
        self._doubles: list[float] = []

    def word(self, text: str | None) -> None:
        if text is None:
            self._references.append(0)
            return
        number = self._numbers.setdefault(text, len(self._numbers) + 1)
        self._references += _varint(number)

    def integer(self, value: int | None) -> None:
        if value is None:
            self._kinds.append(_NONE)
        elif value >= 0:
            self._put(_NATURAL, value)
        else:
            self._put(_DECIMAL, _zigzag(value))

    def number(self, value: float | None) -> None:
        if value is None:
            self._kinds.append(_NONE)
        elif _is_natural(value):
            self._put(_NATURAL, int(value))
        elif (decimal := _decimal(value)) is not None:
            places, scaled = decimal
            self._put(_DECIMAL + places, _zigzag(scaled))
        else:
            self._kinds.append(_DOUBLE)
            self._doubles.append(value)

    def done(self) -> bytes:
        texts = [text.encode("utf-8", "surrogatepass") for text in self._numbers]
        lengths = b"".join(_varint(len(text)) for text in texts)
        parts = (lengths, b"".join(texts), bytes(self._references), bytes(self._kinds), bytes(self._digits))
        head = b"".join(_varint(len(part)) for part in parts)
        return head + b"".join(parts) + _planes(self._doubles)

    def _put(self, kind: int, digits: int) -> None:
        self._kinds.append(kind)
        self._digits += _varint(digits)


class Reader:
    """
    Gives back the values of a Writer, in the same order.

    Raises:
        ValueError, IndexError: the bytes are not what a Writer made.
    """

    def __init__(self, body: bytes) -> None:
        sizes, start = [], 0
        for _ in range(5):
            size, start = _read_varint(body, start)
            sizes.append(size)
        parts = []
        for size in sizes:
            parts.append(body[start : start + size])
            start += size
        lengths, texts, references, kinds, digits = parts
        self._words = _split(texts, _varints(lengths))
        self._references = _varints(references)
        self._kinds = iter(kinds)
        self._digits = _varints(digits)
        self._doubles = iter(_from_planes(body[start:]))

    def word(self) -> str | None:
        number = _next(self._references)
        return self._words[number - 1] if number else None

    def text(self) -> str:
        word = self.word()
        if word is None:
            raise ValueError("a word is missing")
        return word

    def integer(self) -> int | None:
        kind = _next(self._kinds)
        if kind == _NONE:
            return None
        if kind > _DECIMAL:
            raise ValueError("a whole number was expected")
        digits = _next(self._digits)
        return digits if kind == _NATURAL else _unzigzag(digits)

    def count(self) -> int:
        value = self.integer()
        if value is None:
            raise ValueError("a whole number is missing")
        return value

    def number(self) -> float | None:
        kind = _next(self._kinds)
        if kind == _NATURAL:
            return float(_next(self._digits))
        if kind == _NONE:
            return None
        if kind == _DOUBLE:
            return _next(self._doubles)
        return _unzigzag(_next(self._digits)) / 10.0 ** (kind - _DECIMAL)

    def value(self) -> float:
        number = self.number()
        if number is None:
            raise ValueError("a number is missing")
        return number


def _next(stream: Iterator[Item]) -> Item:
    for item in stream:
        return item
    raise ValueError("it ends too early")


def _is_natural(value: float) -> bool:
    return 0 <= value < _LARGEST and value == int(value) and math.copysign(1.0, value) > 0


def _decimal(value: float) -> tuple[int, int] | None:
    """Places and digits of a short decimal whose division gives exactly this double again."""
    if not abs(value) < _WORTHWHILE or value == 0:
        return None
    for places in range(_PLACES + 1):
        scaled = round(value * 10.0**places)
        if abs(scaled) < _WORTHWHILE and scaled / 10.0**places == value:
            return places, scaled
    return None


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _unzigzag(value: int) -> int:
    return value // 2 if value % 2 == 0 else -(value + 1) // 2


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def _read_varint(body: bytes, start: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[start]
        value |= (byte & 127) << shift
        start, shift = start + 1, shift + 7
        if byte < 128:
            return value, start


def _varints(body: bytes) -> Iterator[int]:
    start = 0
    while start < len(body):
        value, start = _read_varint(body, start)
        yield value


def _split(texts: bytes, lengths: Iterator[int]) -> list[str]:
    words, start = [], 0
    for length in lengths:
        words.append(texts[start : start + length].decode("utf-8", "surrogatepass"))
        start += length
    return words


def _planes(doubles: list[float]) -> bytes:
    rows = struct.pack(f">{len(doubles)}d", *doubles)
    return b"".join(rows[plane::8] for plane in range(8))


def _from_planes(body: bytes) -> tuple[float, ...]:
    count, rest = divmod(len(body), 8)
    if rest:
        raise ValueError("a double is cut off")
    rows = bytearray(len(body))
    for plane in range(8):
        rows[plane::8] = body[plane * count : (plane + 1) * count]
    return struct.unpack(f">{count}d", rows)
