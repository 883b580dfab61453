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
from collections.abc import Sequence

_NONE = 0
_NATURAL = 1  # 0 ≤ n < 2**53, written as it is
_DECIMAL = 2  # _DECIMAL + k stands for m / 10**k with a signed m
_PLACES = 6
_DOUBLE = _DECIMAL + _PLACES + 1
_LARGEST = 2.0**53  # whole doubles beyond it are sparse: eight bytes serve them better
_WORTHWHILE = 2**34  # a decimal with more digits is no shorter than a double
_TOO_EARLY = "it ends too early"


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

    Streams are taken apart as wholes and not value by value: a page of a release reads a hundred thousand
    values, and a call for each would be most of its time.

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
        lengths, texts, references, self._kinds, digits = parts
        known = [None, *_split(texts, _varints(lengths))]
        self._words = [known[number] for number in _varints(references)]
        self._values = _values(self._kinds, _varints(digits), _from_planes(body[start:]))
        self._word = self._value = 0

    def word(self) -> str | None:
        self._word += 1
        try:
            return self._words[self._word - 1]
        except IndexError:
            raise ValueError(_TOO_EARLY) from None

    def text(self) -> str:
        word = self.word()
        if word is None:
            raise ValueError("a word is missing")
        return word

    def words(self, count: int) -> list[str | None]:
        begin, self._word = self._word, self._word + count
        if self._word > len(self._words):
            raise ValueError(_TOO_EARLY)
        return self._words[begin : self._word]

    def integer(self) -> int | None:
        at, self._value = self._value, self._value + 1
        if self._value > len(self._kinds):
            raise ValueError(_TOO_EARLY)
        if self._kinds[at] > _DECIMAL:
            raise ValueError("a whole number was expected")
        return self._values[at]  # type: ignore[return-value]  # its kind says that it is whole

    def count(self) -> int:
        value = self.integer()
        if value is None:
            raise ValueError("a whole number is missing")
        return value

    def numbers(self, count: int) -> list[float | None]:
        return [None if value is None else float(value) for value in self._taken(count)]

    def number(self) -> float | None:
        return self.numbers(1)[0]

    def values(self, count: int) -> tuple[float, ...]:
        """So many numbers, none of which is missing."""
        try:
            return tuple(map(float, self._taken(count)))  # type: ignore[arg-type]  # None is caught
        except TypeError:
            raise ValueError("a number is missing") from None

    def value(self) -> float:
        return self.values(1)[0]

    def _taken(self, count: int) -> list[float | None]:
        begin, self._value = self._value, self._value + count
        if self._value > len(self._values):
            raise ValueError(_TOO_EARLY)
        return self._values[begin : self._value]


def _values(kinds: bytes, digits: list[int], doubles: Sequence[float]) -> list[float | None]:
    """All numbers; those that may be integers stay whole, however large they are."""
    digit, double = iter(digits), iter(doubles)
    found: list[float | None] = []
    try:
        for kind in kinds:
            if kind == _NATURAL:
                found.append(next(digit))
            elif kind == _NONE:
                found.append(None)
            elif kind == _DOUBLE:
                found.append(next(double))
            else:
                whole = _unzigzag(next(digit))
                found.append(whole if kind == _DECIMAL else whole / 10.0 ** (kind - _DECIMAL))
    except StopIteration:
        raise ValueError(_TOO_EARLY) from None
    return found


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


def _varints(body: bytes) -> list[int]:
    if body.isascii():  # all of them are short
        return list(body)
    found, value, shift = [], 0, 0
    for byte in body:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    if shift:
        raise ValueError(_TOO_EARLY)
    return found


def _split(texts: bytes, lengths: Sequence[int]) -> list[str]:
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
