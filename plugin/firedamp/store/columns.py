"""
What our columns take and what they refuse, on SQLite and PostgreSQL alike.

PostgreSQL's text cannot hold NUL, and UTF-8 cannot hold lone surrogates; SQLite would take the first
and turn NaN into NULL. So that both behave the same:

- `Exact` text (names, identities, parameters) refuses NUL and lone surrogates, in questions too;
- `Prose` text (sentences, notes) replaces each of them by U+FFFD, for a sentence may not be lost;
- `Number` refuses NaN;
- `Texts` and `Names` (JSON with every character beyond ASCII escaped) hold any text exactly.

`exact` and `prose` are the rules themselves, for stores without SQL.
"""

import json
import math
import re
from collections.abc import Mapping

from sqlalchemy import Dialect, Double, Text
from sqlalchemy.types import TypeDecorator

_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")


def exact(text: str) -> str:
    """
    The text itself.

    Raises:
        ValueError: it holds NUL or a lone surrogate.
    """
    if _UNHOLDABLE.search(text):
        raise ValueError(f"{text!r} holds NUL or half a character; send it without")
    return text


def prose(text: str) -> str:
    """The text with U+FFFD for each NUL and lone surrogate."""
    return _UNHOLDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def number(value: float) -> float:
    """
    The number itself.

    Raises:
        ValueError: it is NaN, which no column of ours means anything by.
    """
    if math.isnan(value):
        raise ValueError("NaN is no value of a column; write None for unknown")
    return value


class Exact(TypeDecorator[str]):
    """Text that comes back as it was, or is refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else exact(value)


class Prose(TypeDecorator[str]):
    """Text for people."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else prose(value)


class Number(TypeDecorator[float]):
    """A double; instants are UTC Unix seconds."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None else number(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        # SQLite's RETURNING gives whole doubles as integers.
        return None if value is None else float(value)


class Texts(TypeDecorator[Mapping[str, str]]):
    """A mapping of texts, in its order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(dict(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, str] | None:
        return None if value is None else json.loads(value)


class Names(TypeDecorator[tuple[str, ...]]):
    """A row of names, in its order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(json.loads(value))
