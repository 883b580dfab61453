"""Whatever a driver raises becomes an error of ours that says what happened and shows no values."""

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from firedamp.errors import ConflictError, StoreError
from firedamp.store.trouble import translated


def violated(name: str) -> sqlite3.IntegrityError:
    error = sqlite3.IntegrityError("constraint failed")
    error.sqlite_errorname = name
    return error


SECRET = {"digest": "5ec4e7"}
TABLE = [
    (IntegrityError("INSERT", SECRET, violated("SQLITE_CONSTRAINT_UNIQUE")), ConflictError, "wrote first"),
    (
        IntegrityError("INSERT", SECRET, violated("SQLITE_CONSTRAINT_FOREIGNKEY")),
        StoreError,
        "refused to write",
    ),
    (IntegrityError("INSERT", SECRET, asyncpg.UniqueViolationError("twice")), ConflictError, "twice"),
    (DBAPIError("SELECT", SECRET, sqlite3.OperationalError("database is locked")), StoreError, "is locked"),
    (
        StatementError("no", "SELECT", SECRET, ValueError("NaN is no value\nDETAIL")),
        StoreError,
        "NaN is no value",
    ),
    (asyncpg.InvalidPasswordError("password authentication failed"), StoreError, "authentication failed"),
    (sqlite3.DatabaseError(""), StoreError, "DatabaseError"),
    (TimeoutError(), StoreError, "did not answer in time"),
    (ConnectionRefusedError("refused"), StoreError, "cannot be reached: refused"),
]


@pytest.mark.parametrize(("raised", "kind", "says"), TABLE, ids=[type(row[0]).__name__ for row in TABLE])
def test_drivers_errors_are_translated(raised: Exception, kind: type[StoreError], says: str):
    """Kind and first line of the cause stay, statements and values do not."""
    with pytest.raises(StoreError, match=says) as caught, translated():
        raise raised

    assert type(caught.value) is kind
    assert caught.value.__cause__ is raised
    assert "5ec4e7" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_our_own_errors_pass_through():
    """An error that is ours already stays as it is."""
    with pytest.raises(StoreError, match=r"^gone$"), translated():
        raise StoreError("gone")
